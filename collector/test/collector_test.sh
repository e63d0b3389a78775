#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The program from outside: a capture into a database and what wrong input gives.
set -u
collector=$PWD/$1
make_capture=$PWD/$2
count=$PWD/$3
analyzer=$PWD/$4
cd "$TEST_TMPDIR" || exit 1
failures=0

fail() {
	echo "FAILED: $*" >&2
	failures=$((failures + 1))
}

# refuses WORDS ARGUMENT...: status 1, one line that has WORDS, nothing on stdout
refuses() {
	words=$1
	shift
	"$collector" "$@" >out 2>err
	[ $? -eq 1 ] || fail "collector $*: status is not 1"
	[ ! -s out ] || fail "collector $*: writes to stdout"
	[ "$(wc -l <err)" -eq 1 ] || fail "collector $*: not one line: $(cat err)"
	grep -q -- "$words" err || fail "collector $*: no '$words' in: $(cat err)"
}

# gives NUMBER FILE SQL
gives() {
	got=$("$count" "$2" "$3")
	[ "$got" = "$1" ] || fail "$3: $got, not $1"
}

"$make_capture" --records 5000 --vcpus 3 --lose-one-in 100 --seed 1 plain.cap >made || exit 1
"$make_capture" --records 5000 --vcpus 3 --lose-one-in 100 --seed 1 small.cap.gz >made.gz || exit 1
cmp made made.gz || fail "the same seed gives other records"
. ./made # records= dropped= cycles=
[ "$(wc -c <small.cap.gz)" -lt "$(wc -c <plain.cap)" ] || fail ".gz is not compressed"

# as_said FILE: all equations of its newest run hold, that of each vCPU's life up to its end too.
as_said() {
	"$analyzer" --db "$1" verify >verified 2>&1 || fail "verify $1: $(cat verified)"
	grep -q '^life .* 3  *3  *0  *0  equal$' verified || fail "not 3 right lives: $(cat verified)"
}

for file in plain.cap small.cap.gz; do
	rm -f run.sqlite
	"$collector" --from $file --db run.sqlite 2>err || fail "$file: $(cat err)"
	grep -q "^collector: $records records, $dropped dropped" err || fail "closing line: $(cat err)"
	grep -q ": run.sqlite, $(wc -c <run.sqlite | awk '{printf "%.1f", $1 / 1e6}') MB\$" err || fail "size: $(cat err)"
	gives "$records" run.sqlite "SELECT count(*) FROM exit"
	gives "$records" run.sqlite "SELECT sum(n) FROM exit_rollup"
	gives "$cycles" run.sqlite "SELECT sum(cycles) FROM exit"
	gives "$dropped" run.sqlite "SELECT sum(n) FROM loss"
	gives 1 run.sqlite "SELECT count(*) FROM run WHERE state = 'complete' AND source = 'capture' AND host = 'synthetic' AND label = 'made up'"
	gives 4 run.sqlite "SELECT count(*) FROM vmx_capability"
	gives -1 run.sqlite "SELECT value FROM vmx_capability WHERE cpu = 0 AND msr = 0x48c"
	gives 1 run.sqlite "SELECT count(*) FROM vmx_capability WHERE cpu = 1 AND msr = 0x48c AND NOT valid AND value = 0"
	as_said run.sqlite
done

# A capture of a capture is the same capture.
"$collector" --from small.cap.gz --capture copy.cap 2>err || fail "copy: $(cat err)"
cmp plain.cap copy.cap || fail "a copied capture differs"

"$collector" --from plain.cap --db run.sqlite --no-raw --label second 2>err || fail "$(cat err)"
gives 2 run.sqlite "SELECT count(*) FROM run"
gives "$records" run.sqlite "SELECT count(*) FROM exit"
gives 0 run.sqlite "SELECT has_raw FROM run WHERE label = 'second'"

# In chunks: fewer bytes, and the old rows stay rows.
"$collector" --from plain.cap --db run.sqlite --compact --label third 2>err || fail "$(cat err)"
gives "$records" run.sqlite "SELECT sum(n) FROM exit_chunk"
gives "$records" run.sqlite "SELECT count(*) FROM exit"
gives 1 run.sqlite "SELECT has_raw FROM run WHERE label = 'third'"
as_said run.sqlite

