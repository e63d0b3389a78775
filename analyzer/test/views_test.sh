#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# views_test.sh ANALYZER DATABASE README - every view has a heading in the
# README, and every query there runs and finds something
analyzer=$1 db=$2 readme=$3
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for view in $("$analyzer" --db "$db" sql --format csv \
	"SELECT name FROM sqlite_schema WHERE type = 'view'" | tail -n +2); do
	grep -qx "### $view" "$readme" || { echo "FAILED: $view is not in the README"; failed=1; }
done

awk -v dir="$work" '/^```sql$/ { n++; on = 1; next } /^```$/ { on = 0 } on { print > (dir "/" n ".sql") }' "$readme"
count=0
for query in "$work"/*.sql; do
	if ! "$analyzer" --db "$db" sql --format csv <"$query" >"$work/out" 2>&1; then
		echo "FAILED: $(cat "$query" "$work/out")"
		failed=1
	elif [ "$(wc -l <"$work/out")" -lt 2 ]; then
		echo "FAILED, nothing found: $(cat "$query")"
		failed=1
	fi
	count=$((count + 1))
done
[ $count -ge 14 ] || { echo "FAILED: only $count queries"; failed=1; }
echo "$count queries run"
exit $failed
