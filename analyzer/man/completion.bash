# SPDX-License-Identifier: GPL-2.0-only
# completion.bash - completion of analyzer and collector for bash
#
#	. analyzer/man/completion.bash
#
# zsh takes it too, after: autoload -U bashcompinit && bashcompinit
#
# Commands, options and their values are asked of the programs, reasons and runs
# of the database, so nothing here has to follow them.

# Lines of a program's help; nothing if it cannot be run.
_exitscope_help() { "$@" --help 2>/dev/null </dev/null; }

_exitscope_options() { _exitscope_help "$@" | sed -n '/^Options:/,$ s/^  \(--[a-z0-9-]*\).*/\1/p'; }

# The word after option $1 on the command line.
_exitscope_value_of()
{
	local i
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == "$1" ]]; then
			echo "${COMP_WORDS[i + 1]}"
		fi
	done
}

# One column of a query on the database that the command line names.
_exitscope_query()
{
	local db

	db=$(_exitscope_value_of --db)
	"${COMP_WORDS[0]}" --db "${db:-run.sqlite}" sql --format csv "$1" 2>/dev/null | tail -n +2
}

# COMPREPLY from the words of $2, one a line, that begin like $1; with $3, like what
# is after the last comma of $1.
_exitscope_reply()
{
	local word=$1 begin= line

	if [[ -n $3 && $1 == *,* ]]; then
		begin=${1%,*},
		word=${1##*,}
	fi
	COMPREPLY=()
	while IFS= read -r line; do
		if [[ -n $line && $line == "$word"* ]]; then
			COMPREPLY+=("$begin$(printf '%q' "$line")")
		fi
	done <<<"$2"
}

_exitscope_files()
{
	COMPREPLY=()
	compopt -o filenames 2>/dev/null
	while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$1")
}

_exitscope_commands()
{
	_exitscope_help "${COMP_WORDS[0]}" | awk '/^  [a-z]/ && $1 != "analyzer" { print $1 }'
}

_exitscope_collector_options()
{
	_exitscope_help "${COMP_WORDS[0]}" | sed -n 's/^  \(-h, \)\{0,1\}\(--[a-z][a-z0-9-]*\).*/\2/p'
}

_exitscope_formats()
{
	if [[ $1 == export ]]; then
		printf '%s\n' csv json ndjson folded openmetrics prometheus perfetto rows
	else
		printf '%s\n' table csv json
	fi
}

_exitscope_tables()
{
	_exitscope_help "${COMP_WORDS[0]}" "$1" | sed -n 's/^  --table TABLE *one of \(.*\) (.*/\1/p' | tr -d ' ' |
		tr ',' '\n'
}

# Values of --sort and --by stand in a command's help after the option: "  --by a, b (c), d". A
# sentence that begins with an option is not indented.
_exitscope_choices()
{
	_exitscope_help "${COMP_WORDS[0]}" "$1" | awk -v option="$2" '
		$1 == option && /^  --/ && !/^  --[a-z]+ [A-Z]/ { on = 1; sub(/^ *--[a-z]+ */, "") ; print; next }
		on && /^   / { print; next }
		{ on = 0 }' | sed 's/([^)]*)//g' | tr ',' '\n' | awk '{ print $1 }'
}

# The names of all columns of command $1, which its error about a column names.
_exitscope_columns()
{
	local db

	db=$(_exitscope_value_of --db)
	"${COMP_WORDS[0]}" --db "${db:-run.sqlite}" "$1" --columns = 2>&1 >/dev/null </dev/null |
		sed -n 's/^analyzer: --columns =: none of //p' | tr -d ' ' | tr ',' '\n'
}

# Columns that push can leave out, as its help lists them.
_exitscope_without()
{
	_exitscope_help "${COMP_WORDS[0]}" push | tr '\n' ' ' |
		sed 's/.*may be NULL, such as \([^.]*\)\..*/\1/' | tr -d ' ' | tr ',' '\n'
}

# Reply with files, and with the words of $2, one a line, that begin like $1.
_exitscope_files_and()
{
	local line

	_exitscope_files "$1"
	while IFS= read -r line; do
		if [[ -n $line && $line == "$1"* ]]; then
			COMPREPLY+=("$line")
		fi
	done <<<"$2"
}

