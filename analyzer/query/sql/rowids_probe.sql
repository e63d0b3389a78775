-- The exit with rowid ?1, or the next one.
SELECT vcpu, tsc
FROM exit
WHERE rowid >= ?1
ORDER BY rowid
LIMIT 1
