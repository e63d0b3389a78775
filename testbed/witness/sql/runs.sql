-- One row: what the runs of the database have in common.
SELECT
  count(*) AS runs,
  sum(source <> 'device' OR has_raw <> 1) AS without_ring_or_rows,
  sum(state <> 'complete') AS incomplete,
  min(tsc_start),
  max(tsc_end),
  min(isa),
  max(isa),
  min(ept IN ('Y', '1')) AS has_nested_paging
FROM run
