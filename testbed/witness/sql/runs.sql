-- One row: what the runs of the database have in common.
SELECT
  count(*) AS runs,
  sum(source NOT IN ('device', 'bpf') OR has_raw <> 1) AS not_to_be_judged,
  sum(state <> 'complete') AS incomplete,
  min(tsc_start),
  max(tsc_end),
  min(isa),
  max(isa),
  min(ept IN ('Y', '1')) AS has_nested_paging,
  sum(source = 'bpf') AS by_bpf,
  (
    SELECT coalesce(sum(n), 0)
    FROM crosscheck
    WHERE source = 'ring'
      AND name = 'lost_exits'
  ) AS lost_exits
FROM run
