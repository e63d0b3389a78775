# SPDX-License-Identifier: GPL-2.0-only
# contributing_example.awk - the command that CONTRIBUTING.md shows, as a program that compiles
BEGIN { print "const char help_hello[] = \"\";" }
/^   ```c$/ { in_example = 1; next }
/^   ```$/ { in_example = 0 }
in_example { sub(/^   /, ""); print }
END { print "\nint main(void)\n{\n\treturn !cmd_hello.run;\n}" }
