#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# import_test.sh COLLECTOR QUERY PERF_DATA.gz PERF_REPORT TRACE_DAT - recordings of other
# tools, against what these tools say of them; and what a guest read
set -u
collector=$PWD/$1 query=$PWD/$2
perf_data=$PWD/$3 report=$PWD/$4 trace_dat=$PWD/$5
cd "$TEST_TMPDIR" || exit 1
failures=0

fail() {
	echo "FAILED: $*" >&2
	failures=$((failures + 1))
}

# gives NUMBER FILE SQL
gives() {
	got=$("$query" "$2" "$3")
	[ "$got" = "$1" ] || fail "$3: $got, not $1"
}

# refuses WORDS FILE ARGUMENT...: status 1, one line with WORDS, and no database made
refuses() {
	words=$1
	shift
	rm -f none.sqlite
	"$collector" import "$@" 2>err
	[ $? -eq 1 ] || fail "import $*: status is not 1"
	[ "$(wc -l <err)" -eq 1 ] || fail "import $*: not one line: $(cat err)"
	grep -q -- "$words" err || fail "import $*: no '$words' in: $(cat err)"
	[ ! -e none.sqlite ] || fail "import $*: leaves a database"
}

# perf.data: the same count, mean and longest time by reason as perf kvm stat report
gunzip -c "$perf_data" >perf.data
"$collector" import perf.data --db run.sqlite 2>err || fail "perf.data: $(cat err)"
rows=0
while read -r name samples _ _ _ max mean _; do
	case $name in
	cpuid) code=114 ;; npf) code=1024 ;; hlt) code=120 ;; io) code=123 ;;
	msr) code=124 ;; interrupt) code=96 ;;
	*) continue ;;
	esac
	rows=$((rows + 1))
	where="FROM exit WHERE reason = $code"
	gives "$samples" run.sqlite "SELECT count(*) $where"
	# perf prints us with two digits; ours are ns
	gives 1 run.sqlite "SELECT abs(max(cycles) / 1000.0 - ${max%us}) < 0.006 $where"
	gives 1 run.sqlite "SELECT abs(avg(cycles) / 1000.0 - ${mean%us}) < 0.006 $where"
done <"$report"
[ $rows -eq 6 ] || fail "$rows reasons in perf's report, not 6"
gives "$(sed -n 's/Total Samples:\([0-9]*\),.*/\1/p' "$report")" run.sqlite \
	"SELECT count(*) FROM exit"
gives 0 run.sqlite "SELECT has_split FROM run"
gives 1 run.sqlite "SELECT count(*) FROM vcpu"
gives 1 run.sqlite "SELECT state = 'complete' AND source = 'perf.data' FROM run"

# trace.dat: trace-cmd report shows 126 kvm_exit events, the last without an entry
"$collector" import "$trace_dat" --db run.sqlite --label t 2>err || fail "trace.dat: $(cat err)"
trace="FROM vcpu c JOIN vm ON vm.id = c.vm_id WHERE run_id = 2"
gives 126 run.sqlite "SELECT recorded + open_exits $trace"
gives 0 run.sqlite "SELECT dropped $trace"
gives 40 run.sqlite "SELECT count(*) FROM exits WHERE run = 2 AND reason_name = 'CPUID'"
refuses "not TSC cycles but those of the clock global" "$trace_dat" --db none.sqlite --tsc-khz 2600000
refuses "not TSC cycles (leave --tsc-khz out)" perf.data --db none.sqlite --tsc-khz 2600000

# Damaged files: cut off at every kind of place, and one that is none
for bytes in 8 90 500 1200 40000; do
	head -c $bytes perf.data >cut.data
	refuses "cut.data: " cut.data --db none.sqlite
done
head -c 3000 "$trace_dat" >cut.dat
refuses "cut.dat: " cut.dat --db none.sqlite
: >empty
refuses "is empty" empty --db none.sqlite
echo hello >hello
refuses "not a perf.data, a trace.dat" hello --db none.sqlite
refuses "No such file" missing --db none.sqlite
refuses "no file to record into" perf.data

# Leaf readings go to a run that is there, all or none
cat >leaves.txt <<'END'
L2| LEAF    0x4fffffff 0x00: eax=0x00000010 ebx=0x00000000 ecx=0x00000000 edx=0x00000000
   0x4ffffffc 0x0a: eax=0x00000000 ebx=0x00000001 ecx=0x80000000 edx=0x00000000
END
refuses "No such file" leaves.txt --db none.sqlite
"$collector" import leaves.txt --db run.sqlite --run 1 2>err || fail "leaves: $(cat err)"
"$collector" import leaves.txt --db run.sqlite --run 1 2>err || fail "leaves: $(cat err)"
gives 4 run.sqlite "SELECT count(*) FROM leaf_reading WHERE run_id = 1"
gives 1 run.sqlite "SELECT leaf = 0x4ffffffc AND reason = 10 AND ecx = 0x80000000 FROM leaf_reading WHERE seq = 4"
"$collector" import leaves.txt --db run.sqlite --run 7 2>err && fail "run 7: status 0"
grep -q "no such run" err || fail "run 7: $(cat err)"
gives 4 run.sqlite "SELECT count(*) FROM leaf_reading"

[ $failures -eq 0 ]
