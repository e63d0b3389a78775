-- The sums over long intervals, which commands read of a whole run, against those that they are made
-- of, by vCPU and reason: each level of exit_rollup_coarse adds up to the roll-ups, and
-- exit_hist_total to the histograms. A run that goes on or was cut off has none. Columns that only
-- add up are compared by one checksum. -1: unknown.
, fine AS MATERIALIZED (
  SELECT
    u.vcpu,
    u.reason,
    sum(u.n) AS n,
    sum(u.cycles + 3 * u.halted_cycles + 5 * u.userspace_cycles + 7 * u.preempted_cycles
      + 11 * u.n_fastpath + 13 * u.n_nested + 17 * u.n_user + 19 * u.n_synth
      + 23 * coalesce(u.polled_cycles, 0)) AS sums,
    min(coalesce(u.min_cycles, -1)) AS least,
    max(u.max_cycles) AS most,
    min(coalesce(u.first_tsc, -1)) AS first,
    max(u.last_tsc) AS last
  FROM vcpus v
  JOIN exit_rollup u ON u.vcpu = v.id
  GROUP BY u.vcpu, u.reason
),
level AS MATERIALIZED (
  SELECT
    u.vcpu,
    u.reason,
    u.level,
    sum(u.n) AS n,
    sum(u.cycles + 3 * u.halted_cycles + 5 * u.userspace_cycles + 7 * u.preempted_cycles
      + 11 * u.n_fastpath + 13 * u.n_nested + 17 * u.n_user + 19 * u.n_synth
      + 23 * coalesce(u.polled_cycles, 0)) AS sums,
    min(coalesce(u.min_cycles, -1)) AS least,
    max(u.max_cycles) AS most,
    min(coalesce(u.first_tsc, -1)) AS first,
    max(u.last_tsc) AS last
  FROM vcpus v
  JOIN exit_rollup_coarse u ON u.vcpu = v.id
  GROUP BY u.vcpu, u.level, u.reason
),
by_reason AS ( -- one row per vCPU and reason; each must be there in five levels
  SELECT
    f.vcpu,
    f.n,
    coalesce(sum(l.n) FILTER (WHERE l.level = 5), 0) AS coarse_n,
    5 - coalesce(sum((l.n, l.sums, l.least, l.most, l.first, l.last)
      = (f.n, f.sums, f.least, f.most, f.first, f.last)), 0) AS wrong
  FROM fine f
  LEFT JOIN level l ON l.vcpu = f.vcpu AND l.reason = f.reason
  GROUP BY f.vcpu, f.reason
),
by_vcpu AS (
  SELECT vcpu, sum(n) AS n, sum(coarse_n) AS coarse_n, sum(wrong) AS wrong
  FROM by_reason
  GROUP BY vcpu
),
histogram AS MATERIALIZED ( -- one row per vCPU: a checksum of its exits by bucket, part and reason
  SELECT
    v.id AS vcpu,
    (
      -- Added up table by table: one GROUP BY over all would sort millions of rows.
      SELECT sum(sum)
      FROM (
        SELECT sum(n * (bucket + 1) * (2 * (reason & 0xff) + part + 1)) AS sum
        FROM exit_hist
        WHERE vcpu = v.id
        UNION ALL
        SELECT sum(b.n * (b.bucket + 1) * (2 * (p.reason & 0xff) + 1))
        FROM exit_hist_packed p, hist_buckets(p.cycles) b
        WHERE p.vcpu = v.id
        UNION ALL
        SELECT sum(b.n * (b.bucket + 1) * (2 * (p.reason & 0xff) + 2))
        FROM exit_hist_packed p, hist_buckets(coalesce(p.handler_cycles, p.cycles)) b
        WHERE p.vcpu = v.id
      )
    ) AS sum
  FROM vcpus v
),
histogram_total AS MATERIALIZED (
  SELECT t.vcpu, sum(t.n * (t.bucket + 1) * (2 * (t.reason & 0xff) + t.part + 1)) AS sum
  FROM vcpus v
  JOIN exit_hist_total t ON t.vcpu = v.id
  GROUP BY 1
)
SELECT v.vm, v.vcpu_id, NULL, b.n, b.coarse_n,
  abs(b.n - b.coarse_n) + b.wrong + (h.sum IS NOT t.sum),
  part(b.wrong, 'SUMS OF A REASON DIFFER') || part(h.sum IS NOT t.sum, 'HISTOGRAM DIFFERS')
FROM by_vcpu b
JOIN vcpus v ON v.id = b.vcpu
LEFT JOIN histogram h ON h.vcpu = v.id
LEFT JOIN histogram_total t ON t.vcpu = v.id
WHERE EXISTS (SELECT 1 FROM vcpus v JOIN exit_rollup_coarse u ON u.vcpu = v.id)
