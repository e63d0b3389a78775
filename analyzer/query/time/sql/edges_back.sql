-- Exits from row ?1 back to the first one.
SELECT rowid, vcpu
FROM exit
WHERE rowid <= ?1
ORDER BY rowid DESC
