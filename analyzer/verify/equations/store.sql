-- The records that the collector read against roll-ups, histograms and, if all were kept, rows.
, by_vcpu AS (
  SELECT
    v.vm,
    v.vcpu_id,
    v.recorded,
    coalesce((SELECT sum(u.n) FROM reason_sums u WHERE u.vcpu = v.id), 0) AS rolled,
    s.hist_n AS hist,
    s.rows
  FROM vcpus v
  JOIN vcpu_sums s ON s.vcpu = v.id
)
SELECT vm, vcpu_id, NULL, recorded, rolled,
  abs(recorded - rolled)
    + abs(rolled - hist)
    + CASE (SELECT has_raw FROM run WHERE id = ?1) WHEN 1 THEN abs(rolled - rows) ELSE 0 END,
  ''
FROM by_vcpu
