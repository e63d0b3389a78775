-- Three made-up runs for tests, after schema.sql, exit_reason.sql and views.sql:
-- 1 "ept", 6000 exits of 3 vCPUs in 2 VMs; 2 "shadow", 9000 exits of another
-- guest without EPT; 3 "empty". The numbers follow from row numbers alone.
-- Roll-ups and histograms are derived from the rows.

INSERT INTO run (id, label, source, state, isa, tsc_khz, tsc_start, tsc_end, started_ns, ended_ns,
                 rollup_cycles, hist_cycles, ept, collector, host, kernel, environment) VALUES
(1, 'ept', 'capture', 'complete', 1, 2000000, 1000000000, 3000000000, 1700000000000000000,
 1700000001000000000, 200000000, 1000000000, 'Y', 'test', 'host1', '6.1.0', 'metal'),
(2, 'shadow', 'capture', 'interrupted', 1, 2000000, 5000000000, NULL, 1700000100000000000,
 NULL, 200000000, 1000000000, 'N', 'test', 'host1', '6.1.0', 'emulated'),
(3, 'empty', 'device', 'complete', 1, 2000000, 9000000000, 9000002000, 1700000200000000000,
 1700000200000001000, 200000000, 1000000000, 'Y', 'test', 'host1', '6.1.0', 'metal');
INSERT INTO vm VALUES (1, 1, 7, 4711, 'qemu-system-x86'), (2, 1, 8, 4712, 'firecracker'), (3, 2, 9, 4800, 'kvmtool');
-- Run 2 has no names, as a file that was made before there were any.
INSERT INTO vm_identity (vm, name, name_source, vmm, uuid, unit, started_ns) VALUES
(1, 'web-1', 'libvirt', 'qemu', 'c7a5fdbd-edaf-9455-926a-d65c16db1809', 'machine-qemu-1-web-1.scope', 1699999999000000000),
(2, 'fc-7', 'firecracker', 'firecracker', NULL, NULL, NULL);
INSERT INTO vcpu (id, vm_id, vcpu_id, ring_id) VALUES (1, 1, 0, 11), (2, 1, 1, 12), (3, 2, 0, 13), (4, 3, 0, 14);
INSERT INTO vcpu_thread VALUES (1, 4721, 'CPU 0/KVM'), (3, 4733, 'fc_vcpu 0');

-- what: reason, share of 1000, shortest, spread
CREATE TEMP TABLE mix (run INTEGER, upto INTEGER, reason INTEGER, low INTEGER, spread INTEGER);
INSERT INTO mix VALUES
(1, 300, 32, 900, 400), (1, 480, 48, 2500, 9000), (1, 600, 30, 4000, 12000), (1, 700, 12, 90000, 900000),
(1, 800, 1, 1200, 600), (1, 900, 10, 1100, 90), (1, 980, 49, 5000, 20000), (1, 990, 0x08000000 | 7, 800, 100),
(1, 1000, 200, 700, 10),
(2, 400, 28, 1500, 3000), (2, 600, 14, 1200, 1000), (2, 750, 0, 2500, 9000), (2, 800, 58, 3000, 1000),
(2, 850, 0x80000021, 20000, 200000), (2, 900, 32, 900, 400), (2, 980, 30, 4000, 12000), (2, 1000, 12, 90000, 900000);

CREATE TEMP TABLE draw AS
WITH RECURSIVE step(run, i, r) AS (
  VALUES (1, 0, 12345), (2, 0, 54321)
  UNION ALL SELECT run, i + 1, (r * 1103515245 + 12345) % 2147483648 FROM step WHERE i < 3000 * (run + 1) - 1)
SELECT run, i, r / 65536 % 1000 AS pick, r / 7 % 1009 AS a, r / 13 % 997 AS b FROM step;

CREATE TEMP TABLE made AS
SELECT d.run, d.i, d.b, CASE d.run WHEN 1 THEN 1 + d.i % 3 ELSE 4 END AS vcpu, m.reason,
       m.low + m.spread * d.a / 1009 * (d.a % 10 + 1) / 10 AS cycles
FROM draw d JOIN mix m ON m.run = d.run
     AND m.upto = (SELECT min(upto) FROM mix WHERE run = d.run AND upto > d.pick);

