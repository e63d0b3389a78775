-- Tables of schema versions 1 to 3 as they are now, for readers of old files: what they lack is
-- unknown. These TEMP views stand before the tables of the same names. In the place of "main." is
-- the name under which the file was opened (schema.c). Version 1 has its own roll-ups.
CREATE TEMP VIEW IF NOT EXISTS run AS
SELECT *, NULL AS features
FROM main.run;

CREATE TEMP VIEW IF NOT EXISTS exit AS
SELECT
  rowid AS rowid,
  *,
  NULL AS value,
  NULL AS requests,
  NULL AS entry_event,
  NULL AS polled_cycles,
  NULL AS run_errno,
  NULL AS entry_error_code
FROM main.exit;

CREATE TEMP VIEW IF NOT EXISTS exit_rollup AS
SELECT *, NULL AS polled_cycles
FROM main.exit_rollup;

CREATE TEMP VIEW IF NOT EXISTS exit_rollup_coarse AS
SELECT *, NULL AS polled_cycles
FROM main.exit_rollup_coarse;
