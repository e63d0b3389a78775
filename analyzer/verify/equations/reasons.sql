-- The records that the file holds against the always-on totals, by reason. The open exit has one of
-- the reasons.
, by_reason AS ( -- missing: neither in the file nor accounted for
  SELECT
    c.vm, c.vcpu_id, c.vcpu, c.reason, c.open_exits, c.dropped, c.filtered, c.unread,
    coalesce(h.n, 0) AS held,
    c.real + c.synth AS total,
    c.real + c.synth - coalesce(h.n, 0) - c.dropped - c.filtered - c.unread AS missing
  FROM counts c
  LEFT JOIN held h ON h.vcpu = c.vcpu AND h.reason = c.reason
  WHERE c.real + c.synth > 0
)
SELECT vm, vcpu_id, reason, held, total,
  CASE WHEN missing BETWEEN 0 AND open_exits THEN 0 ELSE missing END,
  part(dropped, 'dropped')
    || part(filtered, 'filtered')
    || part(unread, 'before it was read')
    || part(missing, 'not re-entered yet')
FROM by_reason
WHERE reason IS NOT NULL
UNION ALL
-- reasons that the totals don't have; those with totals of all reasons in one have none by reason
SELECT vm, vcpu_id, reason, n, 0, n, ''
FROM held h
WHERE EXISTS (SELECT 1 FROM crosscheck WHERE run_id = ?1 AND source = 'totals')
  AND NOT EXISTS (SELECT 1 FROM by_reason b WHERE b.vcpu = h.vcpu AND b.reason = h.reason)
  AND NOT EXISTS (SELECT 1 FROM by_reason b WHERE b.vcpu = h.vcpu AND b.reason IS NULL)
