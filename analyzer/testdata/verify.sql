-- One run whose sources all agree, after schema.sql, exit_reason.sql and
-- views.sql: 10 CPUID exits, 5 HLT exits of which the last has not re-entered,
-- 2 synthesized ones right after each other; the last two CPUID exits read leaves. verify_test.sh
-- changes one thing at a time.
INSERT INTO run (id, label, source, state, isa, tsc_khz, tsc_start, tsc_end, started_ns,
                 rollup_cycles, hist_cycles, ept, collector) VALUES
(1, 'agree', 'device', 'complete', 1, 1000000, 0, 100000, 0, 1000000, 1000000, 'N', 'test');
INSERT INTO vm VALUES (1, 1, 1, 100, 'vmm');
INSERT INTO vcpu (id, vm_id, vcpu_id, ring_id, recorded, open_exits) VALUES (1, 1, 0, 1, 16, 1);

WITH RECURSIVE i(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM i WHERE n < 15)
INSERT INTO exit
SELECT 1, n, CASE WHEN n < 14 THEN 1000 * n ELSE 13500 + 500 * (n - 14) END,
       CASE WHEN n < 4 THEN 12 WHEN n < 14 THEN 10 ELSE 0x80000021 END,
       CASE WHEN n < 14 THEN 0 ELSE 8 END, 500, 0, 0, 0, 0,
       CASE n WHEN 12 THEN 0x4fffffff WHEN 13 THEN 0x4ffffffc END, CASE n WHEN 13 THEN 12 END,
       0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM i;
INSERT INTO exit_rollup
SELECT vcpu, 0, reason, count(*), sum(cycles), 0, 0, 0, min(cycles), max(cycles), 0, 0, 0,
       sum(flags & 8) / 8, min(tsc), max(tsc), NULL FROM exit GROUP BY vcpu, reason;
INSERT INTO exit_hist SELECT vcpu, 0, reason, 0, 253, count(*) FROM exit GROUP BY vcpu, reason; -- 253: of 500 cycles

INSERT INTO crosscheck VALUES
(1, 1, 'totals', 'exits', 10, 10, 5000), (1, 1, 'totals', 'exits', 12, 5, 2000),
(1, 1, 'totals', 'exits', 33, 0, 1000), (1, 1, 'totals_synthesized', 'exits', 33, 2, NULL),
(1, 1, 'tracefs_exit', 'exits', 10, 10, NULL), (1, 1, 'tracefs_exit', 'exits', 12, 5, NULL),
(1, 1, 'match', 'records', 10, 10, NULL), (1, 1, 'match', 'matched', 10, 10, NULL),
(1, 1, 'match', 'records', 12, 4, NULL), (1, 1, 'match', 'matched', 12, 4, NULL),
(1, 1, 'match', 'open', 12, 1, NULL),
(1, 1, 'match', 'records', 33, 2, NULL), (1, 1, 'match', 'synthesized', 33, 2, NULL),
(1, 1, 'match_delta', 'record - interval', 10, 10, 200),
(1, 1, 'tracefs_entry', 'entries', NULL, 15, NULL), (1, NULL, 'tracefs_lost', 'events', NULL, 0, NULL),
(1, NULL, 'perf_exit', 'count', NULL, 15, NULL), (1, NULL, 'perf_exit', 'at least', NULL, 15, NULL),
(1, NULL, 'perf_exit', 'at most', NULL, 15, NULL),
(1, NULL, 'perf_entry', 'count', NULL, 15, NULL), (1, NULL, 'perf_entry', 'at least', NULL, 15, NULL),
(1, NULL, 'perf_entry', 'at most', NULL, 15, NULL),
(1, 1, 'kvm_stat_vm', 'exits', NULL, 17, NULL), (1, 1, 'kvm_stat_bound', 'at least', NULL, 17, NULL),
(1, 1, 'kvm_stat_bound', 'at most', NULL, 17, NULL);
-- 4 HLT and 9 CPUID exits up to and with the 13th; 2000 cycles of the 4 HLT exits
INSERT INTO leaf_reading VALUES
(1, 1, 0x4fffffff, 0, 13, 0, 0, 0), (1, 2, 0x4ffffffc, 12, 0, 0, 2000, 0);
