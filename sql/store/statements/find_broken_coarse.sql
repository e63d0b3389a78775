-- The next run after :run that has sums of roll-ups which version 1 wrote wrong.
SELECT DISTINCT m.run_id
FROM exit_rollup_coarse u
JOIN vcpu c ON c.id = u.vcpu
JOIN vm m ON m.id = c.vm_id
WHERE u.min_cycles = 0
  AND u.first_tsc = 0
  AND m.run_id > :run
ORDER BY 1
LIMIT 1;
