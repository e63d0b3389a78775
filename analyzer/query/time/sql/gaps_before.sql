-- The last exit before each gap in run ?1, the gaps' own start being when it began. CROSS: rows are
-- read once.
SELECT e.vcpu, e.tsc, e.cycles
FROM exit e
CROSS JOIN loss l
WHERE l.vcpu = e.vcpu
  AND l.tsc_before = e.tsc
  AND e.vcpu IN (SELECT c.id FROM vcpu c JOIN vm m ON m.id = c.vm_id WHERE m.run_id = ?1)
