-- Every VMX reason with what run ?1 has of it: exits; the parameters that rules[] of caps.c asks for;
-- whether guests may be nested.
WITH seen AS ( -- one row per basic reason
  SELECT e.reason & 0xffff AS number, sum(e.n) AS n
  FROM exit_rollup e
  JOIN vcpu ON vcpu.id = e.vcpu
  JOIN vm ON vm.id = vcpu.vm_id
  WHERE vm.run_id = ?1
  GROUP BY 1
)
SELECT
  r.number,
  r.name,
  r.kvm_handled,
  coalesce(seen.n, 0),
  run.module_parameters,
  coalesce(run.nested IN ('Y', '1'), 0)
FROM run
CROSS JOIN reasons r
LEFT JOIN seen ON seen.number = r.number
WHERE run.id = ?1
  AND r.isa = 1
ORDER BY r.number
