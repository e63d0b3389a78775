-- The public SQL interface: views over the tables of schema.sql. Tables may
-- change with PRAGMA user_version; these views keep their columns. This file may
-- be run again on a database that has them (a migration does). They need
-- no extension: any SQLite tool from 3.37 on reads them. sql/README.md has an
-- example for each.
--
-- Columns *_cycles are TSC cycles as measured; *_ns are those cycles at the
-- run's tsc_khz, rounded down. time_ns counts from the start of the run. Each
-- cycles-to-ns conversion is written (c / khz) * 1000000 + c % khz * 1000000 /
-- khz, which does not overflow. In a run whose environment is 'emulated' a
-- cycle is an instruction of that machine, and no time is a real latency.
--
-- reason_name: the basic exit reason, followed by FAILED_VMENTRY where bit 31
-- of a VMX exit reason says that a VM entry failed.

-- What each exit reason means. isa_name: VMX or SVM.
DROP VIEW IF EXISTS reasons;
CREATE VIEW reasons AS
SELECT isa, CASE isa WHEN 1 THEN 'VMX' ELSE 'SVM' END AS isa_name, number, name,
       sdm_defined, kvm_handled, meaning, causes, remedy
FROM exit_reason;

-- Recordings. exits: recorded ones; coverage: recorded / (recorded + dropped),
-- 1.0 when nothing was lost, NULL when nothing was seen; duration_ns: to the
-- last exit while the run lasts; started: NULL where a recording of another tool
-- doesn't say it; has_durations: 0 where it has none (ns and cycles are 0, and mean
-- nothing); dropped_is_estimate: 1 where dropped and coverage are no exact numbers.
DROP VIEW IF EXISTS runs;
CREATE VIEW runs AS
SELECT id AS run, label, source, state, environment,
       CASE isa WHEN 1 THEN 'VMX' ELSE 'SVM' END AS isa_name,
       CASE WHEN started_ns <> 0
         THEN strftime('%Y-%m-%dT%H:%M:%SZ', started_ns / 1000000000, 'unixepoch') END AS started,
       (length_cycles / tsc_khz) * 1000000 + length_cycles % tsc_khz * 1000000 / tsc_khz AS duration_ns,
       length_cycles AS duration_cycles, vms, vcpus, exits, dropped, filtered, unread, open_exits, vmfail,
       CASE WHEN exits + dropped > 0 THEN 1.0 * exits / (exits + dropped) END AS coverage,
       has_raw, has_split, tsc_khz, tsc_start, started_ns, command, host, kernel, cpu_model, microcode,
       ept, vpid, unrestricted_guest, nested, module_parameters, collector,
       NOT EXISTS (SELECT 1 FROM crosscheck k WHERE k.run_id = id AND k.source = 'trace' AND k.name = 'untimed')
         AS has_durations,
       EXISTS (SELECT 1 FROM crosscheck k WHERE k.run_id = id AND k.source = 'trace' AND k.name = 'dropped at most')
         AS dropped_is_estimate
FROM (SELECT r.*,
             coalesce(r.tsc_end, (SELECT max(u.last_tsc) FROM vm m JOIN vcpu c ON c.vm_id = m.id
                      JOIN exit_rollup u ON u.vcpu = c.id WHERE m.run_id = r.id), r.tsc_start) - r.tsc_start
             AS length_cycles,
             (SELECT count(*) FROM vm WHERE run_id = r.id) AS vms,
             count(c.id) AS vcpus, coalesce(sum(c.recorded), 0) AS exits,
             coalesce(sum(c.dropped), 0) AS dropped, coalesce(sum(c.filtered), 0) AS filtered,
             coalesce(sum(c.unread), 0) AS unread, coalesce(sum(c.open_exits), 0) AS open_exits,
             coalesce(sum(c.vmfail), 0) AS vmfail
      FROM run r LEFT JOIN vm m ON m.run_id = r.id LEFT JOIN vcpu c ON c.vm_id = m.id
      GROUP BY r.id);

