"""bpf_tools: clang and bpftool for BPF programs, as @NAME//:tools.bzl."""

def _find(ctx, names, debian):
    for name in names:
        path = ctx.path(name) if name.startswith("/") else ctx.which(name)
        if path and path.exists:
            return str(path)
    fail("\n\n    %s is missing: apt-get install %s\n" % (names[0], debian))

def _impl(ctx):
    ctx.file("BUILD.bazel", "")
    ctx.file("tools.bzl", "CLANG = %r\nBPFTOOL = %r\n" % (
        _find(ctx, ["clang"], "clang"),
        # Debian puts it in a folder that only root has in the PATH.
        _find(ctx, ["bpftool", "/usr/sbin/bpftool"], "bpftool"),
    ))

bpf_tools = repository_rule(
    implementation = _impl,
    configure = True,
    doc = "tools.bzl has CLANG and BPFTOOL: paths of the two programs",
    environ = ["PATH"],
    local = True,
)
