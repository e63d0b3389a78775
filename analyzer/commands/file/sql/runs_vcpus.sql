-- The VMs and vCPUs of all recordings.
SELECT
  c.run,
  c.vm,
  c.tgid,
  c.comm,
  v.name,
  v.name_source,
  v.uuid,
  v.started,
  c.vcpu_id,
  c.tid,
  c.thread,
  c.recorded,
  c.dropped,
  c.filtered,
  c.unread,
  c.coverage,
  EXISTS (
    SELECT 1
    FROM crosscheck k
    WHERE k.run_id = c.run
      AND k.source = 'trace'
      AND k.name = 'dropped at most'
  )
FROM coverage c
JOIN vms v USING (vm)
ORDER BY c.run, c.vm, c.vcpu_id, c.vcpu
