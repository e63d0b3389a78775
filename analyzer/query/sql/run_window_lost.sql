-- Of the vCPU ?1: dropped exits whose place is known, those of them that may have begun from TSC ?2
-- on, before TSC ?3, and those that have.
SELECT
  coalesce(sum(n), 0),
  coalesce(
    sum(n) FILTER (
      WHERE (tsc_after IS NULL OR tsc_after >= ?2)
        AND (tsc_before IS NULL OR tsc_before < ?3)
    ),
    0
  ),
  coalesce(sum(n) FILTER (WHERE tsc_after <= ?3 AND tsc_before >= ?2), 0)
FROM loss
WHERE vcpu = ?1