INSERT INTO exit
SELECT vcpu, CASE run WHEN 1 THEN i / 3 + (i >= 3000) * 5 ELSE i END,
       (SELECT tsc_start FROM run WHERE id = made.run) + i * 300000 + b * 100,
       reason,
       CASE WHEN reason & 0xffff = 32 AND b % 2 THEN 1 ELSE 0 END | CASE WHEN b = 3 THEN 2 ELSE 0 END
         | CASE WHEN reason & 0xffff IN (30, 49) THEN 4 ELSE 0 END
         | CASE WHEN reason = 0x80000021 THEN 8 ELSE 0 END | CASE reason & 0xffff WHEN 12 THEN 0x40 ELSE 0 END
         | CASE WHEN reason & 0xffff IN (0, 1, 10, 28, 30, 32, 48, 49) THEN 0x900 ELSE 0x100 END,
       cycles, CASE reason & 0xffff WHEN 12 THEN cycles * 9 / 10 ELSE 0 END,
       CASE WHEN reason & 0xffff IN (30, 49) THEN cycles / 2 ELSE 0 END, CASE b WHEN 5 THEN cycles / 4 ELSE 0 END,
       CASE WHEN b % 4 THEN -2130706432 ELSE 4194304 END + b % 7 * 64,
       CASE reason & 0xffff WHEN 0 THEN 14 WHEN 1 THEN 236 WHEN 10 THEN b % 3 WHEN 28 THEN 3
         WHEN 30 THEN CASE WHEN b % 3 THEN 0x3f8 ELSE 0xcf8 END WHEN 32 THEN CASE WHEN b % 5 THEN 0x6e0 ELSE 0x830 END
         WHEN 48 THEN 0x100000 + b % 50 * 4096 WHEN 49 THEN 0xfee000b0 END,
       CASE reason & 0xffff WHEN 10 THEN 0 WHEN 28 THEN 0 WHEN 30 THEN CASE WHEN b % 3 THEN 1 ELSE 0x14 END WHEN 32 THEN 1
         WHEN 48 THEN CASE WHEN b % 2 THEN 1 ELSE 2 END WHEN 49 THEN 0 END,
       b, 0, 0, 0, CASE reason & 0xffff WHEN 30 THEN 2 WHEN 49 THEN 6 ELSE 0 END, i % 4, NULL,
       NULL, NULL, NULL, NULL, NULL, NULL
FROM made ORDER BY run, i;

INSERT INTO loss VALUES (1, 1000, 5, NULL, NULL);
UPDATE loss SET tsc_before = (SELECT max(tsc) FROM exit WHERE vcpu = 1 AND seq < 1000),
                tsc_after = (SELECT min(tsc) FROM exit WHERE vcpu = 1 AND seq > 1000);
UPDATE vcpu SET recorded = (SELECT count(*) FROM exit WHERE vcpu = vcpu.id);
UPDATE vcpu SET dropped = 5, unread = 17 WHERE id = 1;
UPDATE vcpu SET filtered = 3, open_exits = 1 WHERE id = 4;

-- Run 1 is of a ring of ABI 2, with all that its records have; exits of vCPU 1 only, so that most
-- rows have nothing of it.
UPDATE run SET features = 0xf7 WHERE id = 1;
UPDATE exit SET polled_cycles = halted_cycles / 3 WHERE vcpu = 1 AND halted_cycles > 0;
UPDATE exit SET flags = flags | 0x18000, value = seq % 7, requests = CASE seq % 5 WHEN 0 THEN 0x4001 END
WHERE vcpu = 1 AND reason IN (30, 32);
UPDATE exit SET flags = flags | 0x20000, entry_event = 0x800000ec WHERE vcpu = 1 AND reason = 1;
UPDATE exit SET flags = flags | 0x60000, entry_event = 0x80000b0e, entry_error_code = 2 WHERE vcpu = 1 AND reason = 10 AND seq % 4 = 1;
UPDATE exit SET run_errno = 4 WHERE vcpu = 1 AND flags & 4 AND seq % 50 = 0;

INSERT INTO exit_rollup
SELECT e.vcpu, (e.tsc - r.tsc_start) / r.rollup_cycles, e.reason, count(*), sum(cycles), sum(halted_cycles),
       sum(userspace_cycles), sum(preempted_cycles), min(cycles), max(cycles), sum(flags & 1), sum((flags & 2) / 2),
       sum((flags & 4) / 4), sum((flags & 8) / 8), min(tsc), max(tsc), sum(polled_cycles)
FROM exit e JOIN vcpu c ON c.id = e.vcpu JOIN vm m ON m.id = c.vm_id JOIN run r ON r.id = m.run_id
GROUP BY 1, 2, 3;

