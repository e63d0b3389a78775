-- TSC from which on run ?1 still has all exits, where older chunks were deleted; NULL: none were.
-- Chunks of vCPUs begin at different times, so the last of these begins counts.
WITH begun AS ( -- one row per vCPU
  SELECT vcpu, min(first_tsc) AS first, max(last_tsc) AS last
  FROM exit_rollup
  WHERE vcpu IN (SELECT vcpu FROM coverage WHERE run = ?1)
  GROUP BY vcpu
),
kept AS (
  SELECT vcpu, min(first_tsc) AS first
  FROM exit_chunk
  GROUP BY vcpu
)
SELECT max(CASE
  WHEN k.first IS NULL THEN b.last + 1
  WHEN k.first > b.first THEN k.first
END)
FROM begun b
LEFT JOIN kept k ON k.vcpu = b.vcpu
