-- All roll-ups of run ?1, by vCPU.
SELECT
  c.id,
  c.vm_id,
  c.vcpu_id,
  u.slot,
  u.reason,
  u.min_cycles,
  u.max_cycles,
  u.first_tsc,
  u.last_tsc
FROM vm m
JOIN vcpu c ON c.vm_id = m.id
JOIN exit_rollup u ON u.vcpu = c.id
WHERE m.run_id = ?1
ORDER BY c.id
