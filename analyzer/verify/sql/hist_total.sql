-- All histograms of the whole run ?1.
SELECT t.vcpu, t.reason, t.part, t.bucket, t.n
FROM vcpu c
CROSS JOIN exit_hist_total t ON t.vcpu = c.id
WHERE c.vm_id IN (SELECT id FROM vm WHERE run_id = ?1)
