"""fuzz_target: a fuzzer, and the test that runs its inputs once."""

def _clang_impl(settings, attr):
    # Nothing of a sanitizer's --config, which is for the other compiler.
    return {
        "//command_line_option:crosstool_top": "@clang_fuzz//:toolchain",
        "//command_line_option:compilation_mode": "fastbuild",
        "//command_line_option:conlyopt": ["-std=gnu11", "-D_GNU_SOURCE"],
        "//command_line_option:copt": [],
        "//command_line_option:linkopt": [],
        "//command_line_option:strip": "never",
    }

_clang = transition(
    implementation = _clang_impl,
    inputs = [],
    outputs = [
        "//command_line_option:crosstool_top",
        "//command_line_option:compilation_mode",
        "//command_line_option:conlyopt",
        "//command_line_option:copt",
        "//command_line_option:linkopt",
        "//command_line_option:strip",
    ],
)

def _fuzzer_impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(output = out, target_file = ctx.executable.program, is_executable = True)
    return DefaultInfo(executable = out, files = depset([out]))

_fuzzer = rule(
    implementation = _fuzzer_impl,
    attrs = {
        "program": attr.label(
            cfg = "target",
            executable = True,
            mandatory = True,
        ),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
    cfg = _clang,
    doc = "a program, built with clang and libFuzzer",
    executable = True,
)

def fuzz_target(name, deps, inputs = [], dictionary = None, longest = 65536, size = "small"):
    """Makes NAME (bazel run fuzzes) and NAME_test (runs all inputs once, with the usual compiler).

    Args:
      name: NAME.c has LLVMFuzzerTestOneInput(), corpus/NAME/ inputs
      deps: what it tests
      inputs: files from elsewhere that are inputs too
      dictionary: words for libFuzzer's option -dict
      longest: of the inputs that the fuzzer makes, in bytes
      size: of the test
    """
    corpus = native.glob(["corpus/%s/*" % name]) + inputs
    native.cc_library(
        name = name + "_target",
        testonly = 1,
        srcs = [name + ".c"],
        deps = [":input"] + deps,
    )
    native.cc_test(
        name = name + "_test",
        size = size,
        srcs = ["replay.c"],
        args = ["$(locations %s)" % file for file in corpus],
        data = corpus,
        deps = [
            ":input",
            ":%s_target" % name,
            "@zlib",
        ],
    )

    # Only with clang has it a main().
    native.cc_binary(
        name = name + "_program",
        testonly = 1,
        tags = ["manual"],
        deps = [":%s_target" % name],
    )
    _fuzzer(
        name = name + "_fuzzer",
        testonly = 1,
        program = name + "_program",
        tags = ["manual"],
    )
    native.sh_binary(
        name = name,
        testonly = 1,
        srcs = ["fuzz.sh"],
        args = [
            name,
            "$(location :%s_fuzzer)" % name,
            "$(location %s)" % dictionary if dictionary else "-",
            str(longest),
        ] + ["$(locations %s)" % file for file in corpus] + ["--"],
        data = [":%s_fuzzer" % name] + corpus + ([dictionary] if dictionary else []),
        tags = ["manual"],
    )
