-- The same from the coarse roll-ups of level ?4.
SELECT take_reach(
    slot, reason, first_tsc, last_tsc, max_cycles, cycles, halted_cycles, userspace_cycles,
    preempted_cycles, polled_cycles
  )
FROM exit_rollup_coarse
WHERE vcpu = ?1
  AND level = ?4
  AND slot BETWEEN ?2 AND ?3
