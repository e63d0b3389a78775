-- A piece of a chunk that has been written as a whole.
DELETE FROM exit_chunk
WHERE id = ?1;
