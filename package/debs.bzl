"""debs: Debian packages, of files that are built with -c opt in any case."""

def _optimised(settings, attr):
    return {"//command_line_option:compilation_mode": "opt"}

_opt = transition(
    implementation = _optimised,
    inputs = [],
    outputs = ["//command_line_option:compilation_mode"],
)

def _impl(ctx):
    out = ctx.actions.declare_directory(ctx.label.name)
    table = ctx.actions.declare_file(ctx.label.name + ".files")
    lines = []
    inputs = []
    for target, places in ctx.attr.files.items():
        for file in target.files.to_list():
            inputs.append(file)
            for place in places.split(";"):
                lines.append("%s %s" % (place.strip(), file.path))
    ctx.actions.write(table, "\n".join(lines) + "\n")
    ctx.actions.run(
        executable = ctx.executable.maker,
        arguments = [out.path, table.path],
        inputs = inputs + ctx.files.sources + [table],
        outputs = [out],
        mnemonic = "Deb",
        progress_message = "Making Debian packages",
        # dpkg-shlibdeps, strip and dpkg-deb are those of the system.
        use_default_shell_env = True,
    )
    return [DefaultInfo(files = depset([out]), runfiles = ctx.runfiles([out]))]

debs = rule(
    implementation = _impl,
    attrs = {
        "files": attr.label_keyed_string_dict(
            allow_files = True,
            cfg = _opt,
            doc = "for each label: PACKAGE MODE PLACE; a PLACE that ends in / takes the file's path below kvm/",
        ),
        "maker": attr.label(allow_single_file = True, cfg = "host", executable = True, default = "make_debs"),
        "sources": attr.label_list(allow_files = True, doc = "what the maker reads"),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
    doc = "NAME/: the packages, one file each",
)
