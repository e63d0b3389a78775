-- Each record, by the vCPU's id and seq.
SELECT
  vcpu,
  seq,
  tsc,
  cycles,
  halted_cycles + userspace_cycles + preempted_cycles AS not_handler_cycles,
  rip,
  cr3,
  qualification,
  info2,
  key,
  key_aux,
  reason,
  flags,
  intr_info,
  error_code,
  pcpu
FROM exit
ORDER BY vcpu, seq
