-- Each vCPU, by its id, with its counts.
SELECT
  vcpu.id,
  vm.run_id,
  vcpu.recorded,
  vcpu.dropped + vcpu.filtered + vcpu.unread + vcpu.open_exits AS without_record,
  vcpu.filtered > 0 AS has_filtered,
  vcpu.ended
FROM vcpu
JOIN vm ON vm.id = vcpu.vm_id
ORDER BY vcpu.id
