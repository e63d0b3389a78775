-- The recordings of the file. Without a writer (?1: 0) nothing is being recorded.
SELECT
  run,
  label,
  CASE WHEN ?1 THEN state ELSE replace(state, 'recording', 'interrupted') END,
  started,
  duration_ns,
  exits,
  dropped,
  coverage,
  vms,
  vcpus,
  CASE has_raw WHEN 0 THEN 'none' WHEN 1 THEN 'all' WHEN 3 THEN 'events' ELSE 'last' END,
  isa_name,
  ept,
  environment,
  host,
  kernel,
  dropped_is_estimate
FROM runs
ORDER BY run
