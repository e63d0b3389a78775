-- When the exit of row ?1 began, its times and its reason.
SELECT tsc, cycles, halted_cycles, userspace_cycles, preempted_cycles, polled_cycles, reason
FROM exit
WHERE rowid = ?1
