"""libperf: compiled from Debian's kernel source package, as @libperf.

Debian ships no libperf-dev. The first series of kvm/series is preferred: its struct
perf_event_attr has the size of Debian 12's own <linux/perf_event.h>.
"""

_BUILD = """\
_INCLUDE = ["-Iexternal/%s/" % d for d in [
    "tools/lib/perf/include",
    "tools/lib",
    "tools/include",
    "tools/arch/x86/include",
    "tools/arch/x86/include/uapi",
    "tools/include/uapi",
]]

cc_library(
    name = "libperf",
    srcs = glob([
        "tools/lib/perf/*.c",
        "tools/lib/perf/*.h",
        "tools/lib/perf/include/internal/*.h",
        "tools/lib/api/fd/array.*",
        "tools/include/**/*.h",
        "tools/arch/x86/include/**/*.h",
    ]) + ["tools/lib/zalloc.c"],
    hdrs = glob(["tools/lib/perf/include/perf/*.h"]) + ["uapi/linux/perf_event.h"],
    copts = _INCLUDE + ["-w"],
    includes = [
        "tools/lib/perf/include",
        "uapi",
    ],
    linkstatic = 1,
    visibility = ["//visibility:public"],
)
"""

_PARTS = ["lib/perf/*", "lib/api/fd/*", "lib/zalloc.c", "include/*", "arch/x86/include/*"]

def _impl(ctx):
    rows = [line.split("\t") for line in ctx.read(ctx.attr.series).split("\n")]
    packages = [row[2] for row in rows if len(row) > 2 and not row[0].startswith("#")]
    for top in packages:
        tar = ctx.path("/usr/src/%s.tar.xz" % top)
        if tar.exists:
            break
    if not tar.exists:
        fail("\n\n    The kernel source is missing: apt-get install %s\n" % packages[0])
    ctx.report_progress("unpacking " + str(tar))
    r = ctx.execute(
        ["tar", "--use-compress-program=xz -T0", "-xf", tar, "--strip-components=1", "--wildcards"] +
        ["%s/tools/%s" % (top, part) for part in _PARTS],
    )
    if r.return_code:
        fail(r.stderr)

    # Users must see the struct perf_event_attr that libperf was built with:
    # libperf copies it whole.
    ctx.symlink("tools/include/uapi/linux/perf_event.h", "uapi/linux/perf_event.h")
    ctx.file("BUILD.bazel", _BUILD.replace("external/%s/", "external/" + ctx.name + "/%s"))

libperf = repository_rule(
    implementation = _impl,
    attrs = {"series": attr.label(default = "@//kvm:series", allow_single_file = True, doc = "the table of the kernel series, the preferred one first")},
)
