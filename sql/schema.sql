-- exitscope: tables of a recording. Tables may change with user_version and a
-- migration; the public interface are the views (views.sql.in).
--
-- Times are TSC cycles (columns *_cycles, tsc); run.tsc_khz turns them into ns.
-- 64-bit values (guest RIP, CR3, qualification, key) are stored as SQLite's
-- signed 64-bit integers: print them with printf('%016x').
--
-- A column whose comment begins with a version in brackets, [4], is not there in files of
-- versions before it. Such columns are the last ones of their tables and may be NULL: rows of
-- older files end before them, and SQLite reads NULL there. old_schema.awk makes the older
-- tables of this file, to know old files by.

PRAGMA application_id = 0x65786974; -- "exit"
PRAGMA user_version = 4;

-- One recording.
CREATE TABLE run (
  id              INTEGER PRIMARY KEY,
  label           TEXT NOT NULL,      -- --label, else the command, the capture's label, the name of the imported file or "run N"
  source          TEXT NOT NULL,      -- device | bpf | capture | tracefs | perf.data | trace.dat | text
  state           TEXT NOT NULL DEFAULT 'recording', -- recording | complete | interrupted
  isa             INTEGER NOT NULL,   -- 1 VMX, 2 SVM (KVM_EXIT_ISA_*)
  tsc_khz         INTEGER NOT NULL,   -- TSC frequency in kHz
  tsc_start       INTEGER NOT NULL,   -- TSC when recording began, in cycles
  tsc_end         INTEGER,            -- TSC when recording ended; NULL while it runs
  started_ns      INTEGER NOT NULL,   -- CLOCK_REALTIME at the start, ns since 1970
  ended_ns        INTEGER,            -- CLOCK_REALTIME at the end, ns since 1970
  rollup_cycles   INTEGER NOT NULL,   -- width of one exit_rollup interval, in cycles
  hist_cycles     INTEGER NOT NULL,   -- width of one exit_hist interval, in cycles
  has_raw         INTEGER NOT NULL DEFAULT 1, -- 0: no rows in exit (--no-raw, --counts-only); 2: only the last ones (--keep-raw, --keep-rows); 3: only those around events (--trigger)
  has_split       INTEGER NOT NULL DEFAULT 1, -- 0: the four parts are unknown (source tracefs, perf.data)
  environment     TEXT NOT NULL DEFAULT 'unknown', -- metal | vm | emulated (times are not real; Bochs: 1 cycle = 1 instruction) | unknown
  command         TEXT,               -- the recorded command, if any
  host            TEXT,               -- node name
  kernel          TEXT,               -- uname -r and -v
  cpu_model       TEXT,
  microcode       TEXT,
  ept             TEXT,               -- kvm_intel.ept (or kvm_amd.npt), as sysfs shows it
  vpid            TEXT,
  unrestricted_guest TEXT,
  nested          TEXT,
  module_parameters TEXT,             -- JSON object: all of kvm, kvm_intel / kvm_amd
  collector       TEXT NOT NULL,      -- version that wrote it
  features        INTEGER             -- [4] KVM_EXIT_FEAT_* of the source, which see; NULL: unknown
) STRICT;

-- One virtual machine seen in a run.
CREATE TABLE vm (
  id              INTEGER PRIMARY KEY,
  run_id          INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  kvm_vm_id       INTEGER NOT NULL,   -- vm_id of the ring ABI
  tgid            INTEGER NOT NULL,   -- process that made it
  comm            TEXT,               -- that process's name
  UNIQUE (run_id, kvm_vm_id)
) STRICT;

