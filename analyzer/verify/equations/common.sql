-- What all equations use. Parameters: ?1 run, ?2 ISA (1: VMX). part(n, words) gives 'N words, ', or
-- '' if n is 0 (verify.c). rolled_sums and vcpu_sums are of verify_sums.h.
WITH
vcpus AS MATERIALIZED ( -- one row per vCPU of the run
  SELECT c.*, m.id AS vm
  FROM vcpu c
  JOIN vm m ON m.id = c.vm_id
  WHERE m.run_id = ?1
),
counts AS MATERIALIZED ( -- one row per vCPU and reason; what was not stored is 0
  SELECT
    v.vm,
    v.vcpu_id,
    v.open_exits,
    v.ended,
    k.vcpu,
    k.reason,
    -- the totals page of the ring
    coalesce(sum(k.n) FILTER (WHERE k.source = 'totals'), 0) AS real,
    coalesce(sum(k.n) FILTER (WHERE k.source = 'totals_synthesized'), 0) AS synth,
    sum(k.cycles) FILTER (WHERE k.source = 'totals') AS cycles,
    coalesce(sum(k.n) FILTER (WHERE k.source = 'totals_dropped'), 0) AS dropped,
    coalesce(sum(k.n) FILTER (WHERE k.source = 'totals_filtered'), 0) AS filtered,
    coalesce(sum(k.n) FILTER (WHERE k.source = 'totals_unread'), 0) AS unread,
    -- kvm_exit and the records, matched exit by exit (collector/xcheck/match.h)
    coalesce(sum(k.n) FILTER (WHERE k.source = 'tracefs_exit'), 0) AS traced,
    coalesce(sum(k.n) FILTER (WHERE k.source = 'match' AND k.name = 'records'), 0) AS records,
    coalesce(sum(k.n) FILTER (WHERE k.source = 'match' AND k.name = 'matched'), 0) AS matched,
    coalesce(sum(k.n) FILTER (WHERE k.source = 'match' AND k.name = 'differ'), 0) AS differ,
    coalesce(sum(k.n) FILTER (WHERE k.source = 'match' AND k.name = 'before'), 0) AS before,
    coalesce(sum(k.n) FILTER (WHERE k.source = 'match' AND k.name = 'after'), 0) AS after,
    coalesce(sum(k.n) FILTER (WHERE k.source = 'match' AND k.name = 'open'), 0) AS open,
    coalesce(sum(k.n) FILTER (WHERE k.source = 'match' AND k.name = 'gap'), 0) AS gap,
    coalesce(sum(k.n) FILTER (WHERE k.source = 'match' AND k.name = 'untraced'), 0) AS untraced,
    coalesce(sum(k.n) FILTER (WHERE k.source = 'match' AND k.name = 'synthesized'), 0)
      AS synth_records,
    coalesce(sum(k.n) FILTER (WHERE k.source = 'match' AND k.name = 'trace_only'), 0) AS trace_only,
    coalesce(sum(k.n) FILTER (WHERE k.source = 'match' AND k.name = 'record_only'), 0)
      AS record_only,
    coalesce(sum(k.n) FILTER (WHERE k.source = 'match' AND k.name = 'shorter'), 0) AS shorter,
    coalesce(sum(k.n) FILTER (WHERE k.source = 'match' AND k.name = 'overlaps'), 0) AS overlaps
  FROM crosscheck k
  JOIN vcpus v ON v.id = k.vcpu
  WHERE k.run_id = ?1
  GROUP BY k.vcpu, k.reason
),
reason_sums AS MATERIALIZED ( -- one row per vCPU and full reason: the sums of all roll-ups
  SELECT *
  FROM rolled_sums
),
held AS MATERIALIZED ( -- one row per vCPU and basic reason: the records that the file holds
  SELECT
    u.vcpu,
    v.vm,
    v.vcpu_id,
    CASE ?2 WHEN 1 THEN u.reason & 0xffff ELSE u.reason END AS reason,
    sum(u.n) AS n,
    sum(u.n_synth) AS synth,
    sum(u.cycles) AS cycles
  FROM reason_sums u
  JOIN vcpus v ON v.id = u.vcpu
  GROUP BY u.vcpu, 4
),
reentered AS MATERIALIZED ( -- of vCPUs whose fastpaths enter again without kvm_entry
  SELECT vm, vcpu, n
  FROM crosscheck k
  JOIN vcpus v ON v.id = k.vcpu
  WHERE k.run_id = ?1
    AND k.source = 'tracefs_entry'
    AND k.name = 'reentered'
),
lost AS MATERIALIZED ( -- one row: trace events that were lost
  SELECT coalesce(sum(n), 0) AS n
  FROM crosscheck
  WHERE run_id = ?1
    AND source = 'tracefs_lost'
),
unseen AS MATERIALIZED ( -- one row: exits of vCPUs that are not in the recording
  SELECT unseen AS n
  FROM runs
  WHERE run = ?1
),
ambiguous AS MATERIALIZED ( -- one row per vCPU of a process with another VM that has its id too
  SELECT
    v.id AS vcpu,
    (
      SELECT coalesce(sum(k.n), 0)
      FROM crosscheck k
      WHERE k.run_id = ?1
        AND k.source = 'tracefs_ambiguous'
    ) AS n
  FROM vcpus v
  JOIN vm m ON m.id = v.vm
  WHERE EXISTS (
    SELECT 1
    FROM vcpus o
    JOIN vm p ON p.id = o.vm
    WHERE o.vcpu_id = v.vcpu_id
      AND p.id <> m.id
      AND p.tgid = m.tgid
  )
)