-- How complete the recording of each vCPU is. vm: 1, 2, ... as in column vm of
-- exits; unread: exits before the collector came; filtered: left out on request.
DROP VIEW IF EXISTS coverage;
CREATE VIEW coverage AS
SELECT m.run_id AS run, m.id AS vm, m.tgid, m.comm, c.vcpu_id, c.id AS vcpu, c.ring_id,
       c.recorded, c.dropped, c.filtered, c.unread, c.open_exits, c.vmfail, c.ended,
       CASE WHEN c.recorded + c.dropped > 0 THEN 1.0 * c.recorded / (c.recorded + c.dropped) END AS coverage
FROM vcpu c JOIN vm m ON m.id = c.vm_id;

-- Where records are missing: n of them, first_seq the first; the times of the
-- neighbours on both sides (NULL: there is none).
DROP VIEW IF EXISTS losses;
CREATE VIEW losses AS
SELECT m.run_id AS run, m.id AS vm, c.vcpu_id, l.first_seq, l.n,
       ((l.tsc_before - r.tsc_start) / r.tsc_khz) * 1000000
         + (l.tsc_before - r.tsc_start) % r.tsc_khz * 1000000 / r.tsc_khz AS before_ns,
       ((l.tsc_after - r.tsc_start) / r.tsc_khz) * 1000000
         + (l.tsc_after - r.tsc_start) % r.tsc_khz * 1000000 / r.tsc_khz AS after_ns
FROM loss l JOIN vcpu c ON c.id = l.vcpu JOIN vm m ON m.id = c.vm_id JOIN run r ON r.id = m.run_id;

