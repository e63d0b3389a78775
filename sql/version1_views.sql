-- Roll-ups of schema version 1 as they are now, for readers of old files: where
-- version 1 lost the shortest time and the first TSC (both 0), they are unknown; as in
-- version3_views.sql.
CREATE TEMP VIEW IF NOT EXISTS exit_rollup AS
SELECT
  vcpu, slot, reason, n, cycles, halted_cycles, userspace_cycles, preempted_cycles,
  CASE WHEN min_cycles <> 0 OR first_tsc <> 0 THEN min_cycles END AS min_cycles,
  max_cycles, n_fastpath, n_nested, n_user, n_synth,
  CASE WHEN min_cycles <> 0 OR first_tsc <> 0 THEN first_tsc END AS first_tsc,
  last_tsc, NULL AS polled_cycles
FROM main.exit_rollup;

CREATE TEMP VIEW IF NOT EXISTS exit_rollup_coarse AS
SELECT
  vcpu, level, slot, reason, n, cycles, halted_cycles, userspace_cycles, preempted_cycles,
  CASE WHEN min_cycles <> 0 OR first_tsc <> 0 THEN min_cycles END AS min_cycles,
  max_cycles, n_fastpath, n_nested, n_user, n_synth,
  CASE WHEN min_cycles <> 0 OR first_tsc <> 0 THEN first_tsc END AS first_tsc,
  last_tsc, NULL AS polled_cycles
FROM main.exit_rollup_coarse;
