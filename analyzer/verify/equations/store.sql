-- The records that the collector read against roll-ups, histograms and, if all were kept, rows.
-- row_count() is of verify_rows.c: one pass over the rows.
, by_vcpu AS (
  SELECT
    v.vm, v.vcpu_id, v.recorded,
    coalesce((SELECT sum(u.n) FROM exit_rollup u WHERE u.vcpu = v.id), 0) AS rolled,
    coalesce((SELECT sum(h.n) FROM exit_hist h WHERE h.vcpu = v.id AND h.part = 0), 0)
      + coalesce((SELECT sum(b.n) FROM exit_hist_packed p, hist_buckets(p.cycles) b WHERE p.vcpu = v.id), 0) AS hist,
    row_count(v.id) AS rows
  FROM vcpus v
)
SELECT vm, vcpu_id, NULL, recorded, rolled,
  abs(recorded - rolled)
    + abs(rolled - hist)
    + CASE (SELECT has_raw FROM run WHERE id = ?1) WHEN 1 THEN abs(rolled - rows) ELSE 0 END,
  ''
FROM by_vcpu
