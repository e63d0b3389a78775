#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# verify_test.sh ANALYZER EXEC SCHEMA... - from a run whose sources all agree,
# change one thing and see which equation notices, or how it is explained
analyzer=$(realpath "$1") exec=$(realpath "$2")
shift 2
sources=$(for file; do realpath "$file"; done)
cd "$(mktemp -d)" || exit 1
failed=0 count=0
# shellcheck disable=SC2086 # a list of files
"$exec" base $sources || exit 1

# expect STATUS TEXT SQL: with SQL done to the run, verify ends so and says so
expect() {
	count=$((count + 1))
	cp base db
	echo "PRAGMA synchronous = OFF; $3" >change.sql
	"$exec" db change.sql || exit 1
	"$analyzer" --db db verify --all >out 2>&1
	status=$?
	if [ $status != "$1" ] || ! grep -Eq -- "$2" out; then
		echo "FAILED: status $status, expected $1 and '$2': $3"
		cat out
		failed=1
	fi
}

total='UPDATE crosscheck SET n = n'
of="WHERE reason = 10 AND source ="

expect 0 'reasons .* equal' ''
expect 0 'leaf .* equal' ''
expect 0 'open .* equal' ''
for equation in records reasons cycles parts life synthesized losses store minimum maximum first last tracefs match open time entries \
	perf_exit perf_entry kvm_stat kvm_stat_run leaf shape; do
	expect 0 "^$equation .* 0  (equal|explained)" ''
done

# The ring and the file against the totals
expect 1 'records .* 18 .*UNEXPLAINED' "$total + 1 $of 'totals'"
expect 0 '1 dropped .*explained' "$total + 1 $of 'totals';
	INSERT INTO crosscheck VALUES (1, 1, 'totals_dropped', 'exits', 10, 1, NULL),
	(1, 1, 'match', 'gap', 10, 1, NULL); $total + 1 $of 'tracefs_exit';
	INSERT INTO loss VALUES (1, 3, 1, NULL, NULL); $total + 1 WHERE source LIKE 'kvm_stat%';
	$total + 1 WHERE source LIKE 'perf%' OR source = 'tracefs_entry'; DELETE FROM leaf_reading"
# Dropped, but not traced either: that no drop explains, unless events were lost.
dropped="$total + 1 $of 'totals'; $total + 1 WHERE source LIKE 'kvm_stat%';
	INSERT INTO crosscheck VALUES (1, 1, 'totals_dropped', 'exits', 10, 1, NULL);
	INSERT INTO loss VALUES (1, 3, 1, NULL, NULL); DELETE FROM leaf_reading"
expect 1 'tracefs .* 1 .*UNEXPLAINED' "$dropped"
expect 0 'tracefs .* 1 .*lost on both sides' "$dropped; UPDATE crosscheck SET n = 2 WHERE source = 'tracefs_lost'"
expect 1 'losses .*UNEXPLAINED' "INSERT INTO loss VALUES (1, 3, 1, NULL, NULL)"
expect 1 'cycles .*UNEXPLAINED' "UPDATE crosscheck SET cycles = 4999 $of 'totals'"
expect 1 'store .*UNEXPLAINED' 'DELETE FROM exit WHERE seq = 5'
expect 1 'parts .*ROWS WITH PARTS OF MORE' 'UPDATE exit SET halted_cycles = 501 WHERE seq = 5'
expect 1 'parts .*ROWS WITH PARTS OF MORE' 'UPDATE exit SET polled_cycles = 1 WHERE seq = 5'
expect 1 'parts .*ROWS WITH PARTS OF MORE' \
	'DELETE FROM leaf_reading; UPDATE exit SET halted_cycles = 501 WHERE seq = 5'
