-- Roll-ups of schema version 1 as version 2 has them, for readers of old files: where
-- version 1 lost the shortest time and the first TSC (both 0), they are unknown. These
-- TEMP views stand before the tables of the same names.
CREATE TEMP VIEW exit_rollup AS
SELECT
  vcpu, slot, reason, n, cycles, halted_cycles, userspace_cycles, preempted_cycles,
  CASE WHEN min_cycles <> 0 OR first_tsc <> 0 THEN min_cycles END AS min_cycles,
  max_cycles, n_fastpath, n_nested, n_user, n_synth,
  CASE WHEN min_cycles <> 0 OR first_tsc <> 0 THEN first_tsc END AS first_tsc,
  last_tsc
FROM main.exit_rollup;

CREATE TEMP VIEW exit_rollup_coarse AS
SELECT
  vcpu, level, slot, reason, n, cycles, halted_cycles, userspace_cycles, preempted_cycles,
  CASE WHEN min_cycles <> 0 OR first_tsc <> 0 THEN min_cycles END AS min_cycles,
  max_cycles, n_fastpath, n_nested, n_user, n_synth,
  CASE WHEN min_cycles <> 0 OR first_tsc <> 0 THEN first_tsc END AS first_tsc,
  last_tsc
FROM main.exit_rollup_coarse;
