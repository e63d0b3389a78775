-- The last exit of a vCPU that still runs has no record yet; one of a destroyed vCPU has.
SELECT v.vm, v.vcpu_id, NULL, v.open_exits, sum(c.open), max(sum(c.open) - v.open_exits, 0), ''
FROM vcpus v
JOIN counts c ON c.vcpu = v.id
WHERE EXISTS (SELECT 1 FROM crosscheck WHERE run_id = ?1 AND source = 'tracefs_entry')
GROUP BY v.id
