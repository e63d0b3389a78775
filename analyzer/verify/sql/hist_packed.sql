-- All packed histograms of intervals of run ?1.
SELECT p.vcpu, p.reason, p.cycles, p.handler_cycles
FROM vcpu c
CROSS JOIN exit_hist_packed p ON p.vcpu = c.id
WHERE c.vm_id IN (SELECT id FROM vm WHERE run_id = ?1)
