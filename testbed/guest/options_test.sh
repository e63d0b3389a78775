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
	vmm) option=--memory range="32 to 2048" ;;
	many_vcpus) option=--vms range="1 to 1000000" ;;
	exit_loop) option=--count range="1 to 4294967295" ;;
	leaf_reader) option=--reasons range="1 to 65536" ;;
	*) continue ;;
	esac
	says "$program" $option "$name: $option: needs a value ($name --help)"
	for number in 0 -1 +64 0x40 64x 64. 4294967296 99999999999999999999; do
		says "$program" "$option $number" \
			"$name: $option $number: not a number from $range ($name --help)"
	done
	[ "$name" != exit_loop ] || for reason in 0x -1 30x 0x100000000; do
		says "$program" "--read-leaves 0x72,$reason" \
			"$name: --read-leaves $reason: not an exit reason from 0 to 4294967295 ($name --help)"
	done
	# The words must split at the = alone.
	says "$program" $option= "$name: $option : not a number from $range ($name --help)"
done
[ $failures = 0 ]
