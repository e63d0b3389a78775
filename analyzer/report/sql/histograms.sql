-- Histograms of vCPU ?1 in the intervals ?2 to ?3.
SELECT slot, reason, part, bucket, n
FROM exit_hist
WHERE vcpu = ?1
  AND slot BETWEEN ?2 AND ?3
UNION ALL
SELECT p.slot, p.reason, 0, b.bucket, b.n
FROM exit_hist_packed p, hist_buckets(p.cycles) b
WHERE p.vcpu = ?1
  AND p.slot BETWEEN ?2 AND ?3
UNION ALL
SELECT p.slot, p.reason, 1, b.bucket, b.n
FROM exit_hist_packed p, hist_buckets(coalesce(p.handler_cycles, p.cycles)) b
WHERE p.vcpu = ?1
  AND p.slot BETWEEN ?2 AND ?3
