-- Gives take_rollup() of verify_sums.c all roll-ups of run ?1, by vCPU: the joins stand in the order
-- in which they are read. To sort them would take as long as to read them.
SELECT take_rollup(
  c.id,
  c.vm_id,
  c.vcpu_id,
  u.slot,
  u.reason,
  u.min_cycles,
  u.max_cycles,
  u.first_tsc,
  u.last_tsc,
  u.n,
  u.n_fastpath,
  u.n_nested,
  u.n_user,
  u.n_synth,
  u.cycles,
  u.halted_cycles,
  u.userspace_cycles,
  u.preempted_cycles,
  u.polled_cycles
)
FROM vcpu c NOT INDEXED
CROSS JOIN exit_rollup u ON u.vcpu = c.id
WHERE c.vm_id IN (SELECT id FROM vm WHERE run_id = ?1)
