-- What take_reach() of reach.c needs of the intervals ?2 to ?3 of vCPU ?1, in their order, which
-- is that of the table. ?4: the level, 0.
SELECT take_reach(
    slot, reason, first_tsc, last_tsc, max_cycles, cycles, halted_cycles, userspace_cycles,
    preempted_cycles, polled_cycles
  )
FROM exit_rollup
WHERE vcpu = ?1
  AND slot BETWEEN ?2 AND ?3
  AND ?4 = 0
