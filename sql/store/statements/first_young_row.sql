-- ?1: the first row of the run that is there; ?2: the oldest TSC that is kept.
SELECT rowid
FROM exit
WHERE rowid >= ?1
  AND tsc >= ?2
ORDER BY rowid
LIMIT 1;
