-- Where the kernel runs that caused most exits of reason ?1. Its addresses have bit 63 set, so they
-- are negative. The filter of where.h takes the place after WHERE.
SELECT e.rip, count(*)
FROM exit e
WHERE %s
  AND e.reason = ?1
  AND e.rip < 0
GROUP BY 1
ORDER BY 2 DESC
LIMIT 12
