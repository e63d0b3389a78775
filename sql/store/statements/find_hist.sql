-- The histograms that an earlier flush has written.
SELECT cycles, coalesce(handler_cycles, cycles)
FROM exit_hist_packed
WHERE vcpu = ?
  AND slot = ?
  AND reason = ?;
