SELECT reason, part, bucket, n
FROM exit_hist
WHERE vcpu = :vcpu;
