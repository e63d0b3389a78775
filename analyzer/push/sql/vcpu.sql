-- The rows of table vcpu. ?1: run.id, ?2: its key on servers, ?3: ver.
SELECT
  ?2 AS run,
  vm,
  tgid,
  comm,
  vcpu_id,
  vcpu,
  ring_id,
  recorded,
  dropped,
  filtered,
  unread,
  open_exits,
  vmfail,
  ended,
  coverage,
  tid,
  thread,
  ?3 AS ver
FROM coverage
WHERE run = ?1
