/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store.h - writes recordings into a run database (sql/schema.sql)
 *
 * One writer per file, any number of readers at the same time (WAL). All that belongs
 * to one flush (rows, roll-ups, histograms, losses, the vCPU's counts) is in one
 * transaction: a database whose writer was killed holds everything up to the
 * last store_flush() and nothing of what came after.
 *
 *	store_open()
 *	store_begin()
 *		store_add_vcpu(), store_append(), store_end_vcpu() ... store_flush()
 *	store_finish() or store_discard()
 *	store_close()
 *
 * RETURN VALUES: 0; -errno of a system call; a positive result code of SQLite;
 * or one of STORE_*. store_strerror() has words for all of them. After a failed
 * call the open transaction is rolled back and the run takes no more records:
 * what was flushed before stays, store_finish() may still be tried.
 */
#ifndef EXITSCOPE_SQL_STORE_STORE_H
#define EXITSCOPE_SQL_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvm/uapi/kvm_exit_ring.h"
#include "sql/schema.h"

/* The PRAGMA user_version that this code writes. */
#define STORE_VERSION SCHEMA_VERSION

/* Above every result code of SQLite. */
#define STORE_FOREIGN 1000001 /* the file exists and is not a run database */
#define STORE_FUTURE  1000002 /* written by a newer version of this program */
#define STORE_BUSY    1000003 /* another collector writes this file */
#define STORE_RUNLESS 1000004 /* no run is open, or it has failed before */
/* From store_finish(): all is stored, but not where it was expected. */
#define STORE_MOVED   1000009 /* the file has another name now */
#define STORE_DELETED 1000010 /* the file was deleted, and is written anew */
#define STORE_NO_SHM  1000011 /* its file system has no shared memory */
#define STORE_GONE    1000012 /* from store_finish(): deleted, and no folder takes a copy */
/* The file claims to be a run database, but its schema is not safe to write to. */
#define STORE_TABLE   SCHEMA_TABLE
#define STORE_ACTIVE  SCHEMA_ACTIVE
#define STORE_INDEX   SCHEMA_INDEX
#define STORE_JOURNAL 1000008 /* its rollback journal would delete another file */

struct store;

/*
 * What is known about a run when it begins. Texts may be NULL except @source
 * and @collector. Fields as in table run.
 */
struct store_run {
	const char *label;
	const char *source;
	const char *environment;
	const char *command;
	const char *host;
	const char *kernel;
	const char *cpu_model;
	const char *microcode;
	const char *ept;
	const char *vpid;
	const char *unrestricted_guest;
	const char *nested;
	const char *module_parameters;
	const char *collector;
	uint32_t isa;
	uint32_t tsc_khz; /* in kHz, not 0 */
	uint64_t tsc_start;
	int64_t started_ns;
	uint64_t keep_cycles; /* keep single exits of the last N TSC cycles only; 0: all */
	uint64_t keep_rows;   /* keep the last N rows only, after each flush; 0: all */
	uint32_t rollup_ms;   /* length of an interval of exit_rollup, a part of 1000; 0: 100 */
	bool raw;	      /* every exit is stored; false: roll-ups only */
	bool chosen;	      /* with raw: rows for those of store_keep() alone */
	bool compact;	      /* with raw alone: in chunks (table exit_chunk) instead of rows */
	bool split;	      /* the four parts of cycles are known */
	bool has_features;    /* @features is known */
	uint64_t features;    /* KVM_EXIT_FEAT_*: which fields of a record the source fills in */
};

/* A vCPU. @comm may be NULL; @tid: the thread that it was first seen on, 0: unknown. */
struct store_vcpu {
	const char *comm;
	uint32_t tid;
	uint64_t vm_id;
	uint64_t ring_id;
	uint32_t tgid;
	uint32_t vcpu_id;
	uint64_t first_seq; /* the first record of the recording has this seq */
};

/*
 * What the host calls the VM of a vCPU (tables vm_identity and vcpu_thread). All texts are UTF-8
 * without control characters; "" and 0: unknown.
 * @name_source: where @name is from: qemu, libvirt, firecracker, cloud-hypervisor, crosvm,
 *		kvmtool, container, unit, comm
 * @vmm:	the program that runs the VM, if it is one that is known
 * @started_ns:	when its process began, ns since 1970
 * @tid, @thread: the vCPU's thread and its name
 */
struct store_identity {
	char name[128];
	char name_source[24];
	char vmm[24];
	char uuid[40];
	char unit[128];
	char container[72];
	int64_t started_ns;
	uint32_t tid;
	char thread[20];
};

/*
 * The counts of a vCPU at the end of its recording.
 * @end_seq:	seq that the next record would have had: what is missing below
 *		it is a loss
 * @totals:	KVM_EXIT_TOTAL_SLOTS totals over the recording, or NULL
 * @tid:	the thread that ran it last, 0: unknown; stored if none was known before
 */
struct store_vcpu_end {
	const struct kvm_exit_total *totals;
	uint64_t end_seq;
	uint64_t filtered;
	uint64_t unread;
	uint64_t vmfail;
	uint32_t open_exits;
	uint32_t ended;
	uint32_t tid;
};

/*
 * Exits of one vCPU and reason that were counted where they took place, without records.
 * @slot:	of the totals, below KVM_EXIT_TOTAL_OTHER: the reason
 * @first_tsc, @last_tsc: they took place between these, in TSC cycles. @last_tsc says in which
 *		interval they count
 * @n:		how many; not 0
 * @cycles, @halted_cycles, @userspace_cycles, @preempted_cycles, @polled_cycles, @n_user,
 * @n_nested:	sums over them, as in table exit_rollup
 * @total, @handler: how many are in each bucket of sql/hist.h, @buckets of them: by exit to entry,
 *		and by the handler's time. Each adds up to @n
 */
struct store_sums {
	uint32_t slot;
	uint32_t buckets;
	uint64_t first_tsc, last_tsc;
	uint64_t n;
	uint64_t cycles, halted_cycles, userspace_cycles, preempted_cycles, polled_cycles;
	uint64_t n_user, n_nested;
	const uint32_t *total, *handler;
};

/* One count for table crosscheck; @vcpu < 0: all vCPUs; @reason < 0: all
 * reasons; @cycles < 0: unknown.
 */
struct store_crosscheck {
	const char *source;
	const char *name;
	int vcpu;
	int64_t reason;
	int64_t n;
	int64_t cycles;
};

/* One reading of table leaf_reading; @reason: ECX on input. */
struct store_leaf {
	uint32_t leaf;
	uint32_t reason;
	uint32_t eax, ebx, ecx, edx;
};

/* What a run holds so far, in records; @bytes: size of the files on disk. */
struct store_counts {
	uint64_t recorded;
	uint64_t dropped;
	uint64_t unread;
	uint64_t bytes;
	uint64_t unflushed; /* records since the last flush that wrote */
	uint64_t rows;	    /* exits with a row */
};

/*
 * Opens @path for writing, creates it, readable by its owner alone, if it does not
 * exist. A file
 * that is refused (STORE_FOREIGN, STORE_FUTURE, STORE_BUSY, STORE_TABLE to
 * STORE_JOURNAL) is not touched. An older version is brought up to date, and so
 * are the views and the meanings of the exit reasons of any file; runs of dead
 * writers become 'interrupted'.
 *
 * The file may come from elsewhere: nothing that it contains is executed. Other
 * tables and views in it, and plain indexes on our tables, do no harm and stay.
 */
int store_open(const char *path, struct store **store);

/* Whether @rc is a refusal of store_open() for what the file is. */
bool store_is_refusal(int rc);

/* Words for what a call returned; @store may be NULL. Valid until the next call. */
const char *store_strerror(struct store *store, int rc);

/*
 * store_begin() - begins a run
 * @run: what is known about it; copied into the file
 *
 * Return: 0, -EINVAL (a run is open already, tsc_khz is 0, or a form that does not go with
 * compact), -ENOMEM or a code of SQLite.
 */
int store_begin(struct store *store, const struct store_run *run);

/*
 * store_add_vcpu() - makes a vCPU, and its VM, known to the open run
 * @info: copied into the file
 * @vcpu: set to its number for the calls below, from 0 on
 *
 * Return: 0, STORE_RUNLESS, -ENOMEM or a code of SQLite.
 */
int store_add_vcpu(struct store *store, const struct store_vcpu *info, int *vcpu);

/*
 * store_identify() - stores what the host calls the VM of a vCPU
 * @vcpu: number from store_add_vcpu()
 * @identity: what it knows replaces what was known before
 *
 * Return: as store_add_vcpu(), or -EINVAL (no such vCPU).
 */
int store_identify(struct store *store, int vcpu, const struct store_identity *identity);

/*
 * store_append() - adds records of one vCPU
 * @vcpu: number from store_add_vcpu()
 * @records, @count: in the order of their seq. Sequence numbers that are missing are a loss
 *
 * The records count once store_flush() returns 0.
 *
 * Return: 0, -EINVAL (no such vCPU), -EPROTO (seq goes backwards), STORE_RUNLESS, -ENOMEM or a
 * code of SQLite.
 */
int store_append(struct store *store, int vcpu, const struct kvm_exit_record *records,
		 size_t count);

/*
 * store_add_sums() - adds exits that were counted elsewhere to the sums of the open run
 * @vcpu: number from store_add_vcpu()
 * @sums: copied. Shortest and longest exit are the limits of their buckets
 *
 * They count as recorded, and use up as many sequence numbers. For a run without single exits.
 *
 * Return: as store_append(); -EINVAL also: a run of single exits, or sums that can't be.
 */
int store_add_sums(struct store *store, int vcpu, const struct store_sums *sums);

/*
 * store_keep() - adds rows for records that store_append() has counted or will count
 * @vcpu: number from store_add_vcpu()
 * @records, @count: in the order of their seq; each once. Of a run with chosen rows
 *
 * Return: as store_add_vcpu(), or -EINVAL (no such vCPU, or not such a run).
 */
int store_keep(struct store *store, int vcpu, const struct kvm_exit_record *records, size_t count);

/*
 * store_end_vcpu() - ends the recording of a vCPU and stores its counts
 * @vcpu: number from store_add_vcpu()
 * @end: what is missing below its end_seq is a loss
 *
 * Return: as store_add_vcpu(), or -EINVAL (no such vCPU).
 */
int store_end_vcpu(struct store *store, int vcpu, const struct store_vcpu_end *end);

/*
 * store_add_crosscheck() - adds one count of another source to the open run
 *
 * Return: as store_end_vcpu().
 */
int store_add_crosscheck(struct store *store, const struct store_crosscheck *check);

/* The same for a count of the whole run, of no vCPU, reason and time. */
int store_add_run_count(struct store *store, const char *source, const char *name, uint64_t n);

/* The same in place of what the run has of @source and @name, for a count that grows. */
int store_set_run_count(struct store *store, const char *source, const char *name, uint64_t n);

/*
 * What logical CPU @cpu says of its VMX in capability MSR @msr (0x480 to 0x493);
 * @valid false: the MSR could not be read. The last word about an MSR counts.
 */
int store_add_vmx_capability(struct store *store, uint32_t cpu, uint32_t msr, uint64_t value,
			     bool valid);

/*
 * Adds readings, in their order, to a run that was recorded before (0: the last
 * one), all or none. No run may be open. STORE_RUNLESS: the run does not exist.
 */
int store_add_leaves(struct store *store, int64_t run, const struct store_leaf *leaves,
		     size_t count);

/*
 * store_flush() - writes what came since the last flush, all or nothing
 *
 * While another program has the file locked, everything stays in memory and is written by a later
 * flush. Only when memory is full, or at the end of the run, does the store wait, for one minute.
 *
 * Return: 0, STORE_RUNLESS (no run is open), -ENOMEM or a code of SQLite.
 */
int store_flush(struct store *store);

/*
 * store_finish() - flushes and ends the run
 * @state: "complete" or "interrupted"
 * @tsc_end: TSC of the end, in cycles
 * @ended_ns: CLOCK_REALTIME of the end, ns since 1970
 *
 * Return: 0, STORE_RUNLESS, -errno or a code of SQLite; STORE_MOVED or STORE_DELETED, when
 * somebody moved or deleted the file meanwhile: all is stored, and store_strerror() says where.
 * STORE_GONE: it was deleted, and nothing of it could be saved.
 */
int store_finish(struct store *store, const char *state, uint64_t tsc_end, int64_t ended_ns);

/* Takes the open run out again; after store_close() a file that was missing or
 * empty before is so again.
 */
int store_discard(struct store *store);

/* Size of a database and its write-ahead log on disk; 0: there is none. */
uint64_t store_file_bytes(const char *path);

/* What the open run, or the one that ended last, holds, and the size of the files on disk. */
void store_get_counts(const struct store *store, struct store_counts *counts);

/* Closes the file. A run that is open stays 'recording' until the next open. */
void store_close(struct store *store);

#endif
