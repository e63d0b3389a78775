-- Dropped exits of run ?1 whose reason KVM's totals know.
SELECT sum(n)
FROM crosscheck
WHERE run_id = ?1
  AND source = 'totals_dropped'
  AND reason IS NOT NULL
