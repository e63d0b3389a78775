-- Sums of vCPU ?1 in the intervals ?2 to ?3; the last four are parts of the time.
SELECT
  slot,
  reason,
  n,
  cycles - halted_cycles - userspace_cycles - preempted_cycles,
  userspace_cycles,
  preempted_cycles,
  halted_cycles
FROM exit_rollup
WHERE vcpu = ?1
  AND slot BETWEEN ?2 AND ?3
