/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace.h - records made of tracepoints: kvm_exit and the kvm_entry after it
 *
 * For hosts whose KVM has no exit ring, and for recordings of other tools. What
 * such a record lacks: the parts of its time and the flags; and MSR numbers, CPUID
 * leaves and addresses unless kvm_msr, kvm_cpuid, ... were recorded too.
 *
 * A file is read twice: first for what must be known at the beginning (which thread
 * is which vCPU, when it begins, whether it has kvm_entry at all), then for its
 * records. Which vCPU, as it moves between threads: identity.h. What is paired with
 * what: pairs.h. How many exits were lost: losses.h.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_TRACE_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_TRACE_H

#include <stdbool.h>

#include "collector/events/trace_instance.h"
#include "collector/source/source.h"
#include "collector/source/trace/losses.h"

/*
 * Where events come from. The functions get @self.
 * @fill: hand over events; *@horizon: no older ones come any more; *@end: no more come
 *	at all. 0, or -errno with words in @fault.
 * @rewind: begin again; NULL: live, can't be read twice
 * @decide: after the first reading, and @rewind: set what depends on the whole file in @feed, the
 *	source's copy; 1: events are others than those that were handed over: it is read again; 0;
 *	or -errno with words in @fault; may be NULL
 * @stop: no more events are needed; may be NULL
 * @losses: what is known of lost events so far
 * @tgid: the process of a thread whose events don't name it, 0: unknown; may be NULL
 * @span: times of the first and the last event of any kind that was read so far; false: there is
 *	none; may be NULL
 * @comm: the name of a process, or of a thread where @tgid is 0; "": unknown
 *
 * @wall_offset_ns: CLOCK_REALTIME - time stamps; 0: not known
 * @no_time: why time stamps are not times, NULL: they are
 * @no_time_way: what to do about it
 * @sampled: the recording has a part of the exits; event.period is set
 * @next_at: at that byte of the file another recording follows, which is not read; 0: nowhere
 * @hides_period: of a sampled one: event.period is 0, as it is not known
 * @overwrites: events before the first one of each CPU may have been overwritten; how many is not
 *	known
 * @may_lack_exits: without kvm_exit in it, it may be that this event was not recorded
 * @no_entry_way: how to record kvm_exit and kvm_entry
 * @quiet_loss: ", or ...": one more reason why events are missing that are not called lost; NULL:
 *	there is none
 * @coarse: a line for the user where durations are not exact, NULL: they are
 * @notes: lines of its own for the user, up to a NULL; may be NULL
 * @thread_bits: of a thread's and a process's number: those above say which host; 0: there are none
 */
struct trace_feed {
	void *self;
	int (*fill)(void *self, const struct trace_sink *sink, uint64_t *horizon, bool *end,
		    struct fault *fault);
	void (*rewind)(void *self);
	int (*decide)(void *self, struct trace_feed *feed, struct fault *fault);
	void (*stop)(void *self);
	void (*losses)(void *self, struct losses_reported *reported);
	bool (*span)(void *self, uint64_t *from, uint64_t *to);
	uint32_t (*tgid)(void *self, uint32_t tid);
	void (*comm)(void *self, uint32_t tgid, uint32_t tid, char *comm, size_t bytes);
	void (*close)(void *self);

	int64_t wall_offset_ns;
	const char *no_time;
	const char *no_time_way;
	const char *no_entry_way;
	const char *quiet_loss;
	const char *coarse;
	char *const *notes;
	uint32_t thread_bits;
	bool sampled;
	uint64_t next_at;
	bool hides_period;
	bool overwrites;
	bool may_lack_exits;
};

/*
 * source_trace_open - make a source of a feed
 * @feed: taken over, also after an error
 * @name: table run, column source
 * @info: what is known of the run, its texts are taken over; tsc_khz 1000000 where
 *	times are ns; tsc_start 0: that of the first event
 */
int source_trace_open(const struct trace_feed *feed, const char *name, const struct run_info *info,
		      struct source **source, struct fault *fault);

#endif
