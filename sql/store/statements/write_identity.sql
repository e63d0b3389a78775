-- What the host calls the VM of a vCPU; what is known now replaces what was known before.
INSERT INTO vm_identity
SELECT
  vm_id,
  :name,
  :source,
  :vmm,
  :uuid,
  :unit,
  :container,
  :started_ns
FROM vcpu
WHERE id = :vcpu
ON CONFLICT DO UPDATE SET
  name = excluded.name,
  name_source = excluded.name_source,
  vmm = excluded.vmm,
  uuid = excluded.uuid,
  unit = excluded.unit,
  container = excluded.container,
  started_ns = excluded.started_ns;
