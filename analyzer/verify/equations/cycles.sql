-- The time of the records against that of the totals, where no record is missing.
SELECT c.vm, c.vcpu_id, c.reason, h.cycles, c.cycles, c.cycles - h.cycles, ''
FROM counts c
JOIN held h ON h.vcpu = c.vcpu AND h.reason = c.reason
WHERE c.cycles IS NOT NULL
  AND c.dropped + c.filtered + c.unread = 0
