-- Histograms of vCPU ?1 in the intervals ?2 to ?3.
SELECT slot, reason, part, bucket, n
FROM exit_hist
WHERE vcpu = ?1
  AND slot BETWEEN ?2 AND ?3