-- One vCPU (one ring) seen in a run, with its counts at the end of the run.
CREATE TABLE vcpu (
  id              INTEGER PRIMARY KEY,
  vm_id           INTEGER NOT NULL REFERENCES vm(id) ON DELETE CASCADE,
  vcpu_id         INTEGER NOT NULL,   -- id given to KVM_CREATE_VCPU
  ring_id         INTEGER NOT NULL,   -- ring_id of the ring ABI; 0 where there was no ring
  recorded        INTEGER NOT NULL DEFAULT 0, -- records read
  dropped         INTEGER NOT NULL DEFAULT 0, -- lost because the ring was full (= sum of loss.n)
  filtered        INTEGER NOT NULL DEFAULT 0, -- left out by the in-kernel filter
  unread          INTEGER NOT NULL DEFAULT 0, -- exits before the reader came
  open_exits      INTEGER NOT NULL DEFAULT 0, -- 1: its last exit had not re-entered at the end
  vmfail          INTEGER NOT NULL DEFAULT 0, -- VMfail: VMLAUNCH or VMRESUME failed before the guest's state was loaded; no exit
  ended           INTEGER NOT NULL DEFAULT 0, -- 1: destroyed before the run ended
  UNIQUE (vm_id, vcpu_id, ring_id)
) STRICT;

-- What the host of the recording called a VM, from /proc of its process while it ran.
-- No row: unknown (an import of another tool's file, a process that had ended, a file
-- that was made before names were stored).
CREATE TABLE vm_identity (
  vm              INTEGER PRIMARY KEY REFERENCES vm(id) ON DELETE CASCADE,
  name            TEXT NOT NULL,
  name_source     TEXT NOT NULL,      -- qemu (-name) | libvirt | firecracker | cloud-hypervisor | crosvm | kvmtool | container | unit | comm
  vmm             TEXT,               -- program that runs it: qemu, firecracker, ...; NULL: another
  uuid            TEXT,
  unit            TEXT,               -- systemd unit of the process
  container       TEXT,               -- id or name of its container
  started_ns      INTEGER             -- when the process began, ns since 1970
) STRICT;

-- The thread that ran a vCPU, the first one that was seen. No row: unknown.
CREATE TABLE vcpu_thread (
  vcpu            INTEGER PRIMARY KEY REFERENCES vcpu(id) ON DELETE CASCADE,
  tid             INTEGER NOT NULL,
  name            TEXT
) STRICT;

-- One VM exit. rowid order is arrival order; per vCPU it is seq order.
--
-- The fields that ABI 2 added to a record are the columns from value on. Few exits have them, so
-- each is NULL where the record has 0, and a row ends after its last column that is not NULL: an
-- exit without them pays nothing. What is known is said by flags and by run.features:
--   value, requests, entry_event, entry_error_code: valid if flags & 0x8000, 0x10000, 0x20000,
--     0x40000; NULL is 0 then
--   polled_cycles: NULL is 0 if run.features & 0x10, else unknown
--   run_errno: NULL is 0 if flags & 4 and run.features & 0x10: a ring that measures the polled
--     time is of ABI 2 and has the errno, too
CREATE TABLE exit (
  vcpu            INTEGER NOT NULL REFERENCES vcpu(id) ON DELETE CASCADE,
  seq             INTEGER NOT NULL,   -- counts dropped records too
  tsc             INTEGER NOT NULL,   -- TSC at the exit
  reason          INTEGER NOT NULL,   -- full 32-bit exit reason; basic = reason & 0xffff for VMX
  flags           INTEGER NOT NULL,   -- KVM_EXIT_REC_*
  cycles          INTEGER NOT NULL,   -- exit to next entry = sum of the four parts
  halted_cycles   INTEGER NOT NULL,
  userspace_cycles INTEGER NOT NULL,
  preempted_cycles INTEGER NOT NULL,  -- handler_cycles = cycles - these three
  rip             INTEGER NOT NULL,   -- guest RIP; unknown (0) if flags & 0x2000
  key             INTEGER,            -- sub-key (NULL: none for this reason)
  key_aux         INTEGER,
  qualification   INTEGER NOT NULL,
  info2           INTEGER NOT NULL,
  intr_info       INTEGER NOT NULL,
  error_code      INTEGER NOT NULL,
  user_reason     INTEGER NOT NULL,   -- KVM_EXIT_* if flags & 4
  pcpu            INTEGER NOT NULL,   -- physical CPU at the exit
  cr3             INTEGER,            -- guest CR3 if it was asked for
  value           INTEGER,            -- [4] what the guest wrote to a port or MSR
  requests        INTEGER,            -- [4] KVM's requests pending at the exit, bit n: number n
  entry_event     INTEGER,            -- [4] event that KVM injected at the next entry, as VMCS 0x4016
  polled_cycles   INTEGER,            -- [4] the part of halted_cycles in which KVM polled
  run_errno       INTEGER,            -- [4] errno of KVM_RUN when it returned with this exit
  entry_error_code INTEGER            -- [4] error code of entry_event
) STRICT;

