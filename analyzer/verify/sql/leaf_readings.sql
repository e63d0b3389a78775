-- What the guests of run ?1 read from the leaves, in the order in which they wrote it.
SELECT leaf, reason, eax, ebx, ecx, edx
FROM leaf_reading
WHERE run_id = ?1
ORDER BY seq
