-- Where exits of vCPU ?1 are missing: the TSC of the last exit before and of the first one after.
SELECT tsc_before, tsc_after
FROM loss
WHERE vcpu = ?1
