-- The reason of the last exit that vCPU ?1 began before interval ?2: when it began, the sums of
-- that reason in its interval, the reason, its longest exit, and the time until the vCPU's next
-- exit (NULL: there is none, or it is unknown).
SELECT
  last_tsc,
  cycles,
  halted_cycles,
  userspace_cycles,
  preempted_cycles,
  polled_cycles,
  reason,
  max_cycles,
  (
    SELECT min(first_tsc)
    FROM exit_rollup
    WHERE vcpu = ?1
      AND slot = (SELECT min(slot) FROM exit_rollup WHERE vcpu = ?1 AND slot >= ?2)
  ) - last_tsc
FROM exit_rollup
WHERE vcpu = ?1
  AND slot = (SELECT max(slot) FROM exit_rollup WHERE vcpu = ?1 AND slot < ?2)
ORDER BY last_tsc DESC
LIMIT 1
