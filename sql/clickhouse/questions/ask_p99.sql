-- The VMs with the longest 99th percentile of an exit's time, HLT and MWAIT aside.
SELECT
  ifNull(host, '') AS on_host,
  vm_label,
  run_id,
  run_label,
  exits,
  p50_ns,
  p99_ns
FROM (
  SELECT run, vm_label, exits, p50_ns, p99_ns
  FROM exitscope_fleet.vm_latency
) AS l
ANY LEFT JOIN (
  SELECT 1 AS is_chosen, run, run_id, label AS run_label, host
  FROM exitscope_fleet.runs
  WHERE started_ns >= (toInt64(toUnixTimestamp(now())) - {days} * 86400) * 1000000000
) AS r USING (run)
WHERE is_chosen = 1
ORDER BY p99_ns DESC, on_host, vm_label
LIMIT {limit}
