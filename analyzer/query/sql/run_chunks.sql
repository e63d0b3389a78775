-- Whether run ?1 has exits in chunks.
SELECT EXISTS (
  SELECT 1
  FROM exit_chunk
  WHERE vcpu IN (SELECT vcpu FROM coverage WHERE run = ?1)
)
