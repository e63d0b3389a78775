-- The sums over long intervals, which commands read of a whole run, against those that they are made
-- of, by vCPU and reason: each level of exit_rollup_coarse adds up to the roll-ups, and
-- exit_hist_total to the histograms. A run that goes on or was cut off has none. Columns that only
-- add up are compared by one checksum. -1: unknown.
, fine AS MATERIALIZED (
  SELECT
    u.vcpu,
    u.reason,
    u.n,
    u.cycles + 3 * u.halted_cycles + 5 * u.userspace_cycles + 7 * u.preempted_cycles
      + 11 * u.n_fastpath + 13 * u.n_nested + 17 * u.n_user + 19 * u.n_synth
      + 23 * u.polled_cycles AS sums,
    u.least,
    u.most,
    u.first,
    u.last
  FROM reason_sums u
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
)
SELECT v.vm, v.vcpu_id, NULL, b.n, b.coarse_n,
  abs(b.n - b.coarse_n) + b.wrong + (s.hist_checksum <> s.total_checksum),
  part(b.wrong, 'SUMS OF A REASON DIFFER')
    || part(s.hist_checksum <> s.total_checksum, 'HISTOGRAM DIFFERS')
FROM by_vcpu b
JOIN vcpus v ON v.id = b.vcpu
JOIN vcpu_sums s ON s.vcpu = v.id
WHERE EXISTS (SELECT 1 FROM vcpus v JOIN exit_rollup_coarse u ON u.vcpu = v.id)
