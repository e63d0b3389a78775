# SPDX-License-Identifier: GPL-2.0-only
# names.awk - help and manual pages of the parts, for a system where exitscope starts them
#
#	awk -v commands='top-exits ...' [-v page=exitscope-record -v program='exitscope record'] -f names.awk
#
# Command lines in text and examples begin with exitscope: "analyzer top-exits" and "analyzer --db"
# do so, "the analyzer shows" stays. Of a manual page, PAGE is its new name, and PROGRAM what its
# synopsis begins with.
BEGIN {
	count = split(commands, list, " ")
	for (i = 1; i <= count; i++)
		is_command[list[i]] = 1
}
{
	gsub(/\.Xr collector 1/, ".Xr exitscope-record 1")
	gsub(/\.Xr analyzer 1/, ".Xr exitscope-analyzer 1")
	gsub(/collector import/, "exitscope import")
	gsub(/collector --check-host/, "exitscope check-host")
	gsub(/collector --/, "exitscope record --")
	gsub(/analyzer \[--db/, "exitscope [--db")
	gsub(/analyzer COMMAND/, "exitscope COMMAND")
	$0 = analyzer_commands($0)
}
page && /^\.Dt / { $2 = toupper(page) }
page && /^\.Sh / { in_name = /NAME/ }
page && /^\.Nm/ { $0 = ".Nm " (in_name ? page : program) }
{ print }

function analyzer_commands(text,    out, word)
{
	while (match(text, /analyzer [a-z-]+/)) {
		word = substr(text, RSTART + 9, RLENGTH - 9)
		out = out substr(text, 1, RSTART - 1) \
			(word in is_command || word ~ /^--/ ? "exitscope " : "analyzer ") word
		text = substr(text, RSTART + RLENGTH)
	}
	return out text
}
