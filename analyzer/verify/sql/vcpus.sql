-- The vCPUs of run ?1, by id.
SELECT c.id, c.vm_id
FROM vcpu c
JOIN vm m ON m.id = c.vm_id
WHERE m.run_id = ?1
ORDER BY c.id