-- One row for each recorded VM exit, from the exit to the next VM entry of the
-- same vCPU. ns = handler_ns + halted_ns + userspace_ns + preempted_ns but for
-- rounding; the *_cycles add up exactly. key_text says what the exit was about:
-- 'MSR 0x6e0', 'port 0x3f8 out 1', 'leaf 0x1.0', 'gpa 0xfee000b0 write'.
-- reason_flags: failed_vmentry, vmx_root, pending_mtf, enclave, bus_lock (VMX).
-- id: order of arrival; vm: 1, 2, ... in the file; vcpu: one vCPU of one run;
-- cr3: NULL unless asked for.
DROP VIEW IF EXISTS exits;
CREATE VIEW exits AS
SELECT e.rowid AS id, m.run_id AS run, m.id AS vm, c.vcpu_id, e.vcpu, e.seq, e.tsc,
       ((e.tsc - r.tsc_start) / r.tsc_khz) * 1000000
         + (e.tsc - r.tsc_start) % r.tsc_khz * 1000000 / r.tsc_khz AS time_ns,
       e.reason, CASE r.isa WHEN 1 THEN e.reason & 0xffff ELSE e.reason END AS basic_reason,
       coalesce(x.name, 'UNKNOWN_' || CASE r.isa WHEN 1 THEN e.reason & 0xffff ELSE e.reason END)
         || CASE WHEN r.isa = 1 AND e.reason & 0x80000000 THEN ' FAILED_VMENTRY' ELSE '' END AS reason_name,
       CASE r.isa WHEN 1 THEN
         ltrim(CASE WHEN e.reason & 0x80000000 THEN ',failed_vmentry' ELSE '' END
         || CASE WHEN e.reason & 0x20000000 THEN ',vmx_root' ELSE '' END
         || CASE WHEN e.reason & 0x10000000 THEN ',pending_mtf' ELSE '' END
         || CASE WHEN e.reason & 0x08000000 THEN ',enclave' ELSE '' END
         || CASE WHEN e.reason & 0x04000000 THEN ',bus_lock' ELSE '' END, ',') ELSE '' END AS reason_flags,
       e.cycles, e.cycles - e.halted_cycles - e.userspace_cycles - e.preempted_cycles AS handler_cycles,
       e.halted_cycles, e.userspace_cycles, e.preempted_cycles,
       (e.cycles / r.tsc_khz) * 1000000 + e.cycles % r.tsc_khz * 1000000 / r.tsc_khz AS ns,
       ((e.cycles - e.halted_cycles - e.userspace_cycles - e.preempted_cycles) / r.tsc_khz) * 1000000
         + (e.cycles - e.halted_cycles - e.userspace_cycles - e.preempted_cycles) % r.tsc_khz
         * 1000000 / r.tsc_khz AS handler_ns,
       (e.halted_cycles / r.tsc_khz) * 1000000 + e.halted_cycles % r.tsc_khz * 1000000 / r.tsc_khz AS halted_ns,
       (e.userspace_cycles / r.tsc_khz) * 1000000
         + e.userspace_cycles % r.tsc_khz * 1000000 / r.tsc_khz AS userspace_ns,
       (e.preempted_cycles / r.tsc_khz) * 1000000
         + e.preempted_cycles % r.tsc_khz * 1000000 / r.tsc_khz AS preempted_ns,
       printf('%016x', e.rip) AS rip, e.key, e.key_aux,
       CASE WHEN e.key IS NULL THEN NULL
       WHEN (r.isa = 1 AND e.reason & 0xffff IN (0, 1)) OR (r.isa = 2 AND e.reason BETWEEN 0x40 AND 0x5f)
         THEN printf('vector %d', e.key)
       WHEN (r.isa = 1 AND e.reason & 0xffff = 10) OR (r.isa = 2 AND e.reason = 0x72)
         THEN printf('leaf 0x%x.%x', e.key, e.key_aux)
       WHEN (r.isa = 1 AND e.reason & 0xffff = 18) OR (r.isa = 2 AND e.reason = 0x81)
         THEN printf('hypercall %d', e.key)
       WHEN (r.isa = 1 AND e.reason & 0xffff = 28) OR (r.isa = 2 AND e.reason BETWEEN 0 AND 0x1f)
         THEN CASE e.key_aux WHEN 0 THEN printf('CR%d write', e.key) WHEN 1 THEN printf('CR%d read', e.key)
              WHEN 2 THEN 'CLTS' ELSE 'LMSW' END
       WHEN (r.isa = 1 AND e.reason & 0xffff = 29) OR (r.isa = 2 AND e.reason BETWEEN 0x20 AND 0x3f)
         THEN printf('DR%d %s', e.key, CASE e.key_aux WHEN 0 THEN 'write' ELSE 'read' END)
       WHEN (r.isa = 1 AND e.reason & 0xffff = 30) OR (r.isa = 2 AND e.reason = 0x7b)
         THEN printf('port 0x%x %s%s %d%s', e.key, CASE WHEN e.key_aux & 0x10 THEN 'in' ELSE 'out' END,
              CASE WHEN e.key_aux & 0x20 THEN 's' ELSE '' END, e.key_aux & 0xf,
              CASE WHEN e.key_aux & 0x40 THEN ' rep' ELSE '' END)
       WHEN r.isa = 1 AND e.reason & 0xffff IN (31, 32) THEN printf('MSR 0x%x', e.key)
       WHEN r.isa = 2 AND e.reason = 0x7c
         THEN printf('MSR 0x%x %s', e.key, CASE e.key_aux WHEN 0 THEN 'read' ELSE 'write' END)
       WHEN (r.isa = 1 AND e.reason & 0xffff IN (48, 49)) OR (r.isa = 2 AND e.reason = 0x400)
         THEN printf('gpa 0x%x%s%s%s', e.key, CASE WHEN e.key_aux & 1 THEN ' read' ELSE '' END,
              CASE WHEN e.key_aux & 2 THEN ' write' ELSE '' END, CASE WHEN e.key_aux & 4 THEN ' exec' ELSE '' END)
       ELSE printf('0x%x', e.key) END AS key_text,
       e.qualification, e.info2, e.intr_info, e.error_code,
       e.flags & 1 AS fastpath, (e.flags & 2) / 2 AS nested, (e.flags & 4) / 4 AS to_user,
       (e.flags & 8) / 8 AS synthesized, (e.flags & 16) / 16 AS no_reentry, (e.flags & 32) / 32 AS tsc_back,
       CASE WHEN e.flags & 4 THEN e.user_reason END AS user_reason,
       CASE WHEN e.flags & 4 THEN CASE e.user_reason
         WHEN 0 THEN 'UNKNOWN' WHEN 1 THEN 'EXCEPTION' WHEN 2 THEN 'IO' WHEN 3 THEN 'HYPERCALL'
         WHEN 4 THEN 'DEBUG' WHEN 5 THEN 'HLT' WHEN 6 THEN 'MMIO' WHEN 7 THEN 'IRQ_WINDOW_OPEN'
         WHEN 8 THEN 'SHUTDOWN' WHEN 9 THEN 'FAIL_ENTRY' WHEN 10 THEN 'INTR' WHEN 11 THEN 'SET_TPR'
         WHEN 12 THEN 'TPR_ACCESS' WHEN 16 THEN 'NMI' WHEN 17 THEN 'INTERNAL_ERROR'
         WHEN 24 THEN 'SYSTEM_EVENT' WHEN 26 THEN 'IOAPIC_EOI' WHEN 27 THEN 'HYPERV'
         WHEN 29 THEN 'X86_RDMSR' WHEN 30 THEN 'X86_WRMSR' WHEN 31 THEN 'DIRTY_RING_FULL'
         WHEN 32 THEN 'AP_RESET_HOLD' WHEN 33 THEN 'X86_BUS_LOCK' WHEN 34 THEN 'XEN' WHEN 37 THEN 'NOTIFY'
         WHEN 39 THEN 'MEMORY_FAULT' ELSE 'KVM_EXIT_' || e.user_reason END END AS user_reason_name,
       e.pcpu, CASE WHEN e.cr3 IS NOT NULL THEN printf('%016x', e.cr3) END AS cr3
