-- Rows of table exit_hist: histograms of a vCPU's intervals, each as a text, or in older files as a
-- list of buckets and their exits. None where the run has no durations, none of the handler's part
-- where it does not know the parts. ?1: vcpu.id, ?2: the run's key on servers, ?3: its day,
-- ?4: the first interval.
WITH histogram AS ( -- one row per interval, reason and part
  SELECT slot, reason, 0 AS part, cycles AS text, NULL AS pairs
  FROM exit_hist_packed
  WHERE vcpu = ?1
    AND slot >= ?4
  UNION ALL
  SELECT slot, reason, 1, coalesce(handler_cycles, cycles), NULL
  FROM exit_hist_packed
  WHERE vcpu = ?1
    AND slot >= ?4
  UNION ALL
  SELECT slot, reason, part, NULL, group_concat(bucket || ' ' || n, ' ')
  FROM exit_hist
  WHERE vcpu = ?1
    AND slot >= ?4
  GROUP BY slot, reason, part
)
SELECT
  ?3 AS day,
  ?2 AS run,
  c.vm_id AS vm,
  c.vcpu_id,
  c.id AS vcpu,
  h.slot,
  h.reason,
  CASE r.isa WHEN 1 THEN h.reason & 0xffff ELSE h.reason END AS basic_reason,
  coalesce(x.name, 'UNKNOWN_' || CASE r.isa WHEN 1 THEN h.reason & 0xffff ELSE h.reason END)
    || CASE WHEN r.isa = 1 AND h.reason & 0x80000000 THEN ' FAILED_VMENTRY' ELSE '' END AS reason_name,
  r.hist_cycles AS slot_cycles,
  r.tsc_khz,
  h.part,
  h.text,
  h.pairs
FROM histogram h
JOIN vcpu c ON c.id = ?1
JOIN vm m ON m.id = c.vm_id
JOIN run r ON r.id = m.run_id
LEFT JOIN exit_reason x
  ON x.isa = r.isa AND x.number = CASE r.isa WHEN 1 THEN h.reason & 0xffff ELSE h.reason END
WHERE NOT r.id IN (SELECT k.run_id FROM crosscheck k WHERE k.source = 'trace' AND k.name = 'untimed')
  AND (r.has_split OR h.part = 0)
ORDER BY h.slot, h.reason, h.part
