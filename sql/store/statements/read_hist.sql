SELECT reason, cycles, coalesce(handler_cycles, cycles)
FROM exit_hist_packed
WHERE vcpu = :vcpu;