-- bucket of a duration, as in sql/hist.h: shift is how far it is above 64
CREATE TEMP TABLE power (shift INTEGER, low INTEGER);
INSERT INTO power WITH RECURSIVE p(s) AS (VALUES (0) UNION ALL SELECT s + 1 FROM p WHERE s < 40)
SELECT s, 64 << s FROM p;
CREATE TEMP TABLE duration AS
SELECT vcpu, tsc, reason, 0 AS part, cycles AS c FROM exit UNION ALL
SELECT vcpu, tsc, reason, 1, cycles - halted_cycles - userspace_cycles - preempted_cycles FROM exit;
INSERT INTO exit_hist
SELECT d.vcpu, (d.tsc - r.tsc_start) / r.hist_cycles, d.reason, d.part,
       coalesce((SELECT (shift + 1) * 64 + (c >> shift) - 64 FROM power WHERE low <= c ORDER BY low DESC LIMIT 1), c), count(*)
FROM duration d JOIN vcpu c ON c.id = d.vcpu JOIN vm m ON m.id = c.vm_id JOIN run r ON r.id = m.run_id
GROUP BY 1, 2, 3, 4, 5;

INSERT INTO crosscheck VALUES (1, 1, 'totals', 'totals', 32, (SELECT count(*) FROM exit WHERE vcpu = 1 AND reason = 32), NULL);
INSERT INTO vmx_capability VALUES (1, 0, 0x480, 0x00da040000000004, 1), (1, 0, 0x493, 0, 0);
INSERT INTO leaf_reading VALUES (1, 1, 0x4fffffff, 0, 6000, 0, 0, 0), (1, 2, 0x4ffffffd, 35, 0, 0, 0, 0xffffffff),
(1, 3, 0x4ffffffc, 10, 0, 1, 5, 0);

-- 4 "phases": roll-ups alone, 3 s of one vCPU: boot, idle (one HLT exit of 400 ms
-- begins every 400 ms), load.
INSERT INTO run (id, label, source, state, isa, tsc_khz, tsc_start, tsc_end, started_ns, ended_ns,
                 rollup_cycles, hist_cycles, has_raw, ept, collector, host, kernel, environment) VALUES
(4, 'phases', 'device', 'complete', 1, 2000000, 20000000000, 26000000000, 1700000300000000000,
 1700000303000000000, 200000000, 1000000000, 0, 'Y', 'test', 'host1', '6.1.0', 'metal');
INSERT INTO vm VALUES (4, 4, 10, 4900, 'qemu-system-x86');
INSERT INTO vcpu (id, vm_id, vcpu_id, ring_id) VALUES (5, 4, 0, 15);
INSERT INTO exit_rollup
WITH RECURSIVE slot(s) AS (VALUES (0) UNION ALL SELECT s + 1 FROM slot WHERE s < 29),
one(slot, reason, n, each, halted) AS (
  SELECT s, 30, 4000 + s % 3 * 100, 3000, 0 FROM slot WHERE s < 10 UNION ALL
  SELECT s, 48, 900 + s % 4 * 50, 5000, 0 FROM slot WHERE s < 10 UNION ALL
  SELECT s, 12, 1, 800000000, 799900000 FROM slot WHERE s BETWEEN 10 AND 18 AND s % 4 = 2 UNION ALL
  SELECT s, 32, 20000 + s % 5 * 300, 1000, 0 FROM slot WHERE s >= 22)
SELECT 5, slot, reason, n, n * each, n * halted, 0, 0, each, each, 0, 0, 0, 0,
       20000000000 + slot * 200000000 + 1000, 20000000000 + slot * 200000000 + 190000000, NULL
FROM one;
INSERT INTO exit_hist
SELECT u.vcpu, u.slot / 5, u.reason, 0,
       (SELECT (shift + 1) * 64 + (u.max_cycles >> shift) - 64 FROM power WHERE low <= u.max_cycles ORDER BY low DESC LIMIT 1),
       sum(u.n)
FROM exit_rollup u WHERE u.vcpu = 5 GROUP BY 1, 2, 3;
UPDATE vcpu SET recorded = (SELECT sum(n) FROM exit_rollup WHERE vcpu = 5) WHERE id = 5;

