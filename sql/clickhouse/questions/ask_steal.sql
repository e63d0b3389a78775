-- The VMs that wait most for a CPU (steal): as a share of their wall time.
SELECT
  host,
  vm_label,
  run_id,
  label,
  waiting,
  handler,
  halted,
  wall
FROM (
  SELECT
    run,
    vm,
    any(host) AS host,
    any(vm_label) AS vm_label,
    sum(waiting * wall_ns) / sum(wall_ns) AS waiting,
    sum(handler * wall_ns) / sum(wall_ns) AS handler,
    sum(halted * wall_ns) / sum(wall_ns) AS halted,
    sum(wall_ns) AS wall
  FROM exitscope_fleet.states
  WHERE wall_ns > 0
  GROUP BY run, vm
) AS s
ANY LEFT JOIN (
  SELECT 1 AS is_chosen, run, run_id, label
  FROM exitscope_fleet.runs
  WHERE started_ns >= (toInt64(toUnixTimestamp(now())) - {days} * 86400) * 1000000000
) AS r USING (run)
WHERE is_chosen = 1
ORDER BY waiting DESC, host, vm_label
LIMIT {limit}
