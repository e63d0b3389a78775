-- Sums since the last flush are added to those that are there.
INSERT INTO exit_rollup
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
  n = n + excluded.n,
  cycles = cycles + excluded.cycles,
  halted_cycles = halted_cycles + excluded.halted_cycles,
  userspace_cycles = userspace_cycles + excluded.userspace_cycles,
  preempted_cycles = preempted_cycles + excluded.preempted_cycles,
  min_cycles = min(min_cycles, excluded.min_cycles),
  max_cycles = max(max_cycles, excluded.max_cycles),
  n_fastpath = n_fastpath + excluded.n_fastpath,
  n_nested = n_nested + excluded.n_nested,
  n_user = n_user + excluded.n_user,
  n_synth = n_synth + excluded.n_synth,
  first_tsc = min(first_tsc, excluded.first_tsc),
  last_tsc = max(last_tsc, excluded.last_tsc),
  polled_cycles = polled_cycles + excluded.polled_cycles;
