-- The VMs that wait most for a CPU (steal): as a share of their wall time, all their runs together. A
-- VM without a name is one of its run alone.
SELECT
  on_host,
  on_vm,
  runs,
  waiting,
  handler,
  halted,
  wall
FROM (
  SELECT
    ifNull(host, '') AS on_host,
    if(vm_label = toString(vm), concat('VM ', vm_label, ' of run ', toString(run_id)), vm_label) AS on_vm,
    uniqExact(run) AS runs,
    sum(waiting * wall_ns) / sum(wall_ns) AS waiting,
    sum(handler * wall_ns) / sum(wall_ns) AS handler,
    sum(halted * wall_ns) / sum(wall_ns) AS halted,
    sum(wall_ns) AS wall
  FROM (
    SELECT
      run,
      vm,
      host,
      vm_label,
      wall_ns,
      waiting,
      handler,
      halted
    FROM exitscope_fleet.states
    WHERE wall_ns > 0
  ) AS s
  ANY LEFT JOIN (
    SELECT 1 AS is_chosen, run, run_id
    FROM exitscope_fleet.runs
    WHERE started_ns >= (toInt64(toUnixTimestamp(now())) - {days} * 86400) * 1000000000
  ) AS r USING (run)
  WHERE is_chosen = 1
  GROUP BY on_host, on_vm
) AS v
ORDER BY waiting DESC, on_host, on_vm
LIMIT {limit}
