-- The rows of table vm. ?1: run.id, ?2: its key on servers, ?3: ver, ?6: names are left out, ?7: comm
-- is, and so is a name that is the same.
SELECT
  ?2 AS run,
  vm,
  kvm_vm_id,
  tgid,
  comm,
  CASE WHEN NOT ?7 OR name_source <> 'comm' THEN name END AS name,
  name_source,
  vmm,
  uuid,
  unit,
  container,
  started,
  CASE WHEN ?6 OR (?7 AND name_source = 'comm') THEN CAST(vm AS TEXT) ELSE label END AS label,
  ?3 AS ver
FROM vms
WHERE run = ?1
