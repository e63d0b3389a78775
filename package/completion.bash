
# What comes before is the completion of the two parts, which have no names in the PATH.

# The commands of exitscope's own help.
_exitscope_all_commands()
{
	_exitscope_help "$1" | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'
}

# The line as its part would have it: with the part's path as the first word.
_exitscope()
{
	local program=${COMP_WORDS[0]} command part parts first=1

	if [[ ${COMP_WORDS[1]} == help ]]; then
		((first++))
	fi
	command=${COMP_WORDS[first]}
	if ((COMP_CWORD == first)) && [[ $command != -* ]]; then
		_exitscope_reply "$command" "$(_exitscope_all_commands "$program")"
		return
	fi
	parts=$("$program" --exec-path 2>/dev/null)
	case $command in
	record | check-host) ((first++)) ;; # no word of the collector's
	esac
	case $command in
	record | check-host | import) part=collector ;;
	*) part=analyzer ;;
	esac
	local COMP_WORDS=("$parts/$part" "${COMP_WORDS[@]:first}")
	local COMP_CWORD=$((COMP_CWORD - first + 1))
	_exitscope_$part
}

complete -F _exitscope exitscope