expect 1 'parts .*IN SUMS WITH PARTS OF MORE' 'UPDATE exit_rollup SET userspace_cycles = 1 + cycles WHERE reason = 10'
expect 1 'parts .*IN SUMS WITH PARTS OF MORE' 'UPDATE exit_rollup SET polled_cycles = 1 WHERE reason = 10'
expect 1 'parts .* 2 WHOSE PARTS DO NOT ADD UP' "INSERT INTO crosscheck VALUES (1, 1, 'records', 'parts differ', NULL, 2, NULL)"
expect 1 '7 CYCLES OF HALTED TIME DIFFER' "INSERT INTO crosscheck VALUES (1, 1, 'totals_time', 'halted', 10, 0, 7)"
split="INSERT INTO crosscheck VALUES (1, 1, 'totals_time', 'halted', 10, 0, 7), (1, 1, 'totals_time', 'polled', 10, 0, 3);
	UPDATE exit_rollup SET halted_cycles = 7, polled_cycles = 3 WHERE reason = 10"
expect 0 '^split .* CPUID .* 7 .* equal' "$split"
expect 1 '1 CYCLES OF POLLED TIME DIFFER' "$split; UPDATE exit_rollup SET polled_cycles = 4 WHERE reason = 10"
expect 1 '2 CYCLES OF PREEMPTED TIME DIFFER' "$split; UPDATE exit_rollup SET preempted_cycles = 2 WHERE reason = 10"
expect 1 'store .*UNEXPLAINED' "INSERT INTO exit_hist_packed VALUES (1, 0, 10, '%', NULL)"
expect 1 'store .*UNEXPLAINED' 'UPDATE exit_hist SET n = n + 1 WHERE reason = 10'
expect 1 'synthesized .*UNEXPLAINED' 'UPDATE exit_rollup SET n_synth = 4 WHERE n_synth > 0'
expect 1 'records .*UNEXPLAINED' 'UPDATE vcpu SET open_exits = 0'
expect 1 'records .*UNEXPLAINED' "UPDATE vcpu SET open_exits = 2; $total + 1 $of 'totals'"

# The life of an exit; life_test.py has all that can be wrong with it
expect 1 'life .* 16 +15 .* FIRST AT SEQ 5: EVENT exit IN STATE in_guest: 1 CYCLES BEFORE THE END OF THE EXIT BEFORE IT' \
	'UPDATE exit SET tsc = 4499 WHERE seq = 5'
expect 1 'FIRST AT SEQ 5: EVENT halt IN STATE handled: 20 CYCLES WITHOUT A FLAG' \
	'UPDATE exit SET halted_cycles = 20 WHERE seq IN (5, 6)'
expect 1 'life .* 16 +15 .* FIRST AT SEQ 15: EVENT destroy IN STATE handled: NOT RECORDED' 'UPDATE vcpu SET ended = 1'
expect 0 'life .* equal' "UPDATE vcpu SET ended = 1; UPDATE run SET state = 'interrupted'"
expect 0 'life: not checked' 'UPDATE run SET has_raw = 0; DELETE FROM exit; DELETE FROM leaf_reading'

# The extremes of roll-ups against their rows
rolled='UPDATE exit_rollup SET'
expect 1 'minimum .*UNEXPLAINED' "$rolled min_cycles = 499 WHERE reason = 10"
expect 1 'REASON 10 IN INTERVAL 0: 0, ITS ROWS 500' "$rolled min_cycles = 0 WHERE reason = 10"
expect 1 'maximum .*UNEXPLAINED' "$rolled max_cycles = 501 WHERE reason = 10"
expect 1 'maximum .*UNEXPLAINED' 'UPDATE exit SET cycles = 501 WHERE seq = 5'
expect 1 'first .*UNEXPLAINED' "$rolled first_tsc = first_tsc + 1 WHERE reason = 10"
expect 1 'last .*UNEXPLAINED' "$rolled last_tsc = last_tsc + 1 WHERE reason = 12"
expect 1 'INTERVAL 7: .*, ITS ROWS none' "$rolled slot = 7 WHERE reason = 10"
expect 0 'minimum .* equal' "$rolled min_cycles = NULL, first_tsc = NULL"

