-- The rows of table loss: view losses, with the vCPU's own number, as a vCPU may have had several
-- rings. ?1: run.id, ?2: its key on servers.
SELECT
  ?2 AS run,
  m.id AS vm,
  c.vcpu_id,
  l.vcpu,
  l.first_seq,
  l.n,
  (l.tsc_before - r.tsc_start) / r.tsc_khz * 1000000
    + (l.tsc_before - r.tsc_start) % r.tsc_khz * 1000000 / r.tsc_khz AS before_ns,
  (l.tsc_after - r.tsc_start) / r.tsc_khz * 1000000
    + (l.tsc_after - r.tsc_start) % r.tsc_khz * 1000000 / r.tsc_khz AS after_ns
FROM loss l
JOIN vcpu c ON c.id = l.vcpu
JOIN vm m ON m.id = c.vm_id
JOIN run r ON r.id = m.run_id
WHERE m.run_id = ?1
ORDER BY l.vcpu, l.first_seq
