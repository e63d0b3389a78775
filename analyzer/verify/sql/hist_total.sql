-- The histogram of the whole run of vCPU ?1.
SELECT reason, part, bucket, n
FROM exit_hist_total
WHERE vcpu = ?1
