-- Gaps of the sequence numbers against what the ring counted as dropped.
, by_vcpu AS (
  SELECT
    v.vm,
    v.vcpu_id,
    (SELECT coalesce(sum(l.n), 0) FROM loss l WHERE l.vcpu = v.id) AS gaps,
    (SELECT coalesce(sum(c.dropped), 0) FROM counts c WHERE c.vcpu = v.id) AS dropped
  FROM vcpus v
)
SELECT vm, vcpu_id, NULL, gaps, dropped, dropped - gaps, ''
FROM by_vcpu
WHERE EXISTS (SELECT 1 FROM crosscheck WHERE run_id = ?1 AND source = 'totals')