-- Compact recordings: exits in chunks in place of rows of table exit (collector --compact, analyzer
-- compact). A chunk has up to 16,384 exits of one vCPU in the order of their seq, those of a vCPU
-- have rising ids. While a run is recorded, small chunks are joined, which then have a new id.
-- Virtual table exit_rows has the exits of both tables (sql/compact/exit_rows.h), with rowid
-- 2^40 + 16384 * id + number in the chunk, from 0, for those of chunks.
CREATE TABLE exit_chunk (
  id              INTEGER PRIMARY KEY, -- 0 to 2^48
  vcpu            INTEGER NOT NULL REFERENCES vcpu(id) ON DELETE CASCADE,
  n               INTEGER NOT NULL,   -- exits, 1 to 16384
  first_seq       INTEGER NOT NULL,   -- seq of the first exit
  last_seq        INTEGER NOT NULL,   -- seq of the last exit
  first_tsc       INTEGER NOT NULL,   -- smallest TSC
  last_tsc        INTEGER NOT NULL,   -- largest TSC
  data            BLOB NOT NULL       -- the exits, as sql/chunk/chunk.h describes
) STRICT;

-- Exact sums per interval, vCPU and full reason.
-- slot = (tsc - run.tsc_start) / run.rollup_cycles
-- min_cycles and first_tsc are unknown where version 1 of this schema lost them and the
-- run has no rows to compute them from.
CREATE TABLE exit_rollup (
  vcpu            INTEGER NOT NULL REFERENCES vcpu(id) ON DELETE CASCADE,
  slot            INTEGER NOT NULL,
  reason          INTEGER NOT NULL,
  n               INTEGER NOT NULL,
  cycles          INTEGER NOT NULL,
  halted_cycles   INTEGER NOT NULL,
  userspace_cycles INTEGER NOT NULL,
  preempted_cycles INTEGER NOT NULL,
  min_cycles      INTEGER,            -- NULL: unknown
  max_cycles      INTEGER NOT NULL,
  n_fastpath      INTEGER NOT NULL,
  n_nested        INTEGER NOT NULL,
  n_user          INTEGER NOT NULL,   -- returned to user space
  n_synth         INTEGER NOT NULL,   -- synthesized, no VM entry took place
  first_tsc       INTEGER,            -- NULL: unknown
  last_tsc        INTEGER NOT NULL,
  polled_cycles   INTEGER,            -- [4] part of halted_cycles; unknown unless run.features & 0x10
  PRIMARY KEY (vcpu, slot, reason)
) STRICT, WITHOUT ROWID;

