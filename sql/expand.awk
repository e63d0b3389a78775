# SPDX-License-Identifier: GPL-2.0-only
# expand.awk - expands the macros of views.sql.in; what comes out is plain SQL
#
# A line "-- #define NAME(A, B) TEXT" defines a macro (TEXT on one line) and is left out of the
# output. NAME(x, y) anywhere after it becomes TEXT with A and B replaced; arguments may contain
# parentheses. Macros in TEXT are expanded too.

# Splits @s, which begins after "(", into arguments at commas outside of parentheses.
# Returns the place after the closing ")".
function split_arguments(s, argument,    i, depth, n, c, from) {
	depth = 1
	n = 1
	from = 1
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (c == "(")
			depth++
		if (c == ")")
			depth--
		if (depth == 0 || (depth == 1 && c == ",")) {
			argument[n] = substr(s, from, i - from)
			gsub(/^[ \n]+|[ \n]+$/, "", argument[n])
			from = i + 1
			n++
		}
		if (depth == 0)
			return i + 1
	}
	print "expand.awk: no ) after: " substr(s, 1, 60) >"/dev/stderr"
	exit 1
}

# @text with each word @word replaced by @by.
function replace_word(text, word, by,    out, at, before, after) {
	out = ""
	while ((at = index(text, word))) {
		before = at > 1 ? substr(text, at - 1, 1) : " "
		after = substr(text, at + length(word), 1)
		out = out substr(text, 1, at - 1)
		out = out (before after ~ /[A-Za-z0-9_]/ ? word : by)
		text = substr(text, at + length(word))
	}
	return out text
}

function expand(text,    out, argument, name, body, i, next_at) {
	out = ""
	while (match(text, /[A-Z_]+\(/)) {
		name = substr(text, RSTART, RLENGTH - 1)
		out = out substr(text, 1, RSTART - 1)
		text = substr(text, RSTART + RLENGTH)
		if (!(name in macro)) {
			out = out name "("
			continue
		}
		next_at = split_arguments(text, argument)
		body = macro[name]
		for (i = 1; i <= count[name]; i++)
			body = replace_word(body, parameter[name, i], argument[i])
		text = body substr(text, next_at)
	}
	return out text
}

/^-- #define / {
	name = $3
	sub(/\(.*/, "", name)
	sub(/^-- #define [A-Z_]+\(/, "")
	macro[name] = substr($0, index($0, ")") + 2)
	list = substr($0, 1, index($0, ")") - 1)
	count[name] = split(list, names, /, */)
	for (i = 1; i <= count[name]; i++)
		parameter[name, i] = names[i]
	next
}

{ all = all $0 "\n" }

END { printf "%s", expand(all) }
