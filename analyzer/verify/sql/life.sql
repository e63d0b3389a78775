-- The vCPUs of run ?1, by id, as sql/vcpus.sql has them; what is known of their records.
SELECT
  c.vm_id,
  c.vcpu_id,
  -- from our ring: all flags and times are known, and synthesized exits are recorded
  r.source IN ('device', 'capture') AND coalesce(r.features & 4, 4) AS of_ring,
  -- no exit was left out, and no entry failed: records of consecutive seq are consecutive exits
  c.filtered = 0 AND c.vmfail = 0 AS consecutive,
  -- its last record is there, and it was destroyed
  r.state = 'complete' AND r.has_raw = 1 AND c.ended AND c.filtered = 0 AS destroyed,
  -- seq after the last loss
  coalesce(l.end_seq, 0) AS loss_end
FROM vcpu c
JOIN vm m ON m.id = c.vm_id
JOIN run r ON r.id = m.run_id
LEFT JOIN (
  SELECT vcpu, max(first_seq + n) AS end_seq
  FROM loss
  GROUP BY vcpu
) l ON l.vcpu = c.id
WHERE m.run_id = ?1
ORDER BY c.id
