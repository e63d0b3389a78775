-- A VM of the run; one that has a vCPU already keeps its row.
INSERT INTO vm (run_id, kvm_vm_id, tgid, comm)
VALUES (:run, :vm, :tgid, :comm)
ON CONFLICT DO UPDATE SET tgid = excluded.tgid
RETURNING id;
