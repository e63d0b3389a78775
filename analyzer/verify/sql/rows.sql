-- Gives take_row() of verify_rows.c all rows; a run's are found by their vCPUs.
SELECT take_row(
  vcpu,
  seq,
  tsc,
  reason,
  flags,
  cycles,
  halted_cycles,
  userspace_cycles,
  preempted_cycles,
  polled_cycles
)
FROM exit
