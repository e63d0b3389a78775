-- vCPUs of run ?1 and what their recordings miss.
SELECT
  vcpu,
  vm,
  tgid,
  comm,
  vcpu_id,
  dropped,
  filtered,
  unread,
  vmfail,
  coverage
FROM coverage
WHERE run = ?1
ORDER BY vm, vcpu_id, vcpu
