#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# old_files_test.sh ANALYZER FILE.gz... - files of older schema versions are read as they are: every
# command works, what they lack is unknown, and the file stays unchanged
analyzer=$(realpath "$1")
shift
files=$(for file; do realpath "$file"; done)
cd "$(mktemp -d)" || exit 1
failed=0 count=0

fail() {
	echo "FAILED: $*"
	failed=1
}

# works TEXT [ARG...]: the command ends with 0 and prints TEXT (empty: anything)
works() {
	text=$1
	shift
	"$analyzer" --db old.sqlite "$@" >out 2>&1 || fail "$*: $(cat out)"
	[ -z "$text" ] || grep -q -- "$text" out || fail "$*: no '$text' in: $(head -5 out)"
	count=$((count + 1))
}

# Their records are made up: times without their flags (0x40 HALTED, 0x80 PREEMPTED), exits of KVM's own
# (0x8 SYNTH) that don't begin at the end of the exit before, and vCPUs whose end is not recorded.
against_life="WITH pairs AS (
	SELECT e.*, lag(seq) OVER before AS last_seq, lag(tsc + cycles) OVER before AS last_end
	FROM exit e
	WINDOW before AS (PARTITION BY vcpu ORDER BY e.rowid)
)
SELECT v.vcpu_id, sum((p.halted_cycles > 0 AND p.flags & 0x40 = 0)
	OR (p.preempted_cycles > 0 AND p.flags & 0x80 = 0)
	OR (p.flags & 8 > 0 AND p.seq = p.last_seq + 1 AND p.tsc > p.last_end)) + v.ended
FROM pairs p JOIN vcpu v ON v.id = p.vcpu JOIN vm ON vm.id = v.vm_id
WHERE vm.run_id = 1
GROUP BY v.id ORDER BY v.id"

# verifies FILE: equation life finds exactly these in run 1; all other equations hold.
verifies() {
	"$analyzer" --db old.sqlite verify --run 1 >out 2>&1
	grep -q 'whose parts add up' out || fail "verify of $1: $(cat out)"
	! grep UNEXPLAINED out | grep -v '^EQUATION\|^life ' || fail "verify of $1"
	"$analyzer" --db old.sqlite verify --run 1 --format csv 2>err | awk -F , '$1 == "life" { print $4 "," $10 }' >found
	"$analyzer" --db old.sqlite sql --format csv "$against_life" | tail -n +2 >expected
	[ -s expected ] && cmp -s found expected || fail "verify of $1: life finds $(cat found), not $(cat expected)"
	count=$((count + 1))
}

for file in $files; do
	gunzip -c "$file" >old.sqlite
	before=$(cksum old.sqlite)

	works MSR_WRITE top-exits --run 1
	works MSR_WRITE top-exits --run 2
	works MSR_WRITE top-exits --run 1 --exact
	works HANDLER slowest --run 1
	works HLT list --run 1 --limit 0 --format csv
	works 'does not tell them apart' states --run 1
	works '"polled": *null' states --run 1 --format json
	works 'HALTS' ipi --run 1
	works 'MEANING' top-exits --run 1 --by region
	verifies "$file"
	works ',polled_ns,value,' export --run 1 --format csv
	works '"seq":' export --run 1 --format ndjson
	works '' report --run 1 --html page.html
	works '^0$' sql --format csv "SELECT count(polled_ns) + count(value) + count(requests) + count(entry_event)
		+ count(run_errno) + (SELECT count(polled_cycles) FROM rollups) FROM exits"

	rm -f plain.sqlite
	works '' export --run 1 --format rows --output plain.sqlite
	rows=$("$analyzer" --db old.sqlite sql --format csv "SELECT count(*) FROM exits WHERE run = 1" | tail -n 1)
	[ "$rows" -gt 0 ] || fail "no rows in $file"
	[ -s plain.sqlite ] || fail "nothing exported from $file"

	[ "$before" = "$(cksum old.sqlite)" ] || fail "$file: changed"
	rm -f page.html
done
echo "$count commands tried"
[ "$count" -gt 30 ] || exit 1
exit $failed
