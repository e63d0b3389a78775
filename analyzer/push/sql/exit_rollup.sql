-- Rows of table exit_rollup: intervals of a vCPU. ?1: vcpu.id, ?2: the run's key on servers,
-- ?3: its day, ?4: the first interval.
SELECT
  ?3 AS day,
  ?2 AS run,
  vm,
  vcpu_id,
  vcpu,
  slot,
  reason,
  basic_reason,
  reason_name,
  slot_cycles,
  exits,
  cycles,
  halted_cycles,
  userspace_cycles,
  preempted_cycles,
  min_cycles,
  max_cycles,
  fastpath,
  nested,
  to_user,
  synthesized,
  first_tsc,
  last_tsc,
  tsc_start,
  tsc_khz,
  polled_cycles
FROM rollups
WHERE vcpu = ?1
  AND slot >= ?4
ORDER BY slot, reason
