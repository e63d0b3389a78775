#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A recorded capture through collector and analyzer, compared with what is known of it.
# usage: golden_test.sh COLLECTOR ANALYZER QUERY CAPTURE RECORDED.SQL GOLDEN [--write]
set -u
collector=$1 analyzer=$2 query=$3 capture=$4 sql=$5 golden=$6
folder=${TEST_TMPDIR:-$(mktemp -d)}
db=$folder/run.sqlite


# columns NAME...: these columns of the CSV on standard input (no field of it has a comma).
columns() {
	awk -F, -v OFS=, -v names="$*" '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; n = split(names, name, " ") }
		{
			for (i = 1; i <= n; i++)
				printf "%s%s", name[i] in at ? $at[name[i]] : "no column " name[i], i < n ? OFS : "\n"
		}'
}

"$collector" --from "$capture" --db "$db" || exit 1
{
	"$query" "$db" "$(cat "$sql")" || exit 1
	"$analyzer" --db "$db" top-exits --format csv 2>/dev/null |
		columns reason name exits share per_s time_ns
} >"$folder/now"
if [ "${7:-}" = --write ]; then
	cp "$folder/now" "$golden"
	exit
fi
# Roll-ups alone give the same table, whatever their interval, and verify agrees.
"$analyzer" --db "$db" top-exits --format csv >"$folder/rows.csv" 2>/dev/null
for interval in 100ms 500ms 1s; do
	rm -f "$folder/rollups.sqlite"
	"$collector" --from "$capture" --db "$folder/rollups.sqlite" --no-raw --rollup $interval || exit 1
	"$analyzer" --db "$folder/rollups.sqlite" top-exits --format csv >"$folder/rollups.csv" 2>/dev/null
	cmp "$folder/rows.csv" "$folder/rollups.csv" || exit 1
	"$analyzer" --db "$folder/rollups.sqlite" verify >"$folder/verify" || {
		cat "$folder/verify"
		exit 1
	}
	"$analyzer" --db "$folder/rollups.sqlite" timeline >"$folder/timeline" || exit 1
done

# The same from chunks.
"$collector" --from "$capture" --db "$folder/chunks.sqlite" --compact || exit 1
for question in "top-exits --exact" "top-exits --by subkey" "top-exits --by rip" "latency --exact" verify; do
	for form in rows chunks; do
		file=$folder/chunks.sqlite
		[ $form = chunks ] || file=$db
		# shellcheck disable=SC2086 # the question's words
		"$analyzer" --db "$file" $question --format csv >"$folder/$form" 2>/dev/null || exit 1
	done
	diff "$folder/rows" "$folder/chunks" || exit 1
done
diff -u "$golden" "$folder/now"
