-- The rows of table loss: view losses, with the vCPU's own number. ?1: run.id, ?2: its key on servers.
SELECT
  ?2 AS run,
  l.vm,
  l.vcpu_id,
  t.vcpu,
  l.first_seq,
  l.n,
  l.before_ns,
  l.after_ns
FROM losses l
JOIN coverage t ON t.run = l.run AND t.vm = l.vm AND t.vcpu_id = l.vcpu_id
WHERE l.run = ?1
ORDER BY t.vcpu, l.first_seq
