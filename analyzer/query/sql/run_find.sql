-- The run that --run names, ?1: a number is an id, anything else (or a number that is not an id) a
-- label. NULL: the last one. Its columns are read by read_columns() of run.c.
SELECT
  v.run,
  v.label,
  v.state,
  v.environment,
  v.source,
  r.isa,
  v.tsc_khz,
  v.tsc_start,
  v.duration_cycles,
  r.rollup_cycles,
  r.hist_cycles,
  v.has_raw,
  v.has_split,
  v.exits,
  v.dropped,
  v.filtered,
  v.unread,
  v.ept,
  v.command,
  v.has_polled,
  v.unseen
FROM runs v
JOIN run r ON r.id = v.run
WHERE ?1 IS NULL
   OR (v.run = CAST(?1 AS INTEGER) AND ?1 NOT GLOB '*[^0-9]*')
   OR v.label = ?1
ORDER BY v.label = ?1, v.run DESC
LIMIT 1