# The flight recorder: rows around events alone, sums of all; --keep-rows bounds the rows.
rm -f all.sqlite flight.sqlite
"$collector" --from plain.cap --db all.sqlite 2>err || fail "$(cat err)"
longest=$("$count" all.sqlite "SELECT max(ns) - 1 FROM exits")
"$collector" --from plain.cap --db flight.sqlite --trigger "ns > ${longest}ns" --before 20 --after 10 2>err ||
	fail "--trigger: $(cat err)"
grep -q "^collector: $records records, .* 1 event, .* kept around it (.* others are in sums alone)" err ||
	fail "--trigger: $(cat err)"
gives "$records" flight.sqlite "SELECT sum(n) FROM exit_rollup"
gives "$records" flight.sqlite "SELECT sum(recorded) FROM vcpu"
gives 3 flight.sqlite "SELECT has_raw FROM run"
kept=$("$count" flight.sqlite "SELECT count(*) FROM exit")
[ "$kept" -ge 31 ] && [ "$kept" -le 120 ] || fail "--trigger: $kept rows"
gives 31 flight.sqlite "SELECT count(*) FROM exit WHERE vcpu = (SELECT vcpu FROM exit ORDER BY cycles DESC LIMIT 1)"
gives "$kept" flight.sqlite "SELECT n FROM crosscheck WHERE source = 'trigger' AND name = 'rows'"
gives "$kept" flight.sqlite "SELECT sum(n) FROM crosscheck WHERE source = 'trigger' AND name = 'kept'"
gives 1 flight.sqlite "SELECT n FROM crosscheck WHERE source = 'trigger' AND name = 'expression ns > ${longest}ns'"
"$collector" --from plain.cap --db flight.sqlite --trigger 'ns > 0s' --before 0 --keep-rows 1000 --flush 1us 2>err ||
	fail "--keep-rows: $(cat err)"
grep -q 'of which the last 1000 are there' err || fail "--keep-rows: $(cat err)"
gives 1000 flight.sqlite "SELECT count(*) FROM exit e JOIN vcpu v ON v.id = e.vcpu JOIN vm m ON m.id = v.vm_id WHERE m.run_id = 2"
gives "$kept" flight.sqlite "SELECT count(*) - 1000 FROM exit"
"$collector" --from plain.cap --db flight.sqlite --keep-rows 7 2>err || fail "--keep-rows: $(cat err)"
gives 2 flight.sqlite "SELECT has_raw FROM run WHERE id = 3"
gives "$records" flight.sqlite "SELECT sum(recorded) FROM vcpu v JOIN vm m ON m.id = v.vm_id WHERE m.run_id = 3"
gives "$((kept + 1007))" flight.sqlite "SELECT count(*) FROM exit"
refuses '^collector: --trigger ns > 1: "ns > 1" is not a condition (examples: ' --db new.sqlite --trigger 'ns > 1'
refuses 'that reason is of SVM, and this CPU has VMX$' --from plain.cap --db new.sqlite --trigger 'reason = npf'
refuses '^collector: --no-raw and --trigger: use one of them$' --db new.sqlite --no-raw --trigger 'ns > 1s'
refuses '^collector: --no-raw and --keep-rows: use one of them$' --db new.sqlite --no-raw --keep-rows 5
refuses '^collector: --before and --after: only with --trigger$' --db new.sqlite --before 5
refuses '^collector: --before x: not a number of exits up to 1000000$' --db new.sqlite --before x
refuses '^collector: --after 1000001: not a number of exits up to 1000000$' --db new.sqlite --after 1000001
refuses '^collector: --trigger: with --db, and without --capture$' --capture new.cap --trigger 'ns > 1s'

refuses 'no file to record into'
refuses '^collector: --frobnicate: unknown option (collector --help)$' --db new.sqlite --frobnicate
refuses '^collector: --frobnicate: unknown option (collector --help)$' --db new.sqlite --frobnicate=3
refuses '^collector: -x: unknown option (collector --help)$' --db new.sqlite -x
refuses '^collector: --cr3: takes no value (collector --help)$' --db new.sqlite --cr3=1
refuses '^collector: --db: needs a value (collector --help)$' --db
refuses '^collector: foo: --check-host takes no command (collector --help)$' --check-host foo
refuses '^collector: import: needs a file (collector --help)$' import
for word in check-host help version; do
	refuses "^collector: $word: unexpected word (did you mean --$word?)\$" $word
	refuses "^collector: $word: unexpected word (did you mean --$word?)\$" --db new.sqlite $word