FROM exit e JOIN vcpu c ON c.id = e.vcpu JOIN vm m ON m.id = c.vm_id JOIN run r ON r.id = m.run_id
LEFT JOIN exit_reason x ON x.isa = r.isa AND x.number = CASE r.isa WHEN 1 THEN e.reason & 0xffff ELSE e.reason END;

-- Exact sums per interval, vCPU and reason: what timeline, top_exits and
-- exits_by_vcpu add up. slot_ns: width of an interval; time_ns: its start.
DROP VIEW IF EXISTS rollups;
CREATE VIEW rollups AS
SELECT m.run_id AS run, m.id AS vm, c.vcpu_id, u.vcpu, u.slot, u.reason,
       CASE r.isa WHEN 1 THEN u.reason & 0xffff ELSE u.reason END AS basic_reason,
       coalesce(x.name, 'UNKNOWN_' || CASE r.isa WHEN 1 THEN u.reason & 0xffff ELSE u.reason END)
         || CASE WHEN r.isa = 1 AND u.reason & 0x80000000 THEN ' FAILED_VMENTRY' ELSE '' END AS reason_name,
       (u.slot * r.rollup_cycles / r.tsc_khz) * 1000000
         + u.slot * r.rollup_cycles % r.tsc_khz * 1000000 / r.tsc_khz AS time_ns,
       r.rollup_cycles AS slot_cycles,
       (r.rollup_cycles / r.tsc_khz) * 1000000 + r.rollup_cycles % r.tsc_khz * 1000000 / r.tsc_khz AS slot_ns,
       u.n AS exits, u.cycles, u.cycles - u.halted_cycles - u.userspace_cycles - u.preempted_cycles AS handler_cycles,
       u.halted_cycles, u.userspace_cycles, u.preempted_cycles, u.min_cycles, u.max_cycles,
       u.n_fastpath AS fastpath, u.n_nested AS nested, u.n_user AS to_user, u.n_synth AS synthesized,
       u.first_tsc, u.last_tsc, r.tsc_start, r.tsc_khz
