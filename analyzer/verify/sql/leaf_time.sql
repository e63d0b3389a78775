-- Whether the leaves of run ?1 add up only what KVM's handler took (leaf_time=handler).
SELECT
  json_valid(module_parameters)
  AND json_extract(module_parameters, '$.kvm.leaf_time') = 'handler'
FROM run
WHERE id = ?1