-- What the CPUs of run 1 can do: those of an emulated Haswell; CPU 1 lacks EPT
-- and has a control without a name, CPU 2's secondary controls can't be read.
INSERT OR REPLACE INTO vmx_capability
SELECT 1, cpu, msr, value, 1 FROM (SELECT 0 AS cpu UNION SELECT 1 UNION SELECT 2), (
SELECT 0x480 AS msr, 0x00d810000000002b AS value
UNION SELECT 0x481, 0x0000007f00000016 UNION SELECT 0x482, -578149610686389902
UNION SELECT 0x483, 0x007fffff00036dff UNION SELECT 0x484, 0x0000ffff000011ff
UNION SELECT 0x485, 0x00000000200401e0 UNION SELECT 0x486, 0x0000000080000021
UNION SELECT 0x487, 0x00000000ffffffff UNION SELECT 0x488, 0x0000000000002000
UNION SELECT 0x489, 0x00000000001727ff UNION SELECT 0x48a, 0x0000000000000034
UNION SELECT 0x48b, 0x00047fff00000000 UNION SELECT 0x48c, 0x00000f0106334141
UNION SELECT 0x48d, 0x0000007f00000016 UNION SELECT 0x48e, -578149610686488206
UNION SELECT 0x48f, 0x007fffff00036dfb UNION SELECT 0x490, 0x0000ffff000011fb
UNION SELECT 0x491, 0x0000000000000001);
UPDATE vmx_capability SET value = 0x00047ffd00000000 WHERE cpu = 1 AND msr = 0x48b;
UPDATE vmx_capability SET value = 0x0000017f00000016 WHERE cpu = 1 AND msr = 0x48d;
UPDATE vmx_capability SET value = 0, valid = 0 WHERE cpu = 2 AND msr = 0x48b;
DELETE FROM vmx_capability WHERE cpu = 2 AND msr IN (0x48c, 0x491);
UPDATE run SET module_parameters = '{"kvm": {"halt_poll_ns": "200000"}, "kvm_intel": {"ept": "Y",'
 || ' "pml": "N", "ple_gap": "0", "enable_apicv": "N", "vnmi": "Y", "preemption_timer": "Y"}}',
 nested = '1' WHERE id = 1;
UPDATE run SET module_parameters = 'damaged' WHERE id = 2;
INSERT OR REPLACE INTO vmx_capability SELECT 2, cpu, msr, value, valid FROM vmx_capability WHERE cpu = 1;

-- 5 "svm": one exit of each kind on AMD-V.
INSERT INTO run (id, label, source, state, isa, tsc_khz, tsc_start, tsc_end, started_ns, ended_ns,
                 rollup_cycles, hist_cycles, ept, collector, host, kernel, environment) VALUES
(5, 'svm', 'device', 'complete', 2, 2000000, 30000000000, 30100000000, 1700000400000000000,
 1700000400050000000, 200000000, 1000000000, 'Y', 'test', 'host2', '6.12.0', 'metal');
INSERT INTO vm VALUES (5, 5, 11, 5000, 'qemu-system-x86');
INSERT INTO vcpu (id, vm_id, vcpu_id, ring_id, recorded) VALUES (6, 5, 0, 16, 12);
WITH one(seq, reason, flags, key, aux) AS (VALUES
 (0, 0x72, 0x800, 0x40000000, 0), (1, 0x7b, 0x804, 0x3f8, 0x11), (2, 0x7b, 0x804, 0x1f0, 0x62),
 (3, 0x7c, 0x800, 0xc0000080, 0), (4, 0x7c, 0x801, 0x6e0, 1), (5, 0x400, 0x800, 0xfee000b0, 6),
 (6, 0x4e, 0x800, 14, NULL), (7, 0x78, 0x040, NULL, NULL), (8, 0x81, 0x800, 5, NULL), (9, 0x13, 0x800, 3, 0),
 (10, 0x37, 0x800, 7, 0), (11, 0xffffffff, 0, NULL, NULL))
INSERT INTO exit
SELECT 6, seq, 30000000000 + seq * 1000000, reason, flags, 1000 + seq * 100, CASE reason WHEN 0x78 THEN 500 ELSE 0 END,
       CASE WHEN flags & 4 THEN 300 ELSE 0 END, 0, 4194304, key, aux, 0, 0, 0, 0, CASE WHEN flags & 4 THEN 2 ELSE 0 END, 0, NULL,
       NULL, NULL, NULL, NULL, NULL, NULL
FROM one;
INSERT INTO exit_rollup
SELECT vcpu, 0, reason, count(*), sum(cycles), sum(halted_cycles), sum(userspace_cycles), sum(preempted_cycles),
       min(cycles), max(cycles), sum(flags & 1), sum((flags & 2) / 2), sum((flags & 4) / 4), sum((flags & 8) / 8), min(tsc), max(tsc), NULL
FROM exit WHERE vcpu = 6 GROUP BY reason;
INSERT INTO exit_hist
SELECT 6, 0, reason, 0, (SELECT (shift + 1) * 64 + (cycles >> shift) - 64 FROM power WHERE low <= cycles ORDER BY low DESC LIMIT 1), count(*)
FROM exit WHERE vcpu = 6 GROUP BY 3, 5;