# ... in each interval, also where the run as a whole has them right
intervals='UPDATE run SET rollup_cycles = 4000, hist_cycles = 20000; DELETE FROM exit_rollup;
	INSERT INTO exit_rollup SELECT vcpu, tsc / 4000, reason, count(*), sum(cycles), 0, 0, 0, min(cycles),
	max(cycles), 0, 0, 0, sum(flags & 8) / 8, min(tsc), max(tsc), NULL FROM exit GROUP BY vcpu, tsc / 4000, reason'
expect 0 'maximum .* 5 .* 5 .* equal' "$intervals"
expect 1 'maximum .* 5 .* 4 .*UNEXPLAINED' "$intervals; $rolled max_cycles = 499 WHERE slot = 2"
expect 1 'first .* 5 .* 4 .*UNEXPLAINED' "$intervals; $rolled first_tsc = first_tsc - 1 WHERE slot = 2"

# Sums that no integer holds are an error, not a number; so is a histogram that is no text of buckets
expect 1 'roll-ups add up to more than 64 bits' "$intervals; $rolled halted_cycles = 0x7000000000000000"
expect 1 'a histogram is not a text of buckets' "INSERT INTO exit_hist_packed VALUES (1, 0, 10, '!!!' || char(7), NULL)"

# ... and without rows, by the histograms
no_rows='UPDATE run SET has_raw = 0; DELETE FROM exit; DELETE FROM leaf_reading'
expect 0 'buckets .* equal' "$no_rows"
expect 1 'buckets .*UNEXPLAINED' "$no_rows; $rolled min_cycles = 0, first_tsc = 0 WHERE reason = 10"
expect 1 'buckets .*UNEXPLAINED' "$no_rows; $rolled max_cycles = 520 WHERE reason = 10"
expect 1 'buckets .*UNEXPLAINED' "$no_rows; UPDATE exit_hist SET bucket = 252 WHERE reason = 10"
expect 0 'buckets .* equal' "$no_rows; $rolled min_cycles = NULL, first_tsc = NULL"
expect 0 'minimum: not checked' "$no_rows"
expect 0 'buckets: not checked' ''

# The sums over long intervals
coarse='INSERT INTO exit_rollup_coarse SELECT vcpu, level, 0, reason, n, cycles, halted_cycles, userspace_cycles,
	preempted_cycles, min_cycles, max_cycles, n_fastpath, n_nested, n_user, n_synth, first_tsc, last_tsc,
	polled_cycles FROM exit_rollup JOIN (SELECT 1 AS level UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5);
	INSERT INTO exit_hist_total SELECT vcpu, part, reason, bucket, n FROM exit_hist'
expect 0 'coarse: not checked' ''
expect 0 'coarse .* equal' "$coarse"
expect 0 'coarse .* equal' "$rolled min_cycles = NULL, first_tsc = NULL WHERE reason = 12; $coarse"
for change in n=n+1 cycles=cycles+1 halted_cycles=1 polled_cycles=1 min_cycles=0 min_cycles=NULL max_cycles=501 n_user=1 first_tsc=0 \
	first_tsc=NULL last_tsc=0; do
	expect 1 'coarse .*UNEXPLAINED' "$coarse; UPDATE exit_rollup_coarse SET $change WHERE level = 5 AND reason = 10"
	expect 1 'coarse .*UNEXPLAINED' "$coarse; UPDATE exit_rollup_coarse SET $change WHERE level = 2 AND reason = 10"
done
expect 1 'coarse .*UNEXPLAINED' "$coarse; DELETE FROM exit_rollup_coarse WHERE level = 3 AND reason = 10"
expect 1 '1 HISTOGRAM DIFFERS' "$coarse; UPDATE exit_hist_total SET n = n + 1 WHERE reason = 10"
packed="$coarse; DELETE FROM exit_hist; DELETE FROM exit_hist_total; INSERT INTO exit_hist_packed VALUES (1, 0, 10, '%', NULL);
	INSERT INTO exit_hist_total VALUES (1, 0, 10, 0, 2), (1, 1, 10, 0, 2)"
