#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# views_test.sh ANALYZER DATABASE README EXEC - every view has a heading in the
# README, and every query there runs and finds something
analyzer=$1 db=$2 readme=$3 exec=$4
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

# All bits of a VMX exit reason that the manual defines have a name.
cp "$db" "$work/bits.sqlite"
chmod u+w "$work/bits.sqlite"
echo "UPDATE exit SET reason = reason & 0xffff | 0xbe000000 WHERE rowid = (SELECT min(id) FROM exits WHERE run = 1)" >"$work/bits.sql"
"$exec" "$work/bits.sqlite" "$work/bits.sql"
flags=$("$analyzer" --db "$work/bits.sqlite" sql --format csv "SELECT reason_flags FROM exits WHERE run = 1 ORDER BY id LIMIT 1" | tail -n 1)
[ "$flags" = '"failed_vmentry,vmx_root,pending_mtf,enclave,bus_lock,busy_shadow_stack"' ] ||
	{ echo "FAILED: reason_flags is $flags"; failed=1; }
exit $failed
