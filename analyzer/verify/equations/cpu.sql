-- The exits that the emulated CPU itself has made against the totals page, by vCPU and reason. Both
-- count every exit since the vCPU's creation, whether recorded or not, so nothing explains a
-- difference. A vCPU without any record can't be distinguished by the CPU: it is left out.
, made AS ( -- one row per vCPU and reason
  SELECT v.vm, v.vcpu_id, k.vcpu, k.reason, sum(k.n) AS n
  FROM crosscheck k
  JOIN vcpus v ON v.id = k.vcpu
  WHERE k.run_id = ?1
    AND k.source = 'cpu'
    AND k.name = 'exits'
  GROUP BY k.vcpu, k.reason
)
SELECT vm, vcpu_id, reason, sum(cpu), sum(kvm), sum(cpu) - sum(kvm), ''
FROM (
  SELECT vm, vcpu_id, vcpu, reason, n AS cpu, 0 AS kvm
  FROM made
  UNION ALL
  SELECT vm, vcpu_id, vcpu, reason, 0, real
  FROM counts
  WHERE vcpu IN (SELECT vcpu FROM made)
)
WHERE EXISTS (SELECT 1 FROM crosscheck WHERE run_id = ?1 AND source = 'totals')
GROUP BY vcpu, reason
HAVING sum(cpu) + sum(kvm) > 0
