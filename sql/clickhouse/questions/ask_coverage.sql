-- Exits of the runs that began in the last {days} days, and how many of these have no record.
SELECT
  toUInt64(sum(exits + dropped + filtered + unseen)) AS n,
  toUInt64(sum(dropped + filtered + unseen)) AS lost
FROM exitscope_fleet.runs
WHERE started_ns >= (toInt64(toUnixTimestamp(now())) - {days} * 86400) * 1000000000
