-- All rows; a run's are found by their vCPUs.
SELECT
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
FROM exit
