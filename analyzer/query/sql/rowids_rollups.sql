-- Exits of run ?1 that began in the intervals ?2 to ?3.
SELECT coalesce(sum(n), 0)
FROM exit_rollup
WHERE vcpu IN (SELECT vcpu FROM coverage WHERE run = ?1)
  AND slot BETWEEN ?2 AND ?3
