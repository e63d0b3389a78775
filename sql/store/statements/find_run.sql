-- The run, or the last one for :run 0.
SELECT id
FROM run
WHERE id = :run
   OR :run = 0
ORDER BY id DESC
LIMIT 1;
