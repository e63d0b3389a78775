-- The vCPUs of run ?1, which starts at TSC ?2 and lasts ?3 cycles, and when each of them lived, in
-- cycles since the start. A vCPU whose first exit was recorded lives from that one on: it cannot have
-- run before. One without any exit never ran, and has no life. One that was destroyed ends with its
-- last exit, which is at most as long as the longest of its reason in that interval.
SELECT
  c.vcpu,
  c.vm,
  c.vcpu_id,
  c.tgid,
  CASE
    WHEN c.unread > 0 THEN 0
    WHEN c.recorded + c.dropped + c.filtered = 0 THEN ?3
    ELSE coalesce((
      SELECT min(first_tsc)
      FROM exit_rollup
      WHERE vcpu = c.vcpu
        AND slot = (SELECT min(slot) FROM exit_rollup WHERE vcpu = c.vcpu)
    ) - ?2, 0)
  END,
  CASE
    WHEN c.ended THEN coalesce((
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
WHERE c.run = ?1
ORDER BY c.vm, c.vcpu_id, c.vcpu
