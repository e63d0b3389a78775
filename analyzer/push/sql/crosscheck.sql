-- The rows of table crosscheck. ?1: run.id, ?2: its key on servers, ?4: ended; until then they change.
SELECT
  ?2 AS run,
  row_number() OVER () AS row,
  vm,
  vcpu_id,
  source,
  name,
  basic_reason,
  reason_name,
  n,
  cycles
FROM crosschecks
WHERE run = ?1
  AND ?4
