-- All histograms of intervals of run ?1 that have a row per bucket.
SELECT h.vcpu, h.reason, h.part, h.bucket, h.n
FROM vcpu c
CROSS JOIN exit_hist h ON h.vcpu = c.id
WHERE c.vm_id IN (SELECT id FROM vm WHERE run_id = ?1)