FROM exit_rollup u JOIN vcpu c ON c.id = u.vcpu JOIN vm m ON m.id = c.vm_id JOIN run r ON r.id = m.run_id
LEFT JOIN exit_reason x ON x.isa = r.isa AND x.number = CASE r.isa WHEN 1 THEN u.reason & 0xffff ELSE u.reason END;

-- Exits of each reason of a run: share of all exits, exits per second of the
-- run, time (total, share, mean, shortest, longest) and its four parts; busy_ns
-- is the time without the halted part; first_ns and last_ns: when the reason
-- first and last occurred. min_ns and first_ns are NULL where they are unknown: a
-- file of schema version 1 that lost them. n of each flag: fastpath, nested, to_user, synthesized.
DROP VIEW IF EXISTS top_exits;
CREATE VIEW top_exits AS
SELECT s.run, s.basic_reason, s.reason_name, s.exits,
       1.0 * s.exits / sum(s.exits) OVER (PARTITION BY s.run) AS share,
       CASE WHEN r.duration_ns > 0 THEN s.exits * 1e9 / r.duration_ns END AS per_s,
       (s.cycles / s.tsc_khz) * 1000000 + s.cycles % s.tsc_khz * 1000000 / s.tsc_khz AS ns,
       CASE WHEN sum(s.cycles) OVER (PARTITION BY s.run) > 0
         THEN 1.0 * s.cycles / sum(s.cycles) OVER (PARTITION BY s.run) END AS time_share,
       s.cycles * 1e6 / s.tsc_khz / s.exits AS mean_ns,
       (s.min_cycles / s.tsc_khz) * 1000000 + s.min_cycles % s.tsc_khz * 1000000 / s.tsc_khz AS min_ns,
       (s.max_cycles / s.tsc_khz) * 1000000 + s.max_cycles % s.tsc_khz * 1000000 / s.tsc_khz AS max_ns,
       (s.handler_cycles / s.tsc_khz) * 1000000
         + s.handler_cycles % s.tsc_khz * 1000000 / s.tsc_khz AS handler_ns,
       (s.halted_cycles / s.tsc_khz) * 1000000 + s.halted_cycles % s.tsc_khz * 1000000 / s.tsc_khz AS halted_ns,
       (s.userspace_cycles / s.tsc_khz) * 1000000
         + s.userspace_cycles % s.tsc_khz * 1000000 / s.tsc_khz AS userspace_ns,
       (s.preempted_cycles / s.tsc_khz) * 1000000
         + s.preempted_cycles % s.tsc_khz * 1000000 / s.tsc_khz AS preempted_ns,
       ((s.cycles - s.halted_cycles) / s.tsc_khz) * 1000000
         + (s.cycles - s.halted_cycles) % s.tsc_khz * 1000000 / s.tsc_khz AS busy_ns,
       s.cycles, s.handler_cycles, s.halted_cycles, s.userspace_cycles, s.preempted_cycles,
       s.min_cycles, s.max_cycles, s.fastpath, s.nested, s.to_user, s.synthesized,
       (s.first / s.tsc_khz) * 1000000 + s.first % s.tsc_khz * 1000000 / s.tsc_khz AS first_ns,
       (s.last / s.tsc_khz) * 1000000 + s.last % s.tsc_khz * 1000000 / s.tsc_khz AS last_ns
FROM (SELECT run, tsc_khz, basic_reason, reason_name, sum(exits) AS exits, sum(cycles) AS cycles,
             sum(handler_cycles) AS handler_cycles, sum(halted_cycles) AS halted_cycles,
             sum(userspace_cycles) AS userspace_cycles, sum(preempted_cycles) AS preempted_cycles,
             CASE WHEN count(min_cycles) = count(*) THEN min(min_cycles) END AS min_cycles,
             max(max_cycles) AS max_cycles, sum(fastpath) AS fastpath,
             sum(nested) AS nested, sum(to_user) AS to_user, sum(synthesized) AS synthesized,
             CASE WHEN count(first_tsc) = count(*) THEN min(first_tsc) - tsc_start END AS first,
             max(last_tsc) - tsc_start AS last
      FROM rollups GROUP BY run, reason_name) s
