# SPDX-License-Identifier: GPL-2.0-only
# own.awk - the tables and views that an .sql file defines, as a C array: awk -v array=NAME
#
# A definition begins with CREATE TABLE or CREATE VIEW at the begin of a line and ends with the line
# whose code ends with a semicolon. What stands between definitions is left out.

BEGIN { print "static const struct own_definition " array "[] = {" }

/^CREATE (TABLE|VIEW) / {
	name = $3
	sub(/[(].*/, "", name)
	print "{\"" name "\","
	inside = 1
}

inside {
	code = $0
	sub(/ *--.*/, "", code)
	ends = code ~ /;$/
	line = ends ? substr(code, 1, length(code) - 1) : $0
	gsub(/\\/, "\\\\", line)
	gsub(/"/, "\\\"", line)
	print "\"" line (ends ? "\"}," : "\\n\"")
	inside = !ends
}

END { print "{0}};" }
