"""clang_fuzz: clang with libFuzzer, AddressSanitizer and UBSan as a C toolchain, as @NAME.

fuzz/fuzz.bzl builds with it; nothing else does, and only what is built with it needs it.
"""

load(
    "@bazel_tools//tools/cpp:cc_toolchain_config_lib.bzl",
    "feature",
    "flag_group",
    "flag_set",
    "tool_path",
)

_SANITIZE = ["address", "undefined"]

_COMPILE = [
    "-g",
    "-O1",
    "-fno-omit-frame-pointer",
    "-fsanitize=fuzzer-no-link," + ",".join(_SANITIZE),
    "-fno-sanitize-recover=undefined",
    # The plain builds refuse warnings.
    "-Wno-everything",
]

_LINK = ["-fsanitize=fuzzer," + ",".join(_SANITIZE), "-lm"]

_COMPILE_ACTIONS = ["c-compile", "assemble", "preprocess-assemble"]

def _feature(name, actions, **group):
    return feature(
        name = name,
        enabled = True,
        flag_sets = [flag_set(actions = actions, flag_groups = [flag_group(**group)])],
    )

def _config_impl(ctx):
    tools = {
        "ar": "/usr/bin/ar",
        "cpp": ctx.attr.clang,
        "gcc": ctx.attr.clang,
        "gcov": "/bin/false",
        "ld": "/usr/bin/ld",
        "nm": "/usr/bin/nm",
        "objdump": "/usr/bin/objdump",
        "strip": "/usr/bin/strip",
    }
    return cc_common.create_cc_toolchain_config_info(
        ctx = ctx,
        toolchain_identifier = "clang_fuzz",
        host_system_name = "local",
        target_system_name = "local",
        target_cpu = "k8",
        target_libc = "local",
        compiler = "clang",
        abi_version = "local",
        abi_libc_version = "local",
        tool_paths = [tool_path(name = name, path = path) for name, path in tools.items()],
        cxx_builtin_include_directories = ctx.attr.include + ["/usr/include"],
        features = [
            # Named, so that ours come after the caller's.
            _feature(
                "user_compile_flags",
                _COMPILE_ACTIONS,
                flags = ["%{user_compile_flags}"],
                iterate_over = "user_compile_flags",
                expand_if_available = "user_compile_flags",
            ),
            _feature("fuzz_compile", _COMPILE_ACTIONS, flags = _COMPILE),
            _feature("fuzz_link", ["c++-link-executable"], flags = _LINK),
        ],
    )

clang_fuzz_config = rule(
    implementation = _config_impl,
    attrs = {
        "clang": attr.string(mandatory = True, doc = "path of the compiler"),
        "include": attr.string_list(mandatory = True, doc = "folders of its own headers"),
    },
    provides = [CcToolchainConfigInfo],
)

_BUILD = """\
load("@//bazel:clang_fuzz.bzl", "clang_fuzz_config")

filegroup(name = "none")

clang_fuzz_config(
    name = "config",
    clang = %r,
    include = %r,
)

cc_toolchain(
    name = "k8",
    all_files = ":none",
    compiler_files = ":none",
    dwp_files = ":none",
    linker_files = ":none",
    objcopy_files = ":none",
    strip_files = ":none",
    supports_param_files = 1,
    toolchain_config = ":config",
)

cc_toolchain_suite(
    name = "toolchain",
    toolchains = {"k8": ":k8"},
    visibility = ["//visibility:public"],
)
"""

def _impl(ctx):
    clang = ctx.which("clang")
    if not clang:
        fail("\n\n    clang is missing: apt-get install clang libclang-rt-dev\n")
    resources = ctx.execute([clang, "-print-resource-dir"]).stdout.strip()
    if not ctx.path(resources + "/lib/linux/libclang_rt.fuzzer-x86_64.a").exists:
        fail("\n\n    libFuzzer is missing: apt-get install libclang-rt-dev\n")
    folders = depset([resources, str(ctx.path(resources).realpath)])
    ctx.file("BUILD.bazel", _BUILD % (str(clang), folders.to_list()))

clang_fuzz = repository_rule(
    implementation = _impl,
    configure = True,
    doc = "toolchain is for --crosstool_top",
    environ = ["PATH"],
    local = True,
)
