-- What is missing of one vCPU's recording: ?1 vCPU, ?2 the TSC at its start.
SELECT
  dropped,
  open_exits,
  (SELECT sum(cycles) FROM crosscheck WHERE vcpu = ?1 AND source = 'totals'),
  (
    SELECT max(last_tsc + max_cycles)
    FROM exit_rollup
    WHERE vcpu = ?1
      AND slot = (SELECT max(slot) FROM exit_rollup WHERE vcpu = ?1)
  ) - ?2,
  filtered
FROM vcpu
WHERE id = ?1
