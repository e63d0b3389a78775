/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * source.h - what all sources of records share
 *
 * The rings of the device (device.h), capture files (capture.h), BPF programs on a stock KVM
 * (bpf/bpf.h), tracepoints of this host (trace/tracefs.h), and recordings of other tools
 * (trace/import/import.h).
 *
 *	open function of the source
 *	until SOURCE_FINISHED:
 *		wait for source.fd (if there is one) or a timer
 *		source_next() until it says SOURCE_NOTHING
 *		source_stop() once, when enough was recorded
 *	source_close()
 *
 * vCPUs are numbered from 0 in the order in which they are announced.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_SOURCE_H
#define EXITSCOPE_COLLECTOR_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "collector/host/fault.h"
#include "collector/host/run_info.h"

enum source_kind {
	SOURCE_NOTHING,	 /* all that is there at the moment was given */
	SOURCE_VCPU,	 /* a new vCPU: .info; its number is .vcpu */
	SOURCE_NAMES,	 /* what the host calls the VM and the thread of .vcpu: .names */
	SOURCE_RECORDS,	 /* .records[.count] of .vcpu, in seq order */
	SOURCE_SUMS,	 /* exits of .vcpu that were counted in place of records: .sums */
	SOURCE_END_VCPU, /* the last of .vcpu: .end */
	SOURCE_FINISHED, /* nothing will come any more */
};

/*
 * struct source_item - what source_next() hands on; pointers are valid until the next call
 * @vcpu:	number of the vCPU
 * @info:	SOURCE_VCPU
 * @created_tsc: SOURCE_VCPU: TSC when the ring was created, in cycles, no event of the vCPU is
 *		before it; 0: unknown
 * @snapshot_tsc: TSC of the totals' snapshot at which the recording of the vCPU begins
 *		(SOURCE_VCPU; 0: at the vCPU's creation) or ends (SOURCE_END_VCPU). Rings only.
 * @open_at_start: SOURCE_VCPU: an exit was open at that snapshot
 * @names:	SOURCE_NAMES
 * @records:	SOURCE_RECORDS: @count of them, in seq order
 * @sums:	SOURCE_SUMS, of sources that give no SOURCE_RECORDS
 * @end:	SOURCE_END_VCPU
 */
struct source_item {
	enum source_kind kind;
	int vcpu;

	struct store_vcpu info;
	uint64_t created_tsc;
	uint64_t snapshot_tsc;
	bool open_at_start;

	const struct store_identity *names;

	const struct kvm_exit_record *records;
	size_t count;

	const struct store_sums *sums;

	struct store_vcpu_end end;
};

struct source;

/* Called with the totals of a vCPU since its recording began: @sum[KVM_EXIT_TOTAL_SLOTS]. */
typedef void source_see_totals(void *context, int vcpu, const struct kvm_exit_total *sum);

struct source_ops {
	const char *name; /* table run, column source */
	int (*next)(struct source *source, struct source_item *item, struct fault *fault);
	void (*stop)(struct source *source);
	void (*close)(struct source *source);
	/* NULL: there are none. Adds counts that only this source has to the open run, once
	 * it has finished; returns what the store returns. */
	int (*store_counts)(struct source *source, struct store *store);
	/* NULL: there are never any. While it records: brings @unseen up to date and, with @store,
	 * what the open run says of them; returns what the store returns. */
	int (*update_unseen)(struct source *source, struct store *store);
	/* NULL: there are none. While it records: calls @see for each vCPU whose SOURCE_END_VCPU
	 * was not given yet, or was given last. Returns 0 or -ENOMEM. */
	int (*read_totals)(struct source *source, source_see_totals *see, void *context);
};

struct source {
	const struct source_ops *ops;
	struct run_info info;	 /* complete when the first vCPU was announced */
	int fd;			 /* poll it for POLLIN; -1: always ready */
	unsigned int skipped;	 /* vCPUs that another reader holds */
	unsigned int unverified; /* vCPUs without a consistent copy of their totals */
	uint64_t unseen;	 /* exits of vCPUs that are not announced */
	char lost[320];		 /* what it knows that it has not seen, in words; empty: nothing */

	/* Of recordings of tracepoints, complete after SOURCE_FINISHED. */
	bool estimated;	       /* how many exits were dropped is an estimate */
	uint64_t dropped_most; /* with it: they can't be more */
	bool misses_vcpus;     /* no vCPU was seen, and that does not show that no VM ran */
	char *notes;	       /* what the user should know, a line each; NULL: nothing */
};

/* Returns 0 or -errno with words in @fault. */
static inline int source_next(struct source *source, struct source_item *item, struct fault *fault)
{
	return source->ops->next(source, item, fault);
}

/* Ends the recording: what was published by now still comes, then SOURCE_FINISHED. */
static inline void source_stop(struct source *source)
{
	source->ops->stop(source);
}

static inline void source_close(struct source *source)
{
	if (source)
		source->ops->close(source);
}

#endif
