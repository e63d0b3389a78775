// SPDX-License-Identifier: GPL-2.0-only
/*
 * process.c - recordings of made-up processes; see process.h
 */
#include "analyzer/scale/process.h"

#include <math.h>

#define TSC_KHZ	  1000000U
#define TSC_START UINT64_C(1000000000000)
#define BATCH	  4096
#define REASON	  32 /* MSR_WRITE */

/* struct state - where a recording is */
struct state {
	const struct process *process;
	uint64_t random;
	bool high;
	double now_s;
	double change_s; /* when the other state begins */
	uint64_t seq;
};

/* Uniform in (0, 1); xorshift64. */
static double uniform(struct state *s)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return ((double)(s->random >> 11) + 0.5) / 9007199254740992.0;
}

static double exponential(struct state *s, double mean)
{
	return -mean * log(uniform(s));
}

static void begin(struct state *s, const struct process *process, uint64_t seed)
{
	*s = (struct state){.process = process,
			    .random = UINT64_C(88172645463325252) + seed * 2654435761U};

	/* Seeds that are alike begin alike. */
	for (int i = 0; i < 20; i++)
		uniform(s);
	s->high = uniform(s) < 0.5;
	s->change_s = exponential(s, process->dwell_s);
}

static double rate(const struct state *s)
{
	const struct process *p = s->process;

	return p->per_s * (s->high ? 1 + p->swing : 1 - p->swing);
}

/* To the next exit; it may lie in another state than this one. */
static void go_on(struct state *s)
{
	double exits = s->process->regular ? 1 : exponential(s, 1);

	while (s->now_s + exits / rate(s) > s->change_s) {
		exits -= (s->change_s - s->now_s) * rate(s);
		s->now_s = s->change_s;
		s->high = !s->high;
		s->change_s += exponential(s, s->process->dwell_s);
	}
	s->now_s += exits / rate(s);
}

static void fill(struct state *s, struct kvm_exit_record *record)
{
	const struct process *p = s->process;
	uint64_t cycles = (uint64_t)(p->latency_cycles * (1 + exponential(s, 0.2)) +
				     (s->high ? p->slow_cycles : 0));

	*record = (struct kvm_exit_record){
		.tsc = TSC_START + (uint64_t)(s->now_s * TSC_KHZ * 1e3),
		.seq = s->seq++,
		.reason = REASON,
		.isa = KVM_EXIT_ISA_VMX,
		.cycles = cycles,
		.handler_cycles = cycles,
	};
}

static int record_exits(struct store *store, int vcpu, struct state *s)
{
	static struct kvm_exit_record record[BATCH];
	int n = 0, rc = 0;

	for (go_on(s); !rc && s->now_s < s->process->seconds; go_on(s)) {
		fill(s, &record[n]);
		if (s->process->lost > 0 && uniform(s) < s->process->lost)
			continue;
		n++;
		if (n == BATCH) {
			rc = store_append(store, vcpu, record, (size_t)n);
			n = 0;
		}
	}
	return rc ? rc : store_append(store, vcpu, record, (size_t)n);
}

int process_record(struct store *store, const struct process *process, uint64_t seed)
{
	const struct store_run run = {
		.label = process->name,
		.source = "capture",
		.collector = "process",
		.isa = KVM_EXIT_ISA_VMX,
		.tsc_khz = TSC_KHZ,
		.tsc_start = TSC_START,
		.split = true,
	};
	const struct store_vcpu info = {.vm_id = 1, .ring_id = 1};
	struct store_vcpu_end end = {0};
	struct state state;
	int vcpu, rc;

	begin(&state, process, seed);

	rc = store_begin(store, &run);
	if (!rc)
		rc = store_add_vcpu(store, &info, &vcpu);
	if (!rc)
		rc = record_exits(store, vcpu, &state);

	end.end_seq = state.seq;
	if (!rc)
		rc = store_end_vcpu(store, vcpu, &end);
	if (!rc)
		rc = store_finish(store, "complete",
				  TSC_START + (uint64_t)(process->seconds * TSC_KHZ * 1e3), 0);
	return rc;
}
