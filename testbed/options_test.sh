#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# options_test.sh PROGRAM... - the programs of the test bed refuse an option in the words of all
# programs here, and -h prints the help.
set -u
failures=0

# says PROGRAM WORDS EXPECTED: what comes on stderr
says() {
	# The words must split.
	text=$("$1" $2 2>&1 >/dev/null) && text="$text (status 0)"
	[ "$text" = "$3" ] && return
	echo "FAILED: $1 $2: '$text', not '$3'"
	failures=$((failures + 1))
}

for program; do
	name=${program##*/}
	says "$program" --nonsense "$name: --nonsense: unknown option ($name --help)"
	says "$program" --nonsense=3 "$name: --nonsense: unknown option ($name --help)"
	says "$program" -x "$name: -x: unknown option ($name --help)"
	says "$program" --help=3 "$name: --help: takes no value ($name --help)"
	"$program" -h >"$TEST_TMPDIR/short" && "$program" --help >"$TEST_TMPDIR/long" &&
		cmp "$TEST_TMPDIR/short" "$TEST_TMPDIR/long" &&
		grep -q "^usage: $name" "$TEST_TMPDIR/short" || {
		echo "FAILED: $program -h"
		failures=$((failures + 1))
	}
	case $name in
	vmm) says "$program" --memory "vmm: --memory: needs a value (vmm --help)" ;;
	many_vcpus) says "$program" --vms "many_vcpus: --vms: needs a value (many_vcpus --help)" ;;
	exit_loop) says "$program" --count "exit_loop: --count: needs a value (exit_loop --help)" ;;
	leaf_reader) says "$program" --reasons "leaf_reader: --reasons: needs a value (leaf_reader --help)" ;;
	esac
done
[ $failures = 0 ]
