#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# stamps_test.sh ANALYZER EXEC FIXTURE - compare of two runs whose times are taken in different
# places tells of no change of a time, and says why
analyzer=$(realpath "$1") exec=$(realpath "$2") fixture=$(realpath "$3")
cd "$(mktemp -d)" || exit 1
failed=0

# expect A B NOTE: with these sources of runs 1 and 2: NOTE, and no change of a time; "": no note
expect() {
	cp "$fixture" db && chmod u+w db
	echo "UPDATE run SET source = '$1' WHERE id = 1; UPDATE run SET source = '$2' WHERE id = 2" >change.sql
	"$exec" db change.sql || exit 1
	"$analyzer" --db db compare 1 2 --format csv >out 2>&1
	change=$(awk -F, '/^30,/ { print $13 }' out)
	"$analyzer" --db db compare 1 2 >out 2>&1
	if { [ -n "$3" ] && ! grep -qF "$3" out; } || { [ -z "$3" ] && grep -q 'tracepoints' out; } ||
		{ [ -n "$3" ] && [ -n "$change" ]; } || { [ -z "$3" ] && [ -z "$change" ]; }; then
		echo "FAILED: $1 and $2: change '$change'"
		cat out
		failed=1
	fi
}

expect device capture ''
expect bpf bpf ''
expect bpf tracefs ''
expect device bpf "A's times are taken in KVM (source device), B's at its tracepoints (source bpf)"
expect tracefs capture "B's times are taken in KVM (source capture), A's at its tracepoints (source tracefs)"
exit $failed
