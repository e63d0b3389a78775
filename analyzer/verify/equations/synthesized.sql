-- Exits that KVM synthesized: records against totals.
, by_reason AS (
  SELECT
    c.vm, c.vcpu_id, c.reason,
    coalesce(h.synth, 0) AS held,
    c.synth AS total,
    c.synth - coalesce(h.synth, 0) AS missing,
    c.dropped + c.filtered + c.unread + c.open_exits AS without_record
  FROM counts c
  LEFT JOIN held h ON h.vcpu = c.vcpu AND h.reason = c.reason
  WHERE c.reason IS NOT NULL
)
SELECT vm, vcpu_id, reason, held, total,
  CASE WHEN missing BETWEEN 0 AND without_record THEN 0 ELSE missing END,
  part(missing, 'dropped, filtered, before it was read or open')
FROM by_reason
WHERE held > 0
  OR total > 0
