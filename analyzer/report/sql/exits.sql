-- Single exits from TSC ?1 to before ?2, which are among rows ?3 to ?4; columns R_... of time.c.
SELECT
  rowid,
  tsc,
  reason,
  cycles,
  userspace_cycles,
  preempted_cycles,
  halted_cycles,
  vcpu
FROM exit
WHERE tsc >= ?1
  AND tsc < ?2
  AND rowid BETWEEN ?3 AND ?4
