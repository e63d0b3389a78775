-- The chunks from ?1 on whose exits are all older than TSC ?2.
DELETE FROM exit_chunk
WHERE id >= ?1
  AND last_tsc < ?2;
