-- What run ?1, made of tracepoints, has not: durations; an exact count of lost exits.
SELECT
  coalesce(sum(name = 'untimed'), 0),
  coalesce(sum(name = 'dropped at most'), 0)
FROM crosscheck
WHERE run_id = ?1
  AND source = 'trace'
