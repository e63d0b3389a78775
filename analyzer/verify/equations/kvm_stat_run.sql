-- KVM's own count of a VM's exits against what was recorded, of VMs that were recorded from their
-- creation on and did not run while the statistic was read.
, checks AS (
  SELECT
    v.vm,
    sum(k.n) FILTER (WHERE k.source = 'kvm_stat_vm' AND k.name = 'exits') AS n,
    max(k.n) FILTER (WHERE k.source = 'kvm_stat_bound')
      - min(k.n) FILTER (WHERE k.source = 'kvm_stat_bound') AS moving,
    count(*) FILTER (WHERE k.source = 'match' AND k.name = 'before') AS late
  FROM crosscheck k
  JOIN vcpus v ON v.id = k.vcpu
  WHERE k.run_id = ?1
  GROUP BY v.vm
),
totals AS (
  SELECT vm, sum(real + synth) AS total, sum(synth) AS synth
  FROM counts
  GROUP BY vm
),
by_vm AS (
  SELECT
    vm,
    sum(vmfail) AS vmfail,
    sum(unread) AS unread,
    (SELECT coalesce(sum(r.n), 0) FROM reentered r WHERE r.vm = vcpus.vm) AS again
  FROM vcpus
  GROUP BY vm
)
SELECT vm, NULL, NULL, n, total + vmfail, n + again - total - vmfail,
  part(synth, 'synthesized')
    || part(vmfail, 'VMfail')
    || part(again, 'entered again by a fastpath, not counted')
FROM by_vm
JOIN checks USING (vm)
JOIN totals USING (vm)
WHERE n IS NOT NULL
  AND moving = 0
  AND late = 0
  AND unread = 0
  AND n + again >= total
