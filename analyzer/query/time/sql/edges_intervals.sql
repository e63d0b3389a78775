-- The last two intervals up to ?2 in which exits of vCPU ?1 began: the first TSC of each
-- (0: unknown), and when its exits had ended at the latest.
SELECT
  coalesce(min(first_tsc), 0),
  max(last_tsc + max_cycles)
FROM exit_rollup
WHERE vcpu = ?1
  AND slot <= ?2
GROUP BY slot
ORDER BY slot DESC
LIMIT 2
