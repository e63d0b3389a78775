# SPDX-License-Identifier: GPL-2.0-only
# usage.sh - how every script speaks, ends and refuses an option (POSIX sh, also busybox)
#
# The caller sets $me, its name in messages. Messages are one line: PROGRAM: WHAT: WHY (WAY OUT).

say() {
	echo "$me: $*" >&2
}

die() {
	say "$*"
	exit 1
}

# usage_error WHAT...: the command line is wrong; the way out is the help.
usage_error() {
	die "$* ($me --help)"
}

# unknown_option WORD: for the last case of the loop over the arguments.
unknown_option() {
	case $1 in
	-*) usage_error "$1: unknown option" ;;
	*) usage_error "$1: unexpected word" ;;
	esac
}

# need_value OPTION VALUE...: with the words of the loop, "$@". An empty value is a variable that
# nobody set, never a wish for the default.
need_value() {
	[ $# -gt 1 ] || usage_error "$1: needs a value"
	[ -n "$2" ] || usage_error "$1: the value is empty"
}

# head_comment: prints the comment that the script opens with, as its help.
head_comment() {
	awk 'NR < 3 { next } !/^#/ { exit } { sub(/^# ?/, ""); print }' "$0"
}

# words_only WORD...: for scripts that take words and no options. -h and --help print the head
# comment and end the script; its indented line that begins with $me is the usage.
words_only() {
	for word; do
		case $word in
		-h | --help)
			head_comment | awk -v me="$me" '
				/^[ \t]/ && $1 == me { usage = $0; sub(/^[ \t]+/, "", usage); next }
				{ text = text $0 "\n" }
				END {
					gsub(/\n\n\n/, "\n\n", text)
					print "usage: " (usage ? usage : me)
					printf "%s", text
				}'
			exit 0
			;;
		-*) unknown_option "$word" ;;
		esac
	done
}
