SELECT reason, cycles, coalesce(handler_cycles, cycles)
FROM exit_hist_packed
WHERE vcpu = :vcpu
  AND reason BETWEEN :from AND :to;