-- Log-linear histograms of durations; buckets as in sql/hist.h (relative error
-- of a bucket's middle <= 1/128 < 0.8 %). Each is a text, which sql/hist_text.h describes and
-- view interval_histograms reads.
-- slot = (tsc - run.tsc_start) / run.hist_cycles
CREATE TABLE exit_hist_packed (
  vcpu            INTEGER NOT NULL REFERENCES vcpu(id) ON DELETE CASCADE,
  slot            INTEGER NOT NULL,
  reason          INTEGER NOT NULL,
  cycles          TEXT NOT NULL,
  handler_cycles  TEXT,               -- NULL: the same as cycles
  PRIMARY KEY (vcpu, slot, reason)
) STRICT, WITHOUT ROWID;

-- The same as a row per bucket, as versions 1 and 2 wrote them. Their runs stay as they are;
-- an interval of a run is in one of the two tables. Buckets add up by SUM(n).
CREATE TABLE exit_hist (
  vcpu            INTEGER NOT NULL REFERENCES vcpu(id) ON DELETE CASCADE,
  slot            INTEGER NOT NULL,
  reason          INTEGER NOT NULL,
  part            INTEGER NOT NULL,   -- 0: cycles; 1: handler cycles
  bucket          INTEGER NOT NULL,
  n               INTEGER NOT NULL,
  PRIMARY KEY (vcpu, slot, reason, part, bucket)
) STRICT, WITHOUT ROWID;

-- The same sums over 8, 64, 512, ... (8^level) intervals, and the histogram of
-- the whole run: written once when a run ends, so that a long run is read as fast
-- as a short one. A run that goes on or was cut off has none of them.
-- slot = exit_rollup.slot / 8^level; levels 1 to 5
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
  min_cycles      INTEGER,
  max_cycles      INTEGER NOT NULL,
  n_fastpath      INTEGER NOT NULL,
  n_nested        INTEGER NOT NULL,
  n_user          INTEGER NOT NULL,
  n_synth         INTEGER NOT NULL,
  first_tsc       INTEGER,
  last_tsc        INTEGER NOT NULL,
  polled_cycles   INTEGER,            -- [4]
  PRIMARY KEY (vcpu, level, slot, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE exit_hist_total (
  vcpu            INTEGER NOT NULL REFERENCES vcpu(id) ON DELETE CASCADE,
  part            INTEGER NOT NULL,
  reason          INTEGER NOT NULL,
  bucket          INTEGER NOT NULL,
  n               INTEGER NOT NULL,
  PRIMARY KEY (vcpu, part, reason, bucket)
) STRICT, WITHOUT ROWID;

-- Where records are missing: n records between seq first_seq and first_seq+n-1.
CREATE TABLE loss (
  vcpu            INTEGER NOT NULL REFERENCES vcpu(id) ON DELETE CASCADE,
  first_seq       INTEGER NOT NULL,
  n               INTEGER NOT NULL,
  tsc_before      INTEGER,            -- TSC of the last record before the gap (NULL: none)
  tsc_after       INTEGER             -- TSC of the first record after it (NULL: none)
) STRICT;

-- Counts by other sources over the run; analyzer verify compares them. source
-- and name:
--   totals, totals_synthesized, totals_recorded, totals_dropped, totals_filtered,
--   totals_unread: exits; the fields of struct kvm_exit_total, by vCPU and reason
--   totals_time: halted, userspace, preempted, polled; the cycles of these parts (n is 0), by
--   vCPU and reason
--   records: parts differ; n records whose parts did not add up to their cycles, by vCPU
--   tracefs_exit: exits; kvm_exit events by vCPU and reason. How they match the
--   records, exit by exit, is in source match, by vCPU and reason:
--     records = matched + untraced + synthesized + record_only
--     kvm_exit events = matched + before + after + open + gap + trace_only
--     before, after: outside of the recording; open: the last one, not re-entered;
--     gap: where the ring dropped records, and no more than it dropped there;
--     untraced: where trace events were lost;
--     trace_only, record_only: one side is missing, and should not be; of the
--     matched, differ: the reasons differ; shorter: the record is shorter than the
--     traced interval; overlaps: it ends after the next exit
--   match_delta: n exits whose record is cycles longer than kvm_exit to kvm_entry
--   tracefs_entry: entries; unpaired (no kvm_exit before them); reentered: exits after which
--   a fastpath entered again without kvm_entry (VMX on Linux 5.10); no row: none
--   tracefs_step: of a vCPU's kvm_exit and kvm_entry: n that came as an event in a state of
--   analyzer/verify/exit_life.dot; name: both, with a space between
--   tracefs_lost: events overwritten in the trace buffers (all CPUs)
--   tracefs_other: exits of VMs that were not recorded
--   tracefs_ambiguous: events of VMs of one process, with the same vCPU id, of which nothing
--   shows whose they are; they are counted for one of them
--   perf_exit, perf_entry: count of the counters; at least, at most: events
--   traced while they surely ran, and while they may have run
--   kvm_stat_vm: KVM's statistics by their names, for the whole VM of that vCPU
--   kvm_stat_bound: at least, at most: what it can be by exits + synthesized + VMfail
--   of the totals pages of that VM just before and just after it was read, since its
--   creation; of a VM that runs, at least is one less for each vCPU
--   cpu: exits; what the emulated CPU itself made, by vCPU and reason (testbed/run --judge), the
--   exits without a record included; of the run: fields compared with the CPU's, faults found
--   trace: what limits a run from tracepoints (--source tracefs, import). untimed: its n
--   exits have no durations, their cycles are 0; sampled out: exits between the samples
--   of a sampled recording; dropped at most: how many were dropped is an estimate, and
--   this many are possible (0: unknown); lost_exits: n exits, all that the recording had
--   trigger: of a run with --trigger, by vCPU: kept; n exits that had a row. events; n exits that
--   met a trigger. Of the run: expression, a space and the trigger; n exits that met it first.
--   rows; n of the kept exits that still had a row at the end (--keep-raw, --keep-rows)
--   bpf: of a run with --source bpf; n of what was not seen: missed_runs, no_entry, no_place, no_ring,
--   no_thread (collector/source/bpf/README.md). ring_bytes, ring_bytes_most: memory
--   of all rings in the end, and the most that they may take. histograms: with --counts-only;
--   every exit was counted in the kernel, and min_cycles and max_cycles are the limits of buckets
--   ring: of a run with --source ring; lost_exits: n exits of vCPUs that were lost before they were
--   read, with all that they had (struct kvm_exit_ring_query)
--   unavailable: name says what could not be had and why
CREATE TABLE crosscheck (
  run_id          INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  vcpu            INTEGER REFERENCES vcpu(id) ON DELETE CASCADE, -- NULL: all vCPUs of the run
  source          TEXT NOT NULL,
  name            TEXT NOT NULL,
  reason          INTEGER,            -- basic reason or exit code; NULL: all reasons
  n               INTEGER NOT NULL,
  cycles          INTEGER             -- NULL: this source knows no time
) STRICT;

-- One control of the CPU's VMX, from the capability MSRs.
CREATE TABLE vmx_capability (
  run_id          INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  cpu             INTEGER NOT NULL,   -- logical CPU
  msr             INTEGER NOT NULL,   -- 0x480 - 0x493
  value           INTEGER NOT NULL,
  valid           INTEGER NOT NULL DEFAULT 1, -- 0: the MSR could not be read
  PRIMARY KEY (run_id, cpu, msr)
) STRICT, WITHOUT ROWID;

-- What each exit reason means (filled from exit_reason.sql).
CREATE TABLE exit_reason (
  isa             INTEGER NOT NULL,   -- 1 VMX, 2 SVM
  number          INTEGER NOT NULL,   -- basic reason / exit code
  name            TEXT NOT NULL,      -- as the kernel's uapi names it where it does
  sdm_defined     INTEGER NOT NULL,   -- 1: defined by the pinned edition of the manual
  kvm_handled     INTEGER NOT NULL,   -- 1: KVM has a handler
  meaning         TEXT NOT NULL,      -- one sentence
  causes          TEXT NOT NULL,      -- usual causes
  remedy          TEXT NOT NULL,      -- what usually reduces it
  PRIMARY KEY (isa, number)
) STRICT, WITHOUT ROWID;

-- CPUID leaves as a guest read them.
CREATE TABLE leaf_reading (
  run_id          INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  seq             INTEGER NOT NULL,   -- order of the readings
  leaf            INTEGER NOT NULL,   -- 0x4ffffffc - 0x4fffffff
  reason          INTEGER NOT NULL,   -- ECX on input
  eax             INTEGER NOT NULL,
  ebx             INTEGER NOT NULL,
  ecx             INTEGER NOT NULL,
  edx             INTEGER NOT NULL,
  PRIMARY KEY (run_id, seq)
) STRICT, WITHOUT ROWID;
