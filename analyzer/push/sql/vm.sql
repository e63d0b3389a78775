-- The rows of table vm. ?1: run.id, ?2: its key on servers, ?3: ver.
SELECT
  ?2 AS run,
  vm,
  kvm_vm_id,
  tgid,
  comm,
  name,
  name_source,
  vmm,
  uuid,
  unit,
  container,
  started,
  label,
  ?3 AS ver
FROM vms
WHERE run = ?1
