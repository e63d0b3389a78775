# SPDX-License-Identifier: GPL-2.0-only
# options.awk - put the options of a program's help into its man page
#
# awk -f mdoc.awk -f options.awk PAGE.in HELP: @OPTIONS@ becomes a list of what stands in HELP as
# "  --name VALUE   text", with lines of text below it. Output: mdoc(7).

# "--name VALUE", "-n, --name" or "word VALUE" as the head of a list item
function head(option,    n, i, word, text) {
	text = ".It"
	n = split(option, word, " ")
	for (i = 1; i <= n; i++) {
		if (word[i] ~ /^--/)
			text = text " Fl -" substr(word[i], 3)
		else if (word[i] ~ /^-/)
			text = text " Fl " substr(word[i], 2)
		else
			text = text (word[i] ~ /^[A-Z]/ ? " Ar " : " Cm ") word[i]
		sub(/,$/, " ,", text)
	}
	return text
}

FILENAME == ARGV[1] { page[++lines] = $0; next }

/^  (-|[a-z]+ [A-Z]+  )/ {
	option = substr($0, 3)
	text = ""
	if (match(option, /  +/)) {
		text = substr(option, RSTART + RLENGTH)
		option = substr(option, 1, RSTART - 1)
	}
	# Examples have no text after two blanks.
	if (text == "")
		next
	options = options head(option) "\n" escape(text) "\n"
	on = 1
	next
}

on && /^          / {
	sub(/^ +/, "")
	options = options escape($0) "\n"
	next
}

{ on = 0 }

END {
	for (i = 1; i <= lines; i++) {
		if (page[i] == "@OPTIONS@")
			printf ".Bl -tag -width Ds\n%s.El\n", options
		else
			print page[i]
	}
}