expect 1 'coarse .* 0  equal' "$packed"
expect 1 '1 HISTOGRAM DIFFERS' "$packed; UPDATE exit_hist_packed SET handler_cycles = '#'"
expect 1 '1 HISTOGRAM DIFFERS' "$coarse; UPDATE exit_hist_total SET bucket = 9 WHERE reason = 10"

# The tracepoints
expect 1 'tracefs .*UNEXPLAINED' "$total + 1 $of 'tracefs_exit'"
expect 0 '1 traced after it, 1 unread, lost on both sides, or open' \
	"UPDATE crosscheck SET name = 'after' WHERE name = 'open'"
expect 0 '3 traced before recording .*explained' "$total + 3 $of 'tracefs_exit';
	$total + 3 WHERE source LIKE 'perf%' OR source = 'tracefs_entry';
	INSERT INTO crosscheck VALUES (1, 1, 'match', 'before', 10, 3, NULL)"
expect 1 'TRACED WITHOUT A RECORD' "INSERT INTO crosscheck VALUES (1, 1, 'match', 'trace_only', 10, 1, NULL)"
# Where vCPUs are not in the recording, as many events may be theirs; one more is not.
unseen="INSERT INTO crosscheck VALUES (1, NULL, 'ring', 'lost_exits', NULL"
traced="(1, 1, 'match', 'trace_only', 10, 3, NULL), (1, 1, 'tracefs_exit', 'traced', 10, 0, NULL)"
expect 0 '3 of a vCPU that is not in the recording' "$unseen, 3, NULL), $traced"
expect 1 'TRACED WITHOUT A RECORD' "$unseen, 2, NULL), $traced"
expect 0 '2 traced and filtered out' "$total + 2 $of 'tracefs_exit'; $total + 2 $of 'totals';
	$total + 2 WHERE source LIKE 'perf%' OR source = 'tracefs_entry' OR source LIKE 'kvm_stat%';
	INSERT INTO crosscheck VALUES (1, 1, 'match', 'trace_only', 10, 2, NULL),
	(1, 1, 'totals_filtered', 'exits', 10, 2, NULL); DELETE FROM leaf_reading"
expect 1 'RECORDED WITHOUT A TRACE EVENT' "INSERT INTO crosscheck VALUES (1, 1, 'match', 'record_only', 10, 1, NULL)"
expect 1 'OF ANOTHER REASON' "INSERT INTO crosscheck VALUES (1, 1, 'match', 'differ', 10, 1, NULL)"
expect 0 '4 recorded where events were lost' "$total - 4 WHERE reason = 10 AND (source = 'tracefs_exit'
	OR name = 'matched'); INSERT INTO crosscheck VALUES (1, 1, 'match', 'untraced', 10, 4, NULL);
	UPDATE crosscheck SET n = 8 WHERE source = 'tracefs_lost'; $total - 4 WHERE source = 'tracefs_entry'"
expect 1 'open .*UNEXPLAINED' "UPDATE vcpu SET open_exits = 0"
expect 1 'SHORTER THAN THE TRACED INTERVAL' "INSERT INTO crosscheck VALUES (1, 1, 'match', 'shorter', 10, 1, NULL)"
expect 1 'UP TO THE NEXT EXIT' "INSERT INTO crosscheck VALUES (1, 1, 'match', 'overlaps', 10, 1, NULL)"
expect 1 'entries .*UNEXPLAINED' "$total + 5 WHERE source = 'tracefs_entry'"
expect 0 '5 VM entries that failed with VMfail' "$total + 5 WHERE source = 'tracefs_entry' OR source LIKE 'kvm_stat%';
	UPDATE vcpu SET vmfail = 5"
expect 0 '1 at the edges' "$total + 1 WHERE source = 'tracefs_entry'"

# Entries of a fastpath that KVM neither traces nor counts (VMX on 5.10)
again="INSERT INTO crosscheck VALUES (1, 1, 'tracefs_entry', 'reentered', NULL, 3, NULL)"
uncounted="$again; $total - 3 WHERE source = 'tracefs_entry' AND name = 'entries' OR source = 'perf_entry'
	OR source = 'kvm_stat_vm' AND name = 'exits'"
