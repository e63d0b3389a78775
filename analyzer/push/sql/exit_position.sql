-- The last of the run's exits up to a row number. ?1: run.id, ?2: the row number.
SELECT
  e.rowid AS id,
  e.vcpu,
  e.seq
FROM exit e
CROSS JOIN vcpu c ON c.id = e.vcpu
JOIN vm m ON m.id = c.vm_id
WHERE m.run_id = ?1
  AND e.rowid <= ?2
ORDER BY e.rowid DESC
LIMIT 1
