-- exitscope: tables of a ClickHouse server, for 18.16 (Debian's) and later ones.
--
-- analyzer push --create makes them. Each row holds all that is needed to read it, so that no view
-- has to join large tables. What is sent twice has the same key and is one row: the engine keeps
-- the row with the largest ver (or the last one), and the views read with FINAL, so a row that is
-- not merged away yet counts for nothing.
--
-- run: a hash of host, kernel, clock and TSC at the start and number in the file, so the same
-- recording has it wherever it is pushed from. day: when the run began; partitions are months of
-- it, to be dropped when they are too old. *_cycles are TSC cycles.
--
-- analyzer/push/table.c reads names and types of the columns from this file: one column a line.

CREATE DATABASE IF NOT EXISTS exitscope;

-- A recording, as SQLite's view runs has it. run_id: its number in the file.
CREATE TABLE IF NOT EXISTS exitscope.run (
  run UInt64,
  run_id Int64,
  label String,
  source String,
  state String,
  environment String,
  isa_name String,
  started Nullable(String),
  duration_ns Int64,
  duration_cycles Int64,
  vms UInt64,
  vcpus UInt64,
  exits UInt64,
  dropped UInt64,
  filtered UInt64,
  unread UInt64,
  open_exits UInt64,
  vmfail UInt64,
  coverage Nullable(Float64),
  has_raw UInt8,
  has_split UInt8,
  tsc_khz UInt64,
  tsc_start UInt64,
  started_ns Int64,
  command Nullable(String),
  host Nullable(String),
  kernel Nullable(String),
  cpu_model Nullable(String),
  microcode Nullable(String),
  ept Nullable(String),
  vpid Nullable(String),
  unrestricted_guest Nullable(String),
  nested Nullable(String),
  module_parameters Nullable(String),
  collector String,
  has_durations UInt8,
  dropped_is_estimate UInt8,
  has_polled UInt8,
  has_value UInt8,
  has_requests UInt8,
  has_event UInt8,
  unseen UInt64,
  ver UInt64
) ENGINE = ReplacingMergeTree(ver) ORDER BY run;

-- A VM, as view vms has it.
CREATE TABLE IF NOT EXISTS exitscope.vm (
  run UInt64,
  vm Int64,
  kvm_vm_id Int64,
  tgid Int64,
  comm Nullable(String),
  name Nullable(String),
  name_source Nullable(String),
  vmm Nullable(String),
  uuid Nullable(String),
  unit Nullable(String),
  container Nullable(String),
  started Nullable(String),
  label String,
  ver UInt64
) ENGINE = ReplacingMergeTree(ver) ORDER BY (run, vm);

-- A vCPU, as view coverage has it.
CREATE TABLE IF NOT EXISTS exitscope.vcpu (
  run UInt64,
  vm Int64,
  tgid Int64,
  comm Nullable(String),
  vcpu_id Int64,
  vcpu Int64,
  ring_id Int64,
  recorded UInt64,
  dropped UInt64,
  filtered UInt64,
  unread UInt64,
  open_exits UInt64,
  vmfail UInt64,
  ended UInt8,
  coverage Nullable(Float64),
  tid Nullable(Int64),
  thread Nullable(String),
  ver UInt64
) ENGINE = ReplacingMergeTree(ver) ORDER BY (run, vcpu);

-- In which states a vCPU was (analyzer states). wall: its time; the other seven add up to it.
-- polled is 0 and in halted where has_polled is 0. unknown is NULL where exits are missing and nothing
-- says how long they took: that time is in guest.
CREATE TABLE IF NOT EXISTS exitscope.vcpu_state (
  run UInt64,
  vm Int64,
  vcpu_id Int64,
  host Nullable(String),
  vm_label String,
  tsc_khz UInt64,
  has_polled UInt8,
  wall_cycles Float64,
  guest_cycles Float64,
  handler_cycles Float64,
  userspace_cycles Float64,
  polled_cycles Float64,
  halted_cycles Float64,
  waiting_cycles Float64,
  unknown_cycles Nullable(Float64),
  ver UInt64
) ENGINE = ReplacingMergeTree(ver) ORDER BY (run, vm, vcpu_id);

-- Where records are missing, as view losses has it.
CREATE TABLE IF NOT EXISTS exitscope.loss (
  run UInt64,
  vm Int64,
  vcpu_id Int64,
  vcpu Int64,
  first_seq Int64,
  n UInt64,
  before_ns Nullable(Int64),
  after_ns Nullable(Int64)
) ENGINE = ReplacingMergeTree(n) ORDER BY (run, vcpu, first_seq);

-- Counts by other sources, as view crosschecks has them, once the run has ended. row: from 1.
CREATE TABLE IF NOT EXISTS exitscope.crosscheck (
  run UInt64,
  row UInt64,
  vm Nullable(Int64),
  vcpu_id Nullable(Int64),
  source String,
  name String,
  basic_reason Nullable(Int64),
  reason_name Nullable(String),
  n Int64,
  cycles Nullable(Int64)
) ENGINE = ReplacingMergeTree ORDER BY (run, row);

-- What each exit reason means.
CREATE TABLE IF NOT EXISTS exitscope.reason (
  isa UInt8,
  isa_name String,
  number Int64,
  name String,
  sdm_defined UInt8,
  kvm_handled UInt8,
  meaning String,
  causes String,
  remedy String
) ENGINE = ReplacingMergeTree ORDER BY (isa, number);

-- Exact sums of an interval, vCPU and full reason. slot: the interval's number from the start of
-- the run, slot_cycles: how long it is. An interval that goes on is sent again with more exits.
-- What the recording does not know is NULL.
CREATE TABLE IF NOT EXISTS exitscope.exit_rollup (
  day Date,
  run UInt64,
  vm Int64,
  vcpu_id Int64,
  vcpu Int64,
  slot Int64,
  reason UInt64,
  basic_reason UInt64,
  reason_name String,
  slot_cycles Int64,
  exits UInt64,
  cycles Nullable(UInt64),
  halted_cycles Nullable(UInt64),
  userspace_cycles Nullable(UInt64),
  preempted_cycles Nullable(UInt64),
  min_cycles Nullable(UInt64),
  max_cycles Nullable(UInt64),
  fastpath Nullable(UInt64),
  nested Nullable(UInt64),
  to_user Nullable(UInt64),
  synthesized Nullable(UInt64),
  first_tsc Nullable(UInt64),
  last_tsc UInt64,
  tsc_start UInt64,
  tsc_khz UInt64,
  polled_cycles Nullable(UInt64)
) ENGINE = ReplacingMergeTree(exits) PARTITION BY toYYYYMM(day) ORDER BY (run, vcpu, slot, reason);

-- Histograms of the durations of an interval (1 s), vCPU and full reason: exits[i] exits are in
-- bucket[i]; sql/hist.h says what a bucket is. part: 0 exit to entry, 1 handler.
CREATE TABLE IF NOT EXISTS exitscope.exit_hist (
  day Date,
  run UInt64,
  vm Int64,
  vcpu_id Int64,
  vcpu Int64,
  slot Int64,
  reason UInt64,
  basic_reason UInt64,
  reason_name String,
  slot_cycles Int64,
  tsc_khz UInt64,
  part UInt8,
  n UInt64,
  bucket Array(UInt16),
  exits Array(UInt64)
) ENGINE = ReplacingMergeTree(n) PARTITION BY toYYYYMM(day) ORDER BY (run, vcpu, slot, reason, part);

-- Single exits (push --raw). What the recording does not know, or --without left out, is NULL.
CREATE TABLE IF NOT EXISTS exitscope.exit (
  day Date,
  run UInt64,
  id Int64,
  vm Int64,
  vcpu_id Int64,
  vcpu Int64,
  seq UInt64,
  isa UInt8,
  tsc_khz UInt64,
  tsc_start UInt64,
  tsc UInt64,
  reason UInt64,
  reason_name String,
  flags Nullable(UInt64),
  cycles Nullable(UInt64),
  halted_cycles Nullable(UInt64),
  userspace_cycles Nullable(UInt64),
  preempted_cycles Nullable(UInt64),
  rip Nullable(UInt64),
  key Nullable(Int64),
  key_aux Nullable(Int64),
  qualification Nullable(Int64),
  info2 Nullable(Int64),
  intr_info Int64,
  error_code Int64,
  user_reason UInt8,
  pcpu UInt32,
  cr3 Nullable(UInt64),
  polled_cycles Nullable(UInt64),
  value Nullable(Int64),
  requests Nullable(Int64),
  entry_event Nullable(UInt32),
  event_error_code Nullable(UInt32),
  run_errno Nullable(Int32),
  request_names Nullable(String)
) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(day) ORDER BY (run, vcpu, seq);
