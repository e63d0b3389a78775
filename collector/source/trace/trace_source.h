/* SPDX-License-Identifier: GPL-2.0-only */
/* trace_source.h - the source that makes records of tracepoints, for trace.c and survey.c */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_TRACE_SOURCE_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_TRACE_SOURCE_H

#include "collector/events/event_queue.h"
#include "collector/events/lost_windows.h"
#include "collector/source/trace/identity.h"
#include "collector/source/trace/trace.h"
#include "collector/source/trace/vcpus.h"

struct trace_source {
	struct source source; /* first: the two are cast into each other */
	struct source_ops ops;
	struct trace_feed feed;

	struct identity *identity;
	struct event_queue queue;
	struct lost_windows lost;
	struct vcpus vcpus;
	size_t ended; /* how many of them were ended */
	int announced;

	/* counts over all vCPUs */
	uint64_t seen[KVM_EVENT_KINDS];
	uint64_t exits_without_vcpu; /* kvm_exit of a thread that never showed its vCPU */
	uint64_t exits_of_thread_0;  /* kvm_exit of thread 0: of a file, which may be any thread */

	/* this round: vCPUs up to @at were given to the sink */
	bool in_round;
	size_t at;
	uint64_t horizon;
	uint64_t last_horizon; /* of the round before */

	struct losses_reported surveyed; /* of the first reading */
	bool surveying;			 /* the first of two readings */
	bool knows_lost;		 /* all windows are known, from a reading before */
	bool lost_late;			 /* some became known after events of its time were read */
	bool is_held;			 /* all events are held until the file ends */
	bool unsorted; /* a file has events that are older than those of a round before */
	bool untimed;
	bool ids_are_of_threads; /* no event has a vCPU id: each thread got one of its own */
	bool stopping;
	bool end;
	bool has_start; /* source.info.tsc_start is that of an event, which may be 0 */
	bool live;
	uint32_t known_tid; /* whose process is @known_tgid, in this fill; 0: none yet */
	uint32_t known_tgid;
	struct losses losses; /* complete when the recording has ended */
	uint64_t weight;      /* interruptions of all vCPUs */
	uint64_t weight_left; /* weight_of() of those that were not ended */
	uint64_t sampled_out;
	uint64_t cut_at; /* as in losses.h */
	char comm[64];
};

/* One round: hand over what the feed has, in order of time. */
int trace_source_fill(struct trace_source *s, struct fault *fault);

/* Read a file for what must be known before its records. It is at its beginning again then. */
int trace_source_survey(struct trace_source *s, struct fault *fault);

#endif
