"""kernel_release: which installed kernel headers to build modules for, as @NAME."""

def _impl(ctx):
    release = ctx.os.environ.get("KVER", "")
    if not release:
        found = ctx.execute(["sh", "-c", """
            running=$(uname -r)
            [ -e /lib/modules/$running/build ] && echo $running && exit
            cd /lib/modules && ls -d *-cloud-amd64/build *-amd64/build 2>/dev/null | head -1 | cut -d/ -f1"""])
        release = found.stdout.strip()
    ctx.file("BUILD.bazel", "")
    ctx.file("release.bzl", "KERNEL_RELEASE = %r\n" % (release or "with-headers-installed"))

kernel_release = repository_rule(
    implementation = _impl,
    configure = True,
    doc = "release.bzl has KERNEL_RELEASE: $KVER, or the running kernel if its headers are installed, or another one's",
    environ = ["KVER"],
    local = True,
)
