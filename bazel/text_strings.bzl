"""text_strings: text files as C strings, so that help, SQL and CSS are written as they are read."""

def text_strings(name, srcs, prefix, visibility = None):
    """Makes NAME.c and NAME.h: of each file X.ext a string PREFIX_X[].

    Args:
      name: of the rule and the two files; the library takes both into its srcs
      srcs: text files; "-" in a name becomes "_"
      prefix: what the names of the strings begin with
      visibility: as in every rule
    """
    native.genrule(
        name = name,
        srcs = srcs,
        outs = [name + ".c", name + ".h"],
        cmd = """
            c=$(location {name}.c) h=$(location {name}.h)
            : > $$c; : > $$h
            for f in $(SRCS); do
                s={prefix}_$$(basename $$f | sed 's/[.][^.]*$$//; s/-/_/g')
                echo "extern const char $$s[];" | tee -a $$c >> $$h
                echo "const char $$s[] =" >> $$c
                sed 's/\\\\/\\\\\\\\/g; s/"/\\\\"/g; s/.*/"&\\\\n"/' $$f >> $$c
                echo '"";' >> $$c
            done""".format(name = name, prefix = prefix),
        visibility = visibility,
    )
