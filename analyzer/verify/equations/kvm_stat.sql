-- KVM's own count of a VM's exits against the totals pages of all its vCPUs, both read at the end.
, statistic AS (
  SELECT
    v.vm,
    sum(k.n) FILTER (WHERE k.source = 'kvm_stat_vm' AND k.name = 'exits') AS n,
    sum(k.n) FILTER (WHERE k.source = 'kvm_stat_bound' AND k.name = 'at least') AS low,
    sum(k.n) FILTER (WHERE k.source = 'kvm_stat_bound' AND k.name = 'at most') AS high
  FROM crosscheck k
  JOIN vcpus v ON v.id = k.vcpu
  WHERE k.run_id = ?1
  GROUP BY v.vm
)
SELECT vm, NULL, NULL, n, low,
  CASE
    WHEN n < low THEN n - low
    WHEN n > high THEN n - high
    ELSE 0
  END,
  part(high - low, 'while it was read')
FROM statistic
WHERE n IS NOT NULL
  AND low IS NOT NULL
