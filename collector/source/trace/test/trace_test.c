// SPDX-License-Identifier: GPL-2.0-only
/* trace_test.c - pairs, losses, and which vCPU it was */
#include <string.h>

#include "collector/source/trace/trace.h"
#include "kvm/test/check.h"

#define MOST 64

/* A feed that hands over what the test wrote down, a few events at a time. */
struct script {
	struct kvm_event events[MOST];
	int count;
	int at;
	int step;
	uint64_t lost_from, lost_to, lost;
	bool closed;
};

static int script_fill(void *self, const struct trace_sink *sink, uint64_t *horizon, bool *end,
		       struct fault *fault)
{
	struct script *s = self;
	int rc = 0;

	(void)fault;
	if (!s->at && s->lost)
		rc = sink->lost(sink->user, 0, s->lost_from, s->lost_to);
	for (int i = 0; i < s->step && s->at < s->count && !rc; i++) {
		*horizon = s->events[s->at].ts;
		rc = sink->event(sink->user, &s->events[s->at++]);
	}
	*end = s->at == s->count;
	return rc;
}

static uint64_t script_lost(void *self)
{
	return ((struct script *)self)->lost;
}

static uint32_t script_tgid(void *self, uint32_t tid)
{
	(void)self;
	return tid / 100 * 100;
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
		.lost = script_lost,
		.tgid = script_tgid,
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
	CHECK(source->info.isa == KVM_EXIT_ISA_VMX && source->info.unsplit);
	CHECK(seen->ends == seen->vcpus);
	source_close(source);
	CHECK(script->closed);
}

static void test_pairs(int step)
{
	struct script s = {.step = step};
	struct seen seen;

	add(&s, KVM_EVENT_ENTRY, 50, 101); /* its exit was before the recording */
	for (uint64_t i = 1; i <= 10; i++) {
		add(&s, KVM_EVENT_EXIT, 100 * i, 101);
		add(&s, KVM_EVENT_ENTRY, 100 * i + 10 + i, 101);
		add(&s, KVM_EVENT_EXIT, 100 * i + 50, 202);
		add(&s, KVM_EVENT_ENTRY, 100 * i + 70, 202);
	}
	add(&s, KVM_EVENT_EXIT, 2000, 101);
	play(&s, &seen);
	CHECK(seen.vcpus == 2 && seen.records[0] == 10 && seen.records[1] == 10);
	CHECK(seen.vcpu[0].tgid == 100 && seen.vcpu[0].vcpu_id == 1 && seen.vcpu[0].vm_id == 100);
	CHECK(seen.vcpu[1].tgid == 200 && seen.vcpu[1].vcpu_id == 2);
	for (int i = 0; i < 10; i++) {
		CHECK(seen.record[0][i].seq == (uint64_t)i);
		CHECK(seen.record[0][i].tsc == 100U * ((unsigned int)i + 1));
		CHECK(seen.record[0][i].cycles == 11U + (unsigned int)i);
	}
	CHECK(seen.end[0].end_seq == 10 && seen.end[0].open_exits == 1);
	CHECK(seen.end[1].end_seq == 10 && seen.end[1].open_exits == 0);
}

/* The entry of one exit, two whole exits, and the exit of an entry are lost. */
static void test_loss(void)
{
	struct script s = {.step = MOST, .lost_from = 300, .lost_to = 690, .lost = 6};
	struct seen seen;

	for (uint64_t i = 1; i <= 10; i++) {
		if (i <= 3 || i > 6)
			add(&s, KVM_EVENT_EXIT, 100 * i, 101);
		if (i < 3 || i >= 6)
			add(&s, KVM_EVENT_ENTRY, 100 * i + 90, 101);
	}
	play(&s, &seen);
	CHECK(seen.records[0] == 6); /* 1, 2, 7, 8, 9, 10; never 3 to 690 */
	for (int i = 0; i < 6; i++)
		CHECK(seen.record[0][i].cycles == 90);
	CHECK(seen.record[0][1].seq == 1 && seen.record[0][2].seq == 3);
	/* 4 are missing: one known by its exit, and half of the other 5 events */
	CHECK(seen.end[0].end_seq == 7 + 2);
}

/* An exit without an entry before the next one: nobody said that events were lost. */
static void test_half_pair(void)
{
	struct script s = {.step = MOST};
	struct seen seen;

	add(&s, KVM_EVENT_EXIT, 100, 101);
	add(&s, KVM_EVENT_EXIT, 200, 101);
	add(&s, KVM_EVENT_ENTRY, 230, 101);
	play(&s, &seen);
	CHECK(seen.records[0] == 1 && seen.record[0][0].cycles == 30);
	CHECK(seen.record[0][0].seq == 1 && seen.end[0].end_seq == 2);
}

/* The same vCPU id in another thread of the same process. */
static void test_two_threads(void)
{
	struct script s = {.step = MOST};
	struct seen seen;

	add(&s, KVM_EVENT_EXIT, 100, 101);
	add(&s, KVM_EVENT_ENTRY, 110, 101);
	add(&s, KVM_EVENT_EXIT, 200, 111);
	add(&s, KVM_EVENT_ENTRY, 210, 111);
	play(&s, &seen);
	CHECK(seen.vcpus == 2 && seen.vcpu[0].vm_id == seen.vcpu[1].vm_id);
	CHECK(seen.vcpu[0].ring_id != seen.vcpu[1].ring_id);
}

int main(void)
{
	test_pairs(MOST);
	test_pairs(1);
	test_pairs(7);
	test_loss();
	test_half_pair();
	test_two_threads();
	return 0;
}
