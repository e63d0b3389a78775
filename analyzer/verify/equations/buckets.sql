-- The shortest and longest exit of the roll-ups against the lowest and highest bucket of the
-- histograms, by vCPU, interval of the histograms and reason. Where all rows are there, they show
-- more (minimum, maximum). bucket_of(), lowest_bucket() and highest_bucket() are of verify.c.
, width AS (
  SELECT rollup_cycles, hist_cycles
  FROM run
  WHERE id = ?1
    AND has_raw <> 1
),
rolled AS MATERIALIZED ( -- NULL: unknown
  SELECT
    u.vcpu,
    u.slot * w.rollup_cycles / w.hist_cycles AS slot,
    u.reason,
    CASE WHEN count(u.min_cycles) = count(*) THEN bucket_of(min(u.min_cycles)) END AS low,
    bucket_of(max(u.max_cycles)) AS high
  FROM vcpus v
  JOIN exit_rollup u ON u.vcpu = v.id
  CROSS JOIN width w
  GROUP BY 1, 2, 3
),
bucket AS MATERIALIZED ( -- row by row: one GROUP BY over the buckets of all would sort them
  SELECT
    h.vcpu,
    h.slot,
    h.reason,
    min(h.bucket) AS low,
    max(h.bucket) AS high
  FROM exit_hist h
  WHERE h.vcpu IN (SELECT id FROM vcpus)
    AND h.part = 0
  GROUP BY h.vcpu, h.slot, h.reason
  UNION ALL
  SELECT
    p.vcpu,
    p.slot,
    p.reason,
    lowest_bucket(p.cycles),
    highest_bucket(p.cycles)
  FROM exit_hist_packed p
  WHERE p.vcpu IN (SELECT id FROM vcpus)
),
compared AS ( -- one row per vCPU, interval and reason
  SELECT r.vcpu, coalesce(b.low = coalesce(r.low, b.low) AND b.high = r.high, 0) AS equal
  FROM rolled r
  LEFT JOIN bucket b ON b.vcpu = r.vcpu AND b.slot = r.slot AND b.reason = r.reason
)
SELECT v.vm, v.vcpu_id, NULL, count(*), sum(equal), count(*) - sum(equal),
  part(count(*) - sum(equal), 'WITH ANOTHER SHORTEST OR LONGEST EXIT')
FROM compared c
JOIN vcpus v ON v.id = c.vcpu
GROUP BY c.vcpu
