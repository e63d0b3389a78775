#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# commands.sh - the commands of both parts with their help, as C, from the programs themselves
#
#	package/commands.sh ANALYZER COLLECTOR COMMANDS NAMES_AWK
#
# COMMANDS is a file with the names of the analyzer's.
set -eu
analyzer=$1 collector=$2 commands=$(cat "$3") names=$4

# Lines as a C string, with exitscope's names for the commands.
string() {
	awk -v commands="$commands" -f "$names" | sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/	 "&\\n"/'
}

echo '/* Made by package/commands.sh from what the programs print. */'
echo 'static const char collector_help[] ='
"$collector" --help | string
echo '	;'
echo 'static const struct analyzer_command {'
echo '	const char *name;'
echo '	const char *summary;'
echo '	const char *help;'
echo '} analyzer_commands[] = {'
for command in $commands; do
	"$analyzer" --help | awk -v name="$command" '
		$1 == name && /^  [a-z]/ { sub(/^  [a-z-]+ +/, ""); print "	{\"" name "\", \"" $0 "\","; exit }'
	"$analyzer" "$command" --help | string
	echo '	},'
done
echo '};'
