-- The steps of the tracepoints in run ?1, by vCPU.
SELECT
  c.id,
  c.vm_id AS vm,
  c.vcpu_id,
  c.vmfail,
  (
    SELECT coalesce(sum(a.n), 0)
    FROM crosscheck a
    WHERE a.run_id = ?1
      AND a.source = 'tracefs_ambiguous'
  ) AS ambiguous,
  (
    SELECT coalesce(sum(u.n_synth), 0)
    FROM exit_rollup u
    WHERE u.vcpu = c.id
  ) AS synthesized,
  k.name,
  sum(k.n) AS n
FROM crosscheck k
JOIN vcpu c ON c.id = k.vcpu
WHERE k.run_id = ?1
  AND k.source = 'tracefs_step'
GROUP BY c.id, k.name
ORDER BY c.id, k.name
