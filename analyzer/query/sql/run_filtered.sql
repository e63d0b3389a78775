-- Exits of vCPU ?1 that were filtered out while recording, by reason.
SELECT reason, n
FROM crosscheck
WHERE vcpu = ?1
  AND source = 'totals_filtered'
  AND reason IS NOT NULL
