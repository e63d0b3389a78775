"""pkg_config: a system library, found by pkg-config, as @NAME."""

def _words(ctx, *args):
    r = ctx.execute([ctx.which("pkg-config")] + list(args))
    if r.return_code:
        fail(r.stderr)
    return [w for w in r.stdout.strip().split(" ") if w]

def _link_options(ctx):
    if ctx.attr.headers_only:
        return []
    if not ctx.attr.static:
        return _words(ctx, "--libs", ctx.attr.package)
    libs = _words(ctx, "--static", "--libs", ctx.attr.package)
    return [
        "-l:lib%s.a" % flag[2:] if flag.startswith("-l") and flag[2:] not in ctx.attr.shared else flag
        for flag in libs
    ]

def _impl(ctx):
    if not ctx.which("pkg-config"):
        fail("\n\n    pkg-config is missing: apt-get install pkg-config\n")
    package = ctx.attr.package
    if ctx.attr.min_version:
        package += " >= " + ctx.attr.min_version
    found = ctx.execute([ctx.which("pkg-config"), "--exists", "--print-errors", package])
    if found.return_code:
        fail("\n\n    The library %s is missing: apt-get install %s\n\n%s" % (package, ctx.attr.debian, found.stderr))

    defines = []
    includes = []
    for flag in _words(ctx, "--cflags", ctx.attr.package):
        if flag.startswith("-I"):
            # By a link in this repository Bazel sees the headers change.
            folder = "include/%d" % len(includes)
            ctx.symlink(flag[2:], folder)
            includes.append(folder)
        elif flag.startswith("-D"):
            defines.append(flag[2:])
    ctx.file("BUILD.bazel", """\
cc_library(
    name = %r,
    hdrs = glob(["include/*/**/*.h"]),
    defines = %r,
    includes = %r,
    linkopts = %r,
    visibility = ["//visibility:public"],
    deps = %r,
)
""" % (ctx.name, defines, includes, _link_options(ctx), ctx.attr.deps))

pkg_config = repository_rule(
    implementation = _impl,
    attrs = {
        "package": attr.string(mandatory = True, doc = "name that pkg-config knows"),
        "debian": attr.string(mandatory = True, doc = "Debian package to name when it is missing"),
        "min_version": attr.string(doc = "lowest version that will do"),
        "headers_only": attr.bool(doc = "do not link it: the program loads it when it needs it"),
        "static": attr.bool(doc = "link it and what it needs from their archives (libNAME.a)"),
        "shared": attr.string_list(doc = "with static: names of libraries that stay shared"),
        "deps": attr.string_list(doc = "libraries whose headers this one's headers include"),
    },
    configure = True,
    environ = ["PATH", "PKG_CONFIG_PATH"],
    local = True,
)
