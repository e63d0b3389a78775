-- perf's counter of a tracepoint against the events traced while it ran, of all VMs.
-- ?3: the equation's name, which is the counter's source: perf_exit or perf_entry
, counter AS (
  SELECT
    sum(n) FILTER (WHERE name = 'count') AS n,
    sum(n) FILTER (WHERE name = 'at least') AS low,
    sum(n) FILTER (WHERE name = 'at most') AS high,
    (SELECT n FROM lost) AS lost
  FROM crosscheck
  WHERE run_id = ?1
    AND source = ?3
)
SELECT NULL, NULL, NULL, n, high,
  CASE
    WHEN n < low THEN n - low
    WHEN n > high + lost THEN n - high - lost
    ELSE 0
  END,
  part(high - low, 'at the edges')
    || part(max(n - high, 0), 'lost events')
FROM counter
WHERE n IS NOT NULL