JOIN runs r ON r.run = s.run;

-- The same sums per vCPU and reason.
DROP VIEW IF EXISTS exits_by_vcpu;
CREATE VIEW exits_by_vcpu AS
SELECT run, vm, vcpu_id, basic_reason, reason_name, sum(exits) AS exits,
       sum(cycles) * 1e6 / tsc_khz / sum(exits) AS mean_ns,
       (sum(cycles) / tsc_khz) * 1000000 + sum(cycles) % tsc_khz * 1000000 / tsc_khz AS ns,
       (sum(halted_cycles) / tsc_khz) * 1000000 + sum(halted_cycles) % tsc_khz * 1000000 / tsc_khz AS halted_ns,
       sum(cycles) AS cycles, sum(halted_cycles) AS halted_cycles, max(max_cycles) AS max_cycles
FROM rollups GROUP BY run, vm, vcpu, reason_name;

-- Exits of each reason over the run, by interval of slot_ns.
DROP VIEW IF EXISTS timeline;
CREATE VIEW timeline AS
SELECT run, slot, time_ns, slot_ns, basic_reason, reason_name, sum(exits) AS exits,
       sum(exits) * 1e9 / slot_ns AS per_s,
       (sum(cycles) / tsc_khz) * 1000000 + sum(cycles) % tsc_khz * 1000000 / tsc_khz AS ns,
       (sum(halted_cycles) / tsc_khz) * 1000000 + sum(halted_cycles) % tsc_khz * 1000000 / tsc_khz AS halted_ns,
       sum(cycles) AS cycles, sum(halted_cycles) AS halted_cycles, max(max_cycles) AS max_cycles
FROM rollups GROUP BY run, slot, reason_name;

-- Histogram of durations: n exits of low_cycles to high_cycles. part: total
-- (exit to entry) or handler. middle_cycles stands for all of them and is off by
-- less than 0.8 %. Buckets as in sql/hist.h. Of a run that has ended they are read
-- from its sums, else from those of each second.
DROP VIEW IF EXISTS histograms;
CREATE VIEW histograms AS
SELECT run, basic_reason, reason_name, CASE part WHEN 0 THEN 'total' ELSE 'handler' END AS part, bucket, n,
       low AS low_cycles, low + width - 1 AS high_cycles, low + width / 2 AS middle_cycles,
       (low / tsc_khz) * 1000000 + low % tsc_khz * 1000000 / tsc_khz AS low_ns,
       ((low + width / 2) / tsc_khz) * 1000000 + (low + width / 2) % tsc_khz * 1000000 / tsc_khz AS middle_ns
FROM (SELECT m.run_id AS run, r.tsc_khz, h.part, h.bucket, sum(h.n) AS n,
             CASE r.isa WHEN 1 THEN h.reason & 0xffff ELSE h.reason END AS basic_reason,
             coalesce(x.name, 'UNKNOWN_' || CASE r.isa WHEN 1 THEN h.reason & 0xffff ELSE h.reason END)
               || CASE WHEN r.isa = 1 AND h.reason & 0x80000000 THEN ' FAILED_VMENTRY' ELSE '' END AS reason_name,
             CASE WHEN h.bucket < 64 THEN h.bucket ELSE (64 + h.bucket % 64) << (h.bucket / 64 - 1) END AS low,
             CASE WHEN h.bucket < 64 THEN 1 ELSE 1 << (h.bucket / 64 - 1) END AS width
      FROM (SELECT vcpu, reason, part, bucket, n FROM exit_hist_total
            UNION ALL
            SELECT f.vcpu, f.reason, f.part, f.bucket, f.n FROM vcpu v CROSS JOIN exit_hist f ON f.vcpu = v.id
            WHERE NOT EXISTS (SELECT 1 FROM exit_hist_total t WHERE t.vcpu = v.id)) h
      JOIN vcpu c ON c.id = h.vcpu JOIN vm m ON m.id = c.vm_id JOIN run r ON r.id = m.run_id
      LEFT JOIN exit_reason x
        ON x.isa = r.isa AND x.number = CASE r.isa WHEN 1 THEN h.reason & 0xffff ELSE h.reason END
      GROUP BY 1, reason_name, h.part, h.bucket);

