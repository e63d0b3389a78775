-- All rows, with the time that the leaves count; ?1: the run. With leaf_time=handler the leaves add up
-- only what KVM's handler took. The last column: the parts are more than the time.
SELECT
  vcpu,
  tsc,
  cycles,
  reason,
  CASE (SELECT json_extract(module_parameters, '$.kvm.leaf_time') FROM run WHERE id = ?1)
    WHEN 'handler' THEN cycles - halted_cycles - userspace_cycles - preempted_cycles
    ELSE cycles
  END,
  cycles < halted_cycles + userspace_cycles + preempted_cycles
    OR coalesce(polled_cycles > halted_cycles, 0)
FROM exit
