#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What nested paging spares a guest's boot, and what it brings, in the two recorded boots.
#	paging_shapes_test.sh COLLECTOR ANALYZER NESTED.cap.gz SHADOW.cap.gz
set -eu
collector=$1 analyzer=$2
db=$TEST_TMPDIR/shapes.sqlite
"$collector" --from "$3" --db "$db" 2>/dev/null
"$collector" --from "$4" --db "$db" 2>/dev/null
failed=0

# exits RUN REASON
exits() {
	"$analyzer" --db "$db" sql --format csv "SELECT coalesce(sum(exits), 0) FROM rollups
		WHERE run = $1 AND basic_reason = $2" | tail -n 1
}

# expect REASON CONDITION: of n (nested paging) and s (shadow paging)
expect() {
	n=$(exits 1 "$1") s=$(exits 2 "$1")
	if [ "$((n)) $((s))" = "$n $s" ] && [ $(($2)) = 1 ]; then
		echo "ok: reason $1: $n -> $s: $2"
	else
		echo "FAILED: reason $1: $n -> $s: not $2"
		failed=1
	fi
}

expect 48 'n > 10000 && s == 0'
expect 49 's == 0'
expect 33 'n == 0'
expect 14 'n == 0 && s > 100'
expect 0 's > 5 * n + 1000'
expect 28 's > 5 * n'
exit $failed