_exitscope_reasons()
{
	_exitscope_query 'SELECT DISTINCT name FROM reasons JOIN runs USING (isa_name)'
}

_exitscope_labels() { _exitscope_query 'SELECT DISTINCT label FROM runs'; }

# Reply with a value of option $2 of command $1; 1: nothing is known of it.
_exitscope_analyzer_value()
{
	local values list=

	case $2 in
	--format) values=$(_exitscope_formats "$1") ;;
	--sort | --by) values=$(_exitscope_choices "$1" "$2") ;;
	--table) values=$(_exitscope_tables "$1") ;;
	--reason)
		values=$(_exitscope_reasons)
		list=1
		;;
	--columns)
		values=$(_exitscope_columns "$1")
		list=1
		;;
	--fail-on)
		values=$'rate=\np50=\np99=\nnew\nvanished'
		list=1
		;;
	--without)
		values=$(_exitscope_without)
		list=1
		;;
	--run | --against) values=$(_exitscope_labels) ;;
	--vm)
		values=$(_exitscope_query 'SELECT DISTINCT coalesce(name, vm) FROM vms')
		list=1
		;;
	--vcpu) values=$(_exitscope_query 'SELECT DISTINCT vcpu_id FROM coverage') ;;
	--db | --html | --output | --symbols | --cr3-names | --memory-map | --login | --ca | --cert)
		_exitscope_files "$3"
		return 0
		;;
	*) return 1 ;;
	esac
	_exitscope_reply "$3" "$values" $list
}

# Whether option $2 of command $1 takes a value, as its help says.
_exitscope_takes_value()
{
	_exitscope_help "${COMP_WORDS[0]}" "$1" | grep -q -- "^  $2 [^ ]"
}

# The command among the words before the cursor.
_exitscope_command()
{
	local i

	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == --db ]]; then
			((i++))
		elif [[ ${COMP_WORDS[i]} != -* ]]; then
			echo "${COMP_WORDS[i]}"
			return
		fi
	done
}

_exitscope_analyzer()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command

	COMPREPLY=()
	command=$(_exitscope_command)
	if [[ $before == --* ]]; then
		_exitscope_analyzer_value "$command" "$before" "$word" && return
		[[ -n $command ]] && _exitscope_takes_value "$command" "$before" && return
	fi
	if [[ -z $command && $word == -* ]]; then
		_exitscope_reply "$word" $'--db\n--help\n--version'
	elif [[ -z $command ]]; then
		_exitscope_reply "$word" "$(_exitscope_commands)"
	elif [[ $word == -* ]]; then
		_exitscope_reply "$word" "--help
$(_exitscope_options "${COMP_WORDS[0]}" "$command")"
	elif [[ $command == compare || $command == baseline ]]; then
		_exitscope_files_and "$word" "$(_exitscope_labels)"
	elif [[ $command == symbols || $command == push || $command == compact || $command == expand ]]; then
		_exitscope_files "$word"
	elif [[ $command == explain ]]; then
		_exitscope_reply "$word" "$(_exitscope_reasons)"
	elif [[ $command == fleet ]]; then
		_exitscope_reply "$word" $'top-exits\nsteal\np99\nchanged\nkernels\nruns'
	fi
}

_exitscope_collector()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} i

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == -- ]]; then # the command's own arguments
			_exitscope_files "$word"
			return
		fi
	done
	case $before in
	--db | --capture | --from | import) _exitscope_files "$word" ;;
	--source) _exitscope_reply "$word" $'best\nring\nbpf\ntracefs' ;;
	--vm) _exitscope_reply "$word" "$(pgrep '^(qemu|kvm|firecracker|cloud-hyper|crosvm)' 2>/dev/null)" ;;
	*)
		if [[ $word == -* ]]; then
			_exitscope_reply "$word" "$(_exitscope_collector_options)"
		elif ((COMP_CWORD == 1)); then
			_exitscope_reply "$word" import
		fi
		;;
	esac
}

complete -F _exitscope_analyzer analyzer
complete -F _exitscope_collector collector
