-- All rows, with the time that the leaves count; ?1: the run. With leaf_time=handler the leaves add up
-- only what KVM's handler took.
SELECT
  vcpu,
  tsc,
  cycles,
  reason,
  CASE (SELECT json_extract(module_parameters, '$.kvm.leaf_time') FROM run WHERE id = ?1)
    WHEN 'handler' THEN cycles - halted_cycles - userspace_cycles - preempted_cycles
    ELSE cycles
  END
FROM exit
