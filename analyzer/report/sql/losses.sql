-- When vCPU ?1 lost records, as far as that is known, and how many.
SELECT coalesce(tsc_before, tsc_after), n
FROM loss
WHERE vcpu = ?1
  AND coalesce(tsc_before, tsc_after) IS NOT NULL
