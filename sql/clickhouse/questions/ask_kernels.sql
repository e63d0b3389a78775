-- Exits of each reason in each run of two kernels, whose names begin with {a} and {b}; for how long the
-- run's vCPUs lived; and how many exits of it have no record. analyzer fleet compares the rates. The
-- runs in the order of time.
SELECT
  is_b,
  run,
  reason_name,
  n,
  seconds,
  lost
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
    is_b,
    started_ns,
    lost,
    -- Where the states are unknown: as if all vCPUs had lived for the whole run.
    if(lived_ns > 0, lived_ns, toFloat64(duration_ns) * vcpus) / 1e9 AS seconds
  FROM (
    SELECT
      run,
      -- A may begin like B, or B like A: the longer name counts.
      toUInt8(
        startsWith(ifNull(kernel, ''), {b})
          AND NOT (startsWith(ifNull(kernel, ''), {a}) AND length({a}) > length({b}))
      ) AS is_b,
      started_ns,
      duration_ns,
      vcpus,
      dropped + filtered + unseen AS lost
    FROM exitscope_fleet.runs
    WHERE started_ns >= (toInt64(toUnixTimestamp(now())) - {days} * 86400) * 1000000000
      AND (startsWith(ifNull(kernel, ''), {a}) OR startsWith(ifNull(kernel, ''), {b}))
      AND duration_ns > 0
  ) AS k
  ANY LEFT JOIN (
    SELECT run, sum(wall_ns) AS lived_ns
    FROM exitscope_fleet.states
    GROUP BY run
  ) AS w USING (run)
) AS r USING (run)
WHERE is_chosen = 1
ORDER BY is_b, started_ns, run, reason_name
