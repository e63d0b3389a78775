-- TSC of the first single exit that run ?1 still has. Rows of a run stand in order of arrival.
SELECT tsc
FROM exit
WHERE vcpu IN (SELECT vcpu FROM coverage WHERE run = ?1)
ORDER BY rowid
LIMIT 1
