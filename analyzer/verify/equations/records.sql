-- The records that the file holds against the always-on totals, all exits of a vCPU. At most one exit
-- of a vCPU can be open.
, by_vcpu AS (
  SELECT
    v.vm,
    v.vcpu_id,
    min(v.open_exits, 1) AS open,
    sum(c.real + c.synth) AS total,
    sum(c.dropped) AS dropped,
    sum(c.filtered) AS filtered,
    sum(c.unread) AS unread,
    (SELECT coalesce(sum(h.n), 0) FROM held h WHERE h.vcpu = v.id) AS held
  FROM vcpus v
  JOIN counts c ON c.vcpu = v.id
  GROUP BY v.id
)
SELECT vm, vcpu_id, NULL, held, total,
  total - held - dropped - filtered - unread - open,
  part(dropped, 'dropped')
    || part(filtered, 'filtered')
    || part(unread, 'before it was read')
    || part(open, 'not re-entered yet')
FROM by_vcpu
WHERE EXISTS (SELECT 1 FROM crosscheck WHERE run_id = ?1 AND source = 'totals')