for equation in entries kvm_stat kvm_stat_run; do
	expect 0 "^$equation .* 3 entered again by a fastpath, not (traced|counted) .*explained" "$uncounted"
	expect 1 "^$equation .*UNEXPLAINED" "$again"
done
for equation in entries kvm_stat; do
	expect 1 "^$equation .*UNEXPLAINED" "$uncounted; $total - 2 WHERE name = 'reentered'"
done
unread='UPDATE vcpu SET unread = 2 WHERE id = 1'
expect 0 'kvm_stat .* 2 the same, before the recording' "$uncounted; $unread; $total - 2 WHERE source = 'kvm_stat_vm'"
expect 1 'kvm_stat .*UNEXPLAINED' "$uncounted; $unread; $total - 3 WHERE source = 'kvm_stat_vm'"

# Older kernels trace a VM entry before they find that they must emulate: two exits were synthesized
emulated="UPDATE exit_rollup SET n_synth = 3 WHERE vcpu = 1 AND reason = 10 AND slot = (
	SELECT min(slot) FROM exit_rollup WHERE vcpu = 1 AND reason = 10 AND n >= 3)"
entries="WHERE source = 'tracefs_entry' AND name = 'entries'"
expect 1 '^entries .* 5 entries that KVM traced and then emulated .*explained' "$emulated; $total + 5 $entries"
expect 1 '^entries .*UNEXPLAINED' "$emulated; $total + 7 $entries"

# The counters
expect 1 'perf_exit .*UNEXPLAINED' "$total + 1 WHERE source = 'perf_exit' AND name = 'count'"
expect 1 'perf_exit .*UNEXPLAINED' "$total - 1 WHERE source = 'perf_exit' AND name = 'count'"
expect 0 '1 at the edges' "$total + 1 WHERE source = 'perf_exit' AND name = 'at most'"
expect 1 'kvm_stat .*UNEXPLAINED' "$total + 1 WHERE source = 'kvm_stat_vm'"
expect 1 'kvm_stat_run .*UNEXPLAINED' "$total + 1 WHERE source LIKE 'kvm_stat%'"
expect 0 '1 while it was read' "$total + 1 WHERE source = 'kvm_stat_bound' AND name = 'at most'"

# The guest's view
expect 1 'leaf .*UNEXPLAINED' 'UPDATE leaf_reading SET eax = 14 WHERE seq = 1'
expect 1 'leaf .*UNEXPLAINED' 'UPDATE leaf_reading SET ecx = 1999 WHERE seq = 2'
expect 1 'leaf .*UNEXPLAINED' 'UPDATE leaf_reading SET ebx = 1 WHERE seq = 2'
expect 1 'NO SUCH CPUID EXIT' 'UPDATE leaf_reading SET reason = 10 WHERE seq = 2'
expect 1 'NO SUCH CPUID EXIT' 'INSERT INTO leaf_reading VALUES (1, 3, 0x4fffffff, 0, 14, 0, 0, 0)'
expect 1 'leaf .*UNEXPLAINED' 'UPDATE leaf_reading SET edx = 0xffffffff WHERE seq = 2'

# other VM BEGIN CYCLES: SQL for one more exit of reason 12, of another vCPU, that all sources agree on
other() {
	case $3 in 100) bucket=100 ;; 600) bucket=267 ;; 5000) bucket=462 ;; esac
	cat <<END
INSERT INTO vm SELECT 2, 1, 2, 101, 'other' WHERE $1 = 2;
INSERT INTO vcpu (id, vm_id, vcpu_id, ring_id, recorded) VALUES (2, $1, 1, 2, 1);
INSERT INTO exit SELECT 2, 0, $2, 12, 0, $3, 0, 0, 0, rip, NULL, NULL, qualification, info2, intr_info,
	error_code, user_reason, pcpu, cr3, NULL, NULL, NULL, NULL, NULL, NULL FROM exit WHERE seq = 0;
