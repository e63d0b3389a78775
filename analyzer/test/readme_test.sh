#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# readme_test.sh ANALYZER DATABASE README - each block of the README that begins
# with "$ analyzer ..." shows what comes out. UPDATE=1 prints the README anew.
analyzer=$1 db=$2 readme=$3
now=${TEST_TMPDIR:-/tmp}/readme.$$
trap 'rm -f "$now"' EXIT

while IFS= read -r line; do
	case $line in
	'$ analyzer '*)
		while [ "${line%\\}" != "$line" ]; do # a command of several lines
			printf '%s\n' "$line"
			IFS= read -r more
			line=${line%\\}$more
		done
		printf '%s\n' "${more:-$line}"
		more=
		eval "\"\$analyzer\" --db \"\$db\" ${line#\$ analyzer }" 2>&1
		skip=1
		;;
	'```')
		skip=
		printf '%s\n' "$line"
		;;
	*)
		[ -n "$skip" ] || printf '%s\n' "$line"
		;;
	esac
done <"$readme" >"$now"

if [ -n "$UPDATE" ]; then
	cat "$now"
	exit
fi
grep -q '^\$ analyzer' "$readme" || { echo "no example in $readme"; exit 1; }
diff -u "$readme" "$now" && echo "the README shows what comes out"