done
refuses '^collector: --duration soon: not a duration (examples: 500ms, 10s, 5m)$' --db new.sqlite --duration soon
for time in 0 -1s +1s 0x10s inf nan 1e3s '1 s' 1,5s 1y; do
	refuses "^collector: --duration $time: not a duration (examples: 500ms, 10s, 5m)\$" --db new.sqlite "--duration=$time"
done
refuses '^collector: --vm 0: not a process id$' --db new.sqlite --vm 0
refuses '^collector: --vm: the name of the VM is empty$' --db new.sqlite --vm ''
refuses '^collector: --run 0: not the number of a run$' --db new.sqlite --run 0
refuses '^collector: --source here: not a source (best, ring, bpf, tracefs)$' --db new.sqlite --source here
refuses '^collector: --no-raw and --keep-raw: use one of them$' --db new.sqlite --no-raw --keep-raw 10s
refuses '^collector: --no-raw and --compact: use one of them$' --db new.sqlite --no-raw --compact
refuses '^collector: --compact and --trigger: use one of them (it keeps rows, which are few)$' --db new.sqlite --compact --trigger 'ns > 1s'
refuses '^collector: --compact and --keep-rows: use one of them (it keeps rows, which are few)$' --db new.sqlite --compact --keep-rows 5
for words in '--rollup 500ms' --compact --no-raw '--keep-raw 10s' '--keep-rows 5'; do
	# shellcheck disable=SC2086 # an option and its value
	refuses 'are for a database (use --db FILE)$' --capture new.cap $words
done
for time in 99ms 300ms 2s 100.5ms 0; do
	refuses "^collector: --rollup $time: not a " --db new.sqlite --rollup "$time"
done
refuses 'only with import' --db new.sqlite --tsc-khz 1000
refuses '^collector: import and --from: use one of them$' import plain.cap --from plain.cap --db new.sqlite
refuses '^collector: --db: the name of the file is empty$' --db ''
refuses '^collector: --source: not with --from or import$' --from plain.cap --db new.sqlite --source ring
for words in '--source ring' '--source bpf' '--from plain.cap'; do
	# shellcheck disable=SC2086 # an option and its value
	refuses '^collector: --trace-buffer: only with --cross-check or --source tracefs$' --db new.sqlite --trace-buffer 64 $words
done
refuses '^collector: --source tracefs: not with --cross-check, --capture, --vm or --cr3$' --db new.sqlite --source tracefs --cr3
refuses '^collector: --ring-records, --reason, --min-time, --one-in and --counts-only: only with --source bpf$' --db new.sqlite --one-in 5
for words in '--capture new.cap' --cross-check --cr3; do
	# shellcheck disable=SC2086 # an option and its value
	refuses '^collector: --counts-only: not with --capture, --cross-check or --cr3, which are about single exits$' --db new.sqlite --source bpf --counts-only $words
done
for words in '--min-time 1us' '--one-in 2'; do
	# shellcheck disable=SC2086 # an option and its value
	refuses '^collector: --counts-only: not with --min-time or --one-in: its histograms are of all exits$' --db new.sqlite --source bpf --counts-only $words
done
for words in --compact '--keep-raw 10s' '--keep-rows 5'; do
	# shellcheck disable=SC2086 # an option and its value
	refuses '^collector: --counts-only: not with --compact, --keep-raw or --keep-rows: it has no single exits$' --db new.sqlite --source bpf --counts-only $words
done
refuses '^collector: --trigger and --counts-only: use one of them$' --db new.sqlite --source bpf --counts-only --trigger 'ns > 1s'
refuses '^collector: import: --duration, --vm and --cr3 are for recordings from the device$' import plain.cap --db new.sqlite --vm 1
refuses '^collector: true: --from takes no COMMAND (.*collector --help)$' --from plain.cap --db new.sqlite -- true
refuses '^collector: two.data: import takes no COMMAND (.*collector --help)$' import one.data two.data --db new.sqlite
refuses '^collector: --: needs a COMMAND (collector --help)$' --db new.sqlite --
refuses '^collector: --one-in 0: not a number from 1 on$' --source bpf --db new.sqlite --one-in 0
refuses 'only for recordings from the device' --capture new.cap --cross-check
refuses 'are for recordings from the device' --from plain.cap --db new.sqlite --duration 10s
refuses 'No such file' --from missing.cap --db new.sqlite
refuses 'is not a capture file (files of perf and trace-cmd: collector import)$' --from err --db new.sqlite
refuses 'the folder must exist' --from plain.cap --db no/folder.sqlite
refuses 'is a folder' --from . --db new.sqlite
refuses 'not a run database' --from plain.cap --db plain.cap
"$count" run.sqlite "CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM exit; END" >/dev/null 2>&1
cp run.sqlite triggered.sqlite
refuses "run.sqlite: not a database of the collector's making: .*(it was left alone; use another --db)" --from plain.cap --db run.sqlite
cmp run.sqlite triggered.sqlite || fail "a refused database was changed"
gives 3 run.sqlite "SELECT count(*) FROM run"
"$count" run.sqlite "DROP TRIGGER t" >/dev/null 2>&1
refuses 'plain.cap: File exists (--capture makes a new file: name another one)$' --from plain.cap --capture plain.cap
# A host that can record would do it without an end.
"$collector" --check-host | grep -q 'can record on this host' ||
	refuses 'no source of records' --db new.sqlite
