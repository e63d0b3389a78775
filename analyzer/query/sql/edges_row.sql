-- When the exit of row ?1 began, and its times.
SELECT tsc, cycles, halted_cycles, userspace_cycles, preempted_cycles, polled_cycles
FROM exit
WHERE rowid = ?1
