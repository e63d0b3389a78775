/* SPDX-License-Identifier: GPL-2.0-only */
/* script.h - a recording that a test writes down event by event, and what comes out of it */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEST_SCRIPT_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEST_SCRIPT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/source/trace/trace.h"
#include "kvm/test/common/check.h"

#define MOST 64

/* A feed that hands over what the test wrote down, a few events at a time. */
struct script {
	struct kvm_event events[MOST];
	int count;
	int at;
	int step;
	uint64_t lost_from, lost_to, lost;
	uint64_t lost_keys;
	bool keys_apart;
	bool no_keys;
	bool live;
	bool no_processes;
	bool closed;
	const char *no_time;
	uint32_t left_out; /* a thread whose events are so from script_decide() on */
	int decided;
	int rewinds;
};

static int script_fill(void *self, const struct trace_sink *sink, uint64_t *horizon, bool *end,
		       struct fault *fault)
{
	struct script *s = self;
	int rc = 0;

	(void)fault;
	if (!s->at && s->lost && !(s->decided && s->left_out))
		rc = sink->lost(sink->user, 0, s->lost_from, s->lost_to);
	for (int i = 0; i < s->step && s->at < s->count && !rc; i++) {
		*horizon = s->events[s->at].ts;
		if (!s->decided || s->events[s->at].tid != s->left_out)
			rc = sink->event(sink->user, &s->events[s->at]);
		s->at++;
	}
	*end = s->at == s->count;
	return rc;
}

static void script_losses(void *self, struct losses_reported *reported)
{
	const struct script *s = self;

	*reported = (struct losses_reported){.events = s->lost,
					     .keys = s->lost_keys,
					     .keys_apart = s->keys_apart,
					     .no_keys = s->no_keys};
}

static void script_rewind(void *self)
{
	((struct script *)self)->at = 0;
	((struct script *)self)->rewinds++;
}

static int script_decide(void *self, struct trace_feed *feed, struct fault *fault)
{
	struct script *s = self;

	(void)feed;
	(void)fault;
	s->decided++;
	return s->left_out != 0;
}

static uint32_t script_tgid(void *self, uint32_t tid)
{
	return ((struct script *)self)->no_processes ? 0 : tid / 100 * 100;
}

static void script_comm(void *self, uint32_t tgid, uint32_t tid, char *comm, size_t bytes)
{
	(void)self;
	snprintf(comm, bytes, "%u/%u", tgid, tid);
}

static void script_close(void *self)
{
	((struct script *)self)->closed = true;
}

static void add(struct script *s, enum kvm_event_kind kind, uint64_t ts, uint32_t tid)
{
	CHECK(s->count < MOST);
	s->events[s->count++] = (struct kvm_event){.ts = ts,
						   .kind = kind,
						   .tid = tid,
						   .vcpu_id = tid % 10,
						   .reason = 10,
						   .isa = KVM_EXIT_ISA_VMX};
}

/* What came out. */
struct seen {
	struct store_vcpu vcpu[4];
	int vcpus;
	struct kvm_exit_record record[4][MOST];
	int records[4];
	struct store_vcpu_end end[4];
	int ends;
	bool estimated;
	bool untimed;
	char notes[1024];
};

static void take_item(struct seen *seen, const struct source_item *item)
{
	if (item->kind == SOURCE_VCPU) {
		CHECK(item->vcpu == seen->vcpus);
		seen->vcpu[seen->vcpus++] = item->info;
	} else if (item->kind == SOURCE_RECORDS) {
		memcpy(&seen->record[item->vcpu][seen->records[item->vcpu]], item->records,
		       item->count * sizeof(*item->records));
		seen->records[item->vcpu] += (int)item->count;
	} else if (item->kind == SOURCE_END_VCPU) {
		seen->end[item->vcpu] = item->end;
		seen->ends++;
	}
}

static void play(struct script *script, struct seen *seen)
{
	const struct trace_feed feed = {
		.self = script,
		.fill = script_fill,
		.rewind = script->live ? NULL : script_rewind,
		.decide = script_decide,
		.losses = script_losses,
		.tgid = script_tgid,
		.comm = script_comm,
		.no_time = script->no_time,
		.no_time_way = "take another",
		.no_entry_way = "record it",
		.close = script_close,
	};
	const struct run_info info = {.tsc_khz = 1000000};
	struct source_item item = {0};
	struct source *source;
	struct fault fault = {""};

	memset(seen, 0, sizeof(*seen));
	CHECK(!source_trace_open(&feed, "test", &info, &source, &fault));
	while (item.kind != SOURCE_FINISHED) {
		CHECK(!source_next(source, &item, &fault));
		take_item(seen, &item);
	}
	CHECK(source->info.unsplit && (script->live || source->info.isa == KVM_EXIT_ISA_VMX));
	seen->estimated = source->estimated;
	seen->untimed = source->info.untimed;
	snprintf(seen->notes, sizeof(seen->notes), "%s", source->notes ? source->notes : "");
	CHECK(seen->ends == seen->vcpus);
	source_close(source);
	CHECK(script->closed);
}

#endif
