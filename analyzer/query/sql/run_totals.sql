-- Whether run ?1 has KVM's totals: 1 or 0.
SELECT EXISTS (
  SELECT 1
  FROM crosscheck
  WHERE run_id = ?1
    AND source IN ('totals', 'totals_dropped')
)
