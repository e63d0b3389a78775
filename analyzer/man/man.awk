# SPDX-License-Identifier: GPL-2.0-only
# man.awk - put the help of all commands into a man page
#
# awk -f mdoc.awk -f man.awk PAGE.in HELP...: each HELP is what `analyzer COMMAND --help`
# prints. @COMMANDS@ becomes a subsection per command, @OPTIONS@ a list of the
# options that several commands share. Output: mdoc(7).

function add(text) { section = section text "\n" }

function block(on) {
	if (on)
		flush()
	if (on != in_block)
		add(on ? ".Bd -literal -offset indent" : ".Ed")
	in_block = on
}

# Text for people: a sentence begins a line, and no line is long.
function flush(    n, i, word, out) {
	n = split(paragraph, word, " ")
	paragraph = out = ""
	for (i = 1; i <= n; i++) {
		out = out (out == "" ? "" : " ") word[i]
		if (word[i] ~ /[.:?]$/ && (i == n || word[i + 1] ~ /^[A-Z]/) ||
		    i == n || length(out " " word[i + 1]) > 78) {
			add(escape(out))
			out = ""
		}
	}
}

# "--name VALUE" as the head of a list item
function item(option,    part) {
	split(option, part, " ")
	sub(/^--/, "", part[1])
	return ".It Fl -" part[1] (part[2] == "" ? "" : " Ar " escape(part[2]))
}

function finish_command() {
	if (!name)
		return
	block(0)
	flush()
	if (list)
		add(".Bl -tag -width Ds\n" list ".El")
	if (also) {
		add(".Pp")
		paragraph = "Also takes:" also "."
		flush()
	}
	commands = commands section
	name = section = list = also = ""
}

# The page is kept until all help is read.
FILENAME == ARGV[1] { page[++lines] = $0; next }

FNR == 1 {
	finish_command()
	state = "usage"
	rest = $0
	sub(/^usage: analyzer (\[--db FILE\] )?/, "", rest)
	name = rest
	sub(/ .*/, "", name)
	add(".Ss " escape(rest))
	gap = 0
	next
}

/^Options:$/ { block(0); flush(); state = "options"; next }

state == "options" {
	option = $0
	sub(/^ +/, "", option)
	text = option
	sub(/^--[a-z-]+( [^ ]+)?  +/, "", text)
	option = substr(option, 1, length(option) - length(text))
	sub(/ +$/, "", option)
	split(option, word, " ")
	note = ""
	if (word[1] == "--limit" && match(text, /; default: .*/)) {
		note = " (" substr(text, RSTART + 2) ")"
		text = substr(text, 1, RSTART - 1) "; each command has its own default"
	}
	if (word[1] ~ shared && option != "--format FORMAT") {
		if (!(option in known)) {
			known[option] = 1
			options = options item(option) "\n" escape(text) "\n"
		}
		if (word[1] != "--db")
			also = also (also ? "," : "") " " word[1] note
	} else {
		list = list item(option) "\n" escape(text) "\n"
	}
	next
}

/^$/ { gap = 1; next }
/^Examples:$/ { block(0); flush(); add(".Pp\nExamples:"); gap = 0; next }

{
	if (/^  /) {
		block(1)
		if (gap && started_block)
			add("")
		started_block = 1
	} else {
		block(0)
		started_block = 0
		if (gap)
			flush()
		if (gap && section !~ /\.Ss [^\n]*\n$/)
			add(".Pp")
	}
	gap = 0
	text = $0
	sub(/^  /, "", text)
	if (in_block)
		add(escape(text))
	else
		paragraph = paragraph " " text
}

BEGIN {
	shared = "^--(db|run|vm|vcpu|reason|from|to|by|sort|limit|exact|format|cycles|columns|output)$"
}

END {
	finish_command()
	for (i = 1; i <= lines; i++) {
		if (page[i] == "@COMMANDS@")
			printf "%s", commands
		else if (page[i] == "@OPTIONS@")
			printf ".Bl -tag -width Ds\n%s.El\n", options
		else
			print page[i]
	}
}
