-- Each value of a capability MSR in run ?1 and how many CPUs have it, the most common first.
SELECT
  msr,
  CASE WHEN valid THEN value END,
  count(*)
FROM capabilities
WHERE run = ?1
GROUP BY msr, valid, value
ORDER BY msr, 3 DESC
