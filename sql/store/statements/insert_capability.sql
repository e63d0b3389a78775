INSERT INTO vmx_capability
VALUES (:run, :cpu, :msr, :value, :valid)
ON CONFLICT DO UPDATE SET value = excluded.value, valid = excluded.valid;