INSERT INTO exit_rollup SELECT 2, slot, 12, 1, $3, 0, 0, 0, $3, $3, 0, 0, 0, 0, $2, $2, NULL
	FROM exit_rollup WHERE reason = 12;
INSERT INTO exit_hist VALUES (2, 0, 12, 0, $bucket, 1);
INSERT INTO crosscheck VALUES (1, 2, 'totals', 'exits', 12, 1, $3), (1, 2, 'tracefs_exit', 'exits', 12, 1, NULL),
	(1, 2, 'match', 'records', 12, 1, NULL), (1, 2, 'match', 'matched', 12, 1, NULL);
END
}

# Events of two VMs of one process that could not be told apart explain as many differences, no more
apart() {
	echo "INSERT INTO crosscheck VALUES (1, NULL, 'tracefs_ambiguous', 'events', NULL, $1, NULL);
	UPDATE vm SET tgid = 77; UPDATE vcpu SET vcpu_id = (SELECT vcpu_id FROM vcpu WHERE id = 1);
	UPDATE crosscheck SET n = n - 1 WHERE vcpu = 2 AND source = 'match' AND name = 'matched';
	INSERT INTO crosscheck VALUES (1, 2, 'match', 'record_only', 12, 1, NULL)"
}
expect 0 'match .* 1 may be of another VM of the process' "$(other 2 500 100); $(apart 1)"
expect 1 'match .* 1 RECORDED WITHOUT A TRACE EVENT' "$(other 2 500 100); $(apart 0)"
expect 1 'match .* 1 RECORDED WITHOUT A TRACE EVENT' "$(other 2 500 100); $(apart 1); UPDATE vm SET tgid = id"

# Totals of a VM are those of all its vCPUs. An exit that is open while the leaf is read has no time
# yet; one that ends meanwhile may have it or not.
expect 0 'leaf +1 +0 +12 .* 2,000 +2,000 .* equal' "$(other 1 12600 5000)"
expect 1 'leaf .*UNEXPLAINED' "$(other 1 12600 5000); UPDATE leaf_reading SET ecx = 7000 WHERE seq = 2"
expect 0 'leaf .* 2,000 +2,000 .* equal' "$(other 1 12600 600)"
expect 0 'leaf .* 600 while it was read +explained' "$(other 1 12600 600); UPDATE leaf_reading SET ecx = 2600 WHERE seq = 2"
expect 1 'leaf .*UNEXPLAINED' "$(other 1 12600 600); UPDATE leaf_reading SET ecx = 2601 WHERE seq = 2"
expect 1 'leaf .*UNEXPLAINED' "$(other 1 500 100)"

# leaf_scope=host: the totals are those of all VMs
host="UPDATE run SET module_parameters = '{\"kvm\": {\"leaf_scope\": \"host\"}}'"
both='UPDATE leaf_reading SET eax = 14 WHERE seq = 1; UPDATE leaf_reading SET ecx = 2100 WHERE seq = 2'
expect 0 'leaf .* 2,000 +2,000 .* equal' "$(other 2 500 100)"
expect 1 'leaf .*UNEXPLAINED' "$(other 2 500 100); $both"
expect 0 'leaf .* 2,100 +2,100 .* equal' "$(other 2 500 100); $host; $both"
expect 1 'leaf .*UNEXPLAINED' "$(other 2 500 100); $host"

# Some of the readings only; two guests, whose readings were imported one after the other
expect 0 'leaf .* 2,000 +2,000 .* equal' 'DELETE FROM leaf_reading WHERE seq = 1'
expect 1 'leaf .*UNEXPLAINED' 'DELETE FROM leaf_reading WHERE seq = 1; UPDATE leaf_reading SET ecx = 1500'
between="UPDATE exit SET reason = 10, key = 0x4fffffff WHERE vcpu = 2; UPDATE exit_rollup SET reason = 10 WHERE vcpu = 2;
	UPDATE crosscheck SET reason = 10 WHERE vcpu = 2; UPDATE exit_hist SET reason = 10 WHERE vcpu = 2"
