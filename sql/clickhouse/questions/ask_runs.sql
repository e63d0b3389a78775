-- The runs that began in the last {days} days, the last ones first.
SELECT
  ifNull(host, '') AS on_host,
  run_id,
  label,
  ifNull(started, '') AS began,
  state,
  ifNull(kernel, '') AS on_kernel,
  vms,
  vcpus,
  exits,
  coverage,
  duration_ns
FROM exitscope_fleet.runs
WHERE started_ns >= (toInt64(toUnixTimestamp(now())) - {days} * 86400) * 1000000000
ORDER BY started_ns DESC, on_host, run_id
LIMIT {limit}
