-- Gives take_exit() of time.c the single exits from TSC ?1 to before ?2, among rows ?3 to ?4.
SELECT take_exit(
  rowid,
  tsc,
  reason,
  cycles,
  userspace_cycles,
  preempted_cycles,
  halted_cycles,
  vcpu
)
FROM exit
WHERE tsc >= ?1
  AND tsc < ?2
  AND rowid BETWEEN ?3 AND ?4
