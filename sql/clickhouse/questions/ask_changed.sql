-- Hosts whose mix of exits has changed: the last {days} days against the {days} before them. moved:
-- the share of the exits that are of another reason than before (half the sum of all differences
-- of shares, 0 to 1); reason: the one whose share changed most.
SELECT
  on_host,
  any(now_all) AS exits_now,
  any(before_all) AS exits_before,
  sum(abs(difference)) / 2 AS moved,
  argMax(reason_name, abs(difference)) AS reason,
  argMax(before_share, abs(difference)) AS share_before,
  argMax(now_share, abs(difference)) AS share_now
FROM (
  SELECT
    on_host,
    reason_name,
    now_all,
    before_all,
    now_exits / now_all AS now_share,
    before_exits / before_all AS before_share,
    now_share - before_share AS difference
  FROM (
    SELECT on_host, reason_name, sum(exits * is_now) AS now_exits, sum(exits * (1 - is_now)) AS before_exits
    FROM (SELECT run, reason_name, exits FROM exitscope_fleet.top_exits) AS e
    ANY LEFT JOIN (
      SELECT
        1 AS is_chosen,
        run,
        ifNull(host, '') AS on_host,
        toUInt64(started_ns >= (toInt64(toUnixTimestamp(now())) - {days} * 86400) * 1000000000) AS is_now
      FROM exitscope_fleet.runs
      WHERE started_ns >= (toInt64(toUnixTimestamp(now())) - 2 * {days} * 86400) * 1000000000
    ) AS r USING (run)
    WHERE is_chosen = 1
    GROUP BY on_host, reason_name
  ) AS a
  ANY LEFT JOIN (
    SELECT 1 AS has_both, on_host, sum(exits * is_now) AS now_all, sum(exits * (1 - is_now)) AS before_all
    FROM (
      SELECT
        ifNull(host, '') AS on_host,
        exits,
        toUInt64(started_ns >= (toInt64(toUnixTimestamp(now())) - {days} * 86400) * 1000000000) AS is_now
      FROM exitscope_fleet.runs
      WHERE started_ns >= (toInt64(toUnixTimestamp(now())) - 2 * {days} * 86400) * 1000000000
    ) AS h
    GROUP BY on_host
    HAVING now_all > 0 AND before_all > 0
  ) AS b USING (on_host)
  WHERE has_both = 1
) AS s
GROUP BY on_host
ORDER BY moved DESC, on_host
LIMIT {limit}
