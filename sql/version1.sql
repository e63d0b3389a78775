-- The tables of schema.sql that were different in version 1 (PRAGMA user_version).
DROP TABLE exit_rollup;
DROP TABLE exit_rollup_coarse;

CREATE TABLE exit_rollup (
  vcpu            INTEGER NOT NULL REFERENCES vcpu(id) ON DELETE CASCADE,
  slot            INTEGER NOT NULL,
  reason          INTEGER NOT NULL,
  n               INTEGER NOT NULL,
  cycles          INTEGER NOT NULL,
  halted_cycles   INTEGER NOT NULL,
  userspace_cycles INTEGER NOT NULL,
  preempted_cycles INTEGER NOT NULL,
  min_cycles      INTEGER NOT NULL,
  max_cycles      INTEGER NOT NULL,
  n_fastpath      INTEGER NOT NULL,
  n_nested        INTEGER NOT NULL,
  n_user          INTEGER NOT NULL,   -- returned to user space
  n_synth         INTEGER NOT NULL,   -- synthesized, no VM entry took place
  first_tsc       INTEGER NOT NULL,
  last_tsc        INTEGER NOT NULL,
  PRIMARY KEY (vcpu, slot, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE exit_rollup_coarse (
  vcpu            INTEGER NOT NULL REFERENCES vcpu(id) ON DELETE CASCADE,
  level           INTEGER NOT NULL,
  slot            INTEGER NOT NULL,
  reason          INTEGER NOT NULL,
  n               INTEGER NOT NULL,
  cycles          INTEGER NOT NULL,
  halted_cycles   INTEGER NOT NULL,
  userspace_cycles INTEGER NOT NULL,
  preempted_cycles INTEGER NOT NULL,
  min_cycles      INTEGER NOT NULL,
  max_cycles      INTEGER NOT NULL,
  n_fastpath      INTEGER NOT NULL,
  n_nested        INTEGER NOT NULL,
  n_user          INTEGER NOT NULL,
  n_synth         INTEGER NOT NULL,
  first_tsc       INTEGER NOT NULL,
  last_tsc        INTEGER NOT NULL,
  PRIMARY KEY (vcpu, level, slot, reason)
) STRICT, WITHOUT ROWID;
