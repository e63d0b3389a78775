-- Single exits from TSC ?1 to before ?2; columns R_... of time.c.
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
