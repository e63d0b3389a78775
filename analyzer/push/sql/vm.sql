-- The rows of table vm. ?1: run.id, ?2: its key on servers, ?3: ver, ?6: names are left out.
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
  CASE WHEN ?6 THEN CAST(vm AS TEXT) ELSE label END AS label,
  ?3 AS ver
FROM vms
WHERE run = ?1
