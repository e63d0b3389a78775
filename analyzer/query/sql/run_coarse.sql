-- Whether run ?1 has sums of long intervals.
SELECT EXISTS (
  SELECT 1
  FROM exit_rollup_coarse
  WHERE vcpu IN (SELECT vcpu FROM coverage WHERE run = ?1)
)