expect 0 'leaf +2 +1 .* 1 +1 .* equal' "$(other 2 12600 100); $between; INSERT INTO leaf_reading VALUES (1, 3, 0x4fffffff, 0, 1, 0, 0, 0)"
expect 1 'leaf .*UNEXPLAINED' "$(other 2 12600 100); $between; INSERT INTO leaf_reading VALUES (1, 3, 0x4fffffff, 0, 2, 0, 0, 0)"

# A file of readings that is imported twice, and again with more; one of its own exit is missing
again='INSERT INTO leaf_reading SELECT 1, seq + 10, leaf, reason, eax, ebx, ecx, edx FROM leaf_reading'
expect 0 'leaf .* 13 +13 .* imported before +equal' "$again"
expect 0 'leaf .* 2,000 +2,000 .* imported before +equal' "$again"
expect 0 'leaf .* 4 +4 +0 +0 +equal' "$again"
expect 1 'NO SUCH CPUID EXIT' "$again; INSERT INTO leaf_reading VALUES (1, 13, 0x4fffffff, 0, 14, 0, 0, 0)"
expect 1 'leaf .* 14 +13 .*UNEXPLAINED' "UPDATE leaf_reading SET eax = 14 WHERE seq = 1; $again"
expect 1 'NO SUCH CPUID EXIT' "$again WHERE seq = 2"
expect 0 'leaf .* 2,100 +2,100 .* imported before +equal' "$(other 2 500 100); $host; $both; $again"

# Readings of two VMs that are the same: each has its exit, and a third does not
third() {
	echo "INSERT INTO vm VALUES (3, 1, 3, 102, 'third');
	INSERT INTO vcpu (id, vm_id, vcpu_id, ring_id, recorded) VALUES (3, 3, 1, 3, 1);"
	for table in exit exit_rollup exit_hist crosscheck; do
		echo "CREATE TABLE copy AS SELECT * FROM $table WHERE vcpu = 2; UPDATE copy SET vcpu = 3;
		INSERT INTO $table SELECT * FROM copy; DROP TABLE copy;"
	done
}
one() {
	echo "INSERT INTO leaf_reading VALUES (1, $1, 0x4fffffff, 0, 1, 0, 0, 0);"
}
two_guests="$(other 2 12600 100); $between; $(third) $total + 1 WHERE source LIKE 'perf%' OR source = 'tracefs_entry'"
expect 0 'leaf +3 +1 .* 1 +1 .* equal' "$two_guests; $(one 3) $(one 4)"
expect 0 'leaf .* imported before +equal' "$two_guests; $(one 3) $(one 4) $(one 5)"
expect 1 'can not occur with ept=N' 'UPDATE exit_rollup SET reason = 48 WHERE reason = 12'

# What the emulated CPU itself says
cpu="INSERT INTO crosscheck SELECT run_id, vcpu, 'cpu', 'exits', reason, n, NULL FROM crosscheck
	WHERE source = 'totals'; INSERT INTO crosscheck VALUES (1, NULL, 'cpu', 'fields', NULL, 90, NULL),
	(1, NULL, 'cpu', 'faults', NULL, 0, NULL)"
expect 0 'cpu .* equal' "$cpu"
expect 0 'cpu_fields .* 90 .* equal' "$cpu"
expect 1 'cpu .* 1 .*UNEXPLAINED' "$cpu; $total + 1 $of 'cpu'"
expect 1 'cpu .*UNEXPLAINED' "$cpu; DELETE FROM crosscheck $of 'cpu'"
expect 1 '1 DIFFER FROM THE CPU' "$cpu; $total + 1 WHERE name = 'faults'"
expect 0 'cpu: not checked' ''

# What can't be had is said
expect 0 'not to be had: perf: not allowed' "INSERT INTO crosscheck VALUES (1, NULL, 'unavailable', 'perf: not allowed', NULL, 0, NULL)"
expect 0 'kvm_stat: not checked' "DELETE FROM crosscheck WHERE source LIKE 'kvm_stat%'"

echo "$count changes tried"
exit $failed
