-- Exits of run ?1 without a record: of VM ?2, or of all where it is NULL.
SELECT coalesce(sum(c.dropped + c.unread), 0)
FROM vcpu c
JOIN vm m ON m.id = c.vm_id
WHERE m.run_id = ?1
  AND m.id = coalesce(?2, m.id)
