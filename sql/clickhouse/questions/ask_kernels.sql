-- Exits of each reason in each run of two kernels, whose names begin with {a} and {b}, and for how
-- long the run's vCPUs lived: analyzer fleet compares their rates. The runs in the order of time.
SELECT
  is_b,
  run,
  reason_name,
  n,
  seconds
FROM (
  SELECT
    run,
    reason_name,
    toUInt64(exits) AS n
  FROM exitscope_fleet.top_exits
) AS e
ANY LEFT JOIN (
  SELECT
    1 AS is_chosen,
    run,
    -- A may begin like B, or B like A: the longer name counts.
    toUInt8(
      startsWith(ifNull(kernel, ''), {b})
        AND NOT (startsWith(ifNull(kernel, ''), {a}) AND length({a}) > length({b}))
    ) AS is_b,
    started_ns,
    duration_ns / 1e9 * vcpus AS seconds
  FROM exitscope_fleet.runs
  WHERE started_ns >= (toInt64(toUnixTimestamp(now())) - {days} * 86400) * 1000000000
    AND (startsWith(ifNull(kernel, ''), {a}) OR startsWith(ifNull(kernel, ''), {b}))
    AND duration_ns > 0
) AS r USING (run)
WHERE is_chosen = 1
ORDER BY is_b, started_ns, run, reason_name
