-- What run ?1 has not. Made of tracepoints: durations; an exact count of lost exits. With
-- collector --trigger: rows of all exits; the number of events, and of rows around them (NULL: unknown).
-- With collector --counts-only: records.
SELECT
  coalesce(sum(name = 'untimed') FILTER (WHERE source = 'trace'), 0),
  coalesce(sum(name = 'dropped at most') FILTER (WHERE source = 'trace'), 0),
  sum(n) FILTER (WHERE source = 'trigger' AND name = 'events'),
  sum(n) FILTER (WHERE source = 'trigger' AND name = 'rows'),
  coalesce(sum(name = 'histograms') FILTER (WHERE source = 'bpf'), 0)
FROM crosscheck
WHERE run_id = ?1
  AND source IN ('trace', 'trigger', 'bpf')
