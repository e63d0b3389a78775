-- The vCPUs of run ?1, which starts at TSC ?2 and lasts ?3 cycles, and when each of them lived, in
-- cycles since the start. A vCPU whose first exit was recorded lives from that one on: it cannot
-- have run before. That it was the first one only our ring says, or that the VM began after the run, and
-- nothing where exits are missing before it: such a vCPU lives from the start. When a VM began is
-- known to a second (btime of /proc/stat), rounded down. One without any exit never ran, and has no
-- life. One that was destroyed ends with its last exit, which is at most as long as the longest of
-- its reason in that interval, if that one was recorded.
SELECT
  c.vcpu,
  c.vm,
  c.vcpu_id,
  c.tgid,
  CASE
    WHEN c.unread > 0 THEN 0
    WHEN c.recorded + c.dropped + c.filtered = 0 THEN ?3
    WHEN c.filtered > 0 THEN 0
    WHEN EXISTS (SELECT 1 FROM loss WHERE vcpu = c.vcpu AND tsc_before IS NULL) THEN 0
    WHEN NOT r.source IN ('device', 'capture')
      AND coalesce(i.started_ns, 0) < r.started_ns - 1100000000
    THEN 0
    ELSE coalesce((
      SELECT min(first_tsc)
      FROM exit_rollup
      WHERE vcpu = c.vcpu
        AND slot = (SELECT min(slot) FROM exit_rollup WHERE vcpu = c.vcpu)
    ) - ?2, 0)
  END,
  CASE
    WHEN c.ended
      AND c.filtered = 0
      AND NOT EXISTS (SELECT 1 FROM loss WHERE vcpu = c.vcpu AND tsc_after IS NULL)
    THEN coalesce((
      SELECT max(last_tsc + max_cycles)
      FROM exit_rollup
      WHERE vcpu = c.vcpu
        AND slot = (SELECT max(slot) FROM exit_rollup WHERE vcpu = c.vcpu)
    ) - ?2, ?3)
    ELSE ?3
  END,
  c.recorded,
  c.dropped,
  c.filtered,
  c.unread
FROM coverage c
JOIN run r ON r.id = c.run
LEFT JOIN vm_identity i ON i.vm = c.vm
WHERE c.run = ?1
ORDER BY c.vm, c.vcpu_id, c.vcpu
