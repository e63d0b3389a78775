-- TSC of the first exit of run ?1, whether it still has its row or not.
SELECT min(first_tsc)
FROM exit_rollup
WHERE vcpu IN (SELECT vcpu FROM coverage WHERE run = ?1)
