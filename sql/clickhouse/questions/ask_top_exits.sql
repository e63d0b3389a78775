-- Which exits the whole fleet takes: of the runs that began in the last {days} days. Some do not know
-- the durations, so the mean is of the exits of those that do.
SELECT
  isa_name,
  reason_name,
  uniqExact(host) AS hosts,
  sum(exits) AS n,
  sum(ns) AS time_ns,
  sum(busy_ns) AS busy,
  sum(ns) / sumIf(exits, isNotNull(ns)) AS mean_ns,
  max(max_ns) AS longest_ns
FROM (
  SELECT run, reason_name, exits, ns, busy_ns, max_ns
  FROM exitscope_fleet.top_exits
) AS e
ANY LEFT JOIN (
  SELECT 1 AS is_chosen, run, isa_name, host
  FROM exitscope_fleet.runs
  WHERE started_ns >= (toInt64(toUnixTimestamp(now())) - {days} * 86400) * 1000000000
) AS r USING (run)
WHERE is_chosen = 1
GROUP BY isa_name, reason_name
ORDER BY busy DESC, reason_name
LIMIT {limit}
