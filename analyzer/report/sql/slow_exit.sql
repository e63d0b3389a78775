-- Exit ?1 of a run that starts at TSC ?2; columns S_... of rows.c.
SELECT
  tsc - ?2,
  vm,
  vcpu_id,
  reason_name,
  key_text,
  cycles,
  handler_cycles,
  userspace_cycles,
  preempted_cycles,
  halted_cycles,
  user_reason_name,
  pcpu,
  coalesce(rip, '-'),
  fastpath,
  no_reentry
FROM exits
WHERE id = ?1