-- Percentiles of the duration (exit to entry) of each reason, from the
-- histogram: off by less than 0.8 %. The longest is exact in top_exits.
DROP VIEW IF EXISTS latency;
CREATE VIEW latency AS
SELECT run, basic_reason, reason_name, max(total) AS exits,
       min(CASE WHEN upto * 2 >= total THEN middle_ns END) AS p50_ns,
       min(CASE WHEN upto * 10 >= total * 9 THEN middle_ns END) AS p90_ns,
       min(CASE WHEN upto * 20 >= total * 19 THEN middle_ns END) AS p95_ns,
       min(CASE WHEN upto * 100 >= total * 99 THEN middle_ns END) AS p99_ns,
       min(CASE WHEN upto * 1000 >= total * 999 THEN middle_ns END) AS p999_ns
FROM (SELECT run, basic_reason, reason_name, middle_ns,
             sum(n) OVER (PARTITION BY run, reason_name ORDER BY bucket) AS upto,
             sum(n) OVER (PARTITION BY run, reason_name) AS total
      FROM histograms WHERE part = 'total')
GROUP BY run, reason_name;

-- Counts of the same exits by other sources (collector --cross-check). vm and
-- vcpu_id are NULL where the count is of the whole run, basic_reason where it is
-- of all reasons, cycles where the source knows no time.
DROP VIEW IF EXISTS crosschecks;
CREATE VIEW crosschecks AS
SELECT k.run_id AS run, c.vm_id AS vm, c.vcpu_id, k.source, k.name,
       CASE r.isa WHEN 1 THEN k.reason & 0xffff ELSE k.reason END AS basic_reason, x.name AS reason_name, k.n, k.cycles
FROM crosscheck k JOIN run r ON r.id = k.run_id LEFT JOIN vcpu c ON c.id = k.vcpu
LEFT JOIN exit_reason x ON x.isa = r.isa AND x.number = CASE r.isa WHEN 1 THEN k.reason & 0xffff ELSE k.reason END;

-- VMX capability MSRs 0x480 to 0x493 of each CPU; valid 0: could not be read.
DROP VIEW IF EXISTS capabilities;
CREATE VIEW capabilities AS
SELECT run_id AS run, cpu, msr, printf('0x%x', msr) AS msr_hex, printf('%016x', value) AS value, valid
FROM vmx_capability;

-- CPUID leaves 0x4ffffffc to 0x4fffffff as a guest read them. meaning: total
-- exits, total cycles, exits of a reason, cycles of a reason; n: that number
-- (NULL: the leaf says that the SDM does not define the reason).
DROP VIEW IF EXISTS leaf_readings;
CREATE VIEW leaf_readings AS
SELECT l.run_id AS run, l.seq, printf('0x%08x', l.leaf) AS leaf,
       CASE l.leaf WHEN 0x4fffffff THEN 'total exits' WHEN 0x4ffffffe THEN 'total cycles'
         WHEN 0x4ffffffd THEN 'exits' WHEN 0x4ffffffc THEN 'cycles' END AS meaning,
       CASE WHEN l.leaf IN (0x4ffffffd, 0x4ffffffc) THEN l.reason END AS basic_reason,
       CASE WHEN l.leaf IN (0x4ffffffd, 0x4ffffffc) THEN x.name END AS reason_name,
       CASE WHEN l.edx = 0xffffffff THEN NULL
         WHEN l.leaf IN (0x4fffffff, 0x4ffffffd) THEN l.ebx << 32 | l.eax ELSE l.ebx << 32 | l.ecx END AS n
FROM leaf_reading l JOIN run r ON r.id = l.run_id
LEFT JOIN exit_reason x ON x.isa = r.isa AND x.number = l.reason;