[ ! -e new.sqlite ] || fail "a database is left"

# New files are their owner's alone.
for file in run.sqlite copy.cap; do
	[ "$(stat -c %a $file)" = 600 ] || fail "$file: $(stat -c %a $file), not 600"
done

# Cut before the first record: one line, status 1 and no new run. Cut later: what is before the cut.
bytes=$(wc -c <plain.cap)
for at in 0 10 63 64 70 100 500; do
	head -c $at plain.cap >cut.cap
	refuses 'cut off\|not a capture' --from cut.cap --db new.sqlite
	[ ! -e new.sqlite ] || fail "a cut capture left a database"
done
before=0
for at in 5000 5100 5128 100000 $((bytes / 2)) $((bytes - 1)); do
	head -c $at plain.cap >cut.cap
	refuses 'cut off at byte .*; the .* records before it are kept, as an interrupted run' \
		--from cut.cap --db cut.sqlite
	kept=$("$count" cut.sqlite "SELECT count(*) FROM exit")
	whole=$((at / 192))
	[ "$kept" -gt $((whole * 9 / 10 - 25)) ] && [ "$kept" -le "$whole" ] && [ "$kept" -ge $before ] ||
		fail "cut at $at: $kept records"
	gives 1 cut.sqlite "SELECT count(*) FROM run WHERE state = 'interrupted' AND tsc_end > tsc_start"
	before=$kept
	rm cut.sqlite
done
[ "$before" -eq "$records" ] || fail "cut at the last byte: $before of $records records"
head -c 20000 small.cap.gz >cut.cap.gz
refuses 'cut off' --from cut.cap.gz --db cut.sqlite
[ "$("$count" cut.sqlite "SELECT count(*) FROM exit")" -gt 100 ] || fail "nothing of a cut .gz"
printf more >>copy.cap
refuses 'after the end' --from copy.cap --db new.sqlite

# Damaged anywhere: refused, or a value differs; never a crash, never a half run.
"$make_capture" --records 50 --vcpus 2 --seed 2 tiny.cap >/dev/null
bytes=$(wc -c <tiny.cap)
at=0
while [ $at -lt "$bytes" ]; do
	cp tiny.cap bad.cap
	printf '\377' | dd of=bad.cap bs=1 seek=$at conv=notrunc status=none
	"$collector" --from bad.cap --db bad.sqlite >out 2>err
	status=$?
	[ $status -le 1 ] || fail "damaged at $at: status $status"
	[ "$(wc -l <err)" -eq 1 ] || fail "damaged at $at: $(cat err)"
	if [ $status -eq 1 ] && [ -e bad.sqlite ]; then
		fail "damaged at $at: left a database"
	fi
	rm -f bad.sqlite
	at=$((at + 127))
done

"$collector" --help >out 2>err || fail "--help: status"
grep -q Examples out || fail "--help: no examples"
[ ! -s err ] || fail "--help: writes to stderr"
[ "$(awk 'length > 80' out)" = "" ] || fail "--help: lines over 80 columns"
for words in "-h" "--db x -h" "import -h" "import --help"; do
	# shellcheck disable=SC2086 # several words
	"$collector" $words >again 2>err || fail "$words: $(cat err)"
	cmp out again || fail "$words: not the help"
done

# stdout that can't take it
for words in --help --version --check-host; do
	"$collector" $words >/dev/full 2>err
	[ $? -eq 1 ] || fail "$words >/dev/full: status is not 1"
	[ "$(cat err)" = "collector: standard output: No space left on device" ] || fail "$words >/dev/full: $(cat err)"
done

[ $failures -eq 0 ]
