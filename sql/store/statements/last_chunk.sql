-- The highest id that a chunk has; 0: there are none.
SELECT coalesce(max(id), 0)
FROM exit_chunk;
