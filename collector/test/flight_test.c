// SPDX-License-Identifier: GPL-2.0-only
/* flight_test.c - expressions of --trigger, and which exits are kept around events */
#include <errno.h>
#include <string.h>

#include "base/random.h"
#include "collector/flight.h"
#include "sql/test/check.h"

#define EXITS 3000
#define KHZ   1000000 /* a cycle is 1 ns */

static const struct store_run vmx = {.isa = KVM_EXIT_ISA_VMX, .tsc_khz = KHZ, .split = true};

/* Whether an exit meets an expression, which must be a good one. */
static bool meets(const char *text, struct kvm_exit_record record)
{
	struct fault fault = {""};
	struct trigger trigger;

	record.isa = KVM_EXIT_ISA_VMX;
	CHECK_EQ(trigger_parse(&trigger, text, &fault), 0);
	CHECK_EQ(trigger_bind(&trigger, vmx.isa, vmx.tsc_khz, vmx.split, &fault), 0);
	if (*fault.text)
		fprintf(stderr, "%s\n", fault.text);
	return trigger_meets(&trigger, &record);
}

static void test_conditions(void)
{
	struct kvm_exit_record record = {
		.cycles = 5000,
		.halted_cycles = 4000,
		.handler_cycles = 700,
		.userspace_cycles = 200,
		.preempted_cycles = 100,
		.reason = 48 | 1U << 27, /* a flag above the basic reason */
		.flags = KVM_EXIT_REC_KEY,
		.key = 0xfee00000,
		.vcpu_id = 3,
	};

	CHECK(meets("ns > 4.999us", record));
	CHECK(!meets("ns > 5us", record));
	CHECK(meets("ns>=5us", record));
	CHECK(meets(" busy = 1us ", record));
	CHECK(meets("handler > 699ns, halted > 3999ns, userspace = 200ns", record));
	CHECK(!meets("handler > 699ns, preempted > 100ns", record));
	CHECK(meets("preempted <= 100ns", record));
	CHECK(!meets("preempted < 100ns", record));
	CHECK(meets("reason = EPT_VIOLATION", record));
	CHECK(meets("reason=48,vcpu=3", record));
	CHECK(!meets("reason != 48", record));
	CHECK(meets("key = 0xfee00000", record));
	CHECK(!meets("key = 0xfee00000, vcpu != 3", record));

	/* Without a key there is none to be compared. */
	record.flags = 0;
	CHECK(!meets("key = 0xfee00000", record));
	CHECK(!meets("key != 1", record));
}

static void test_bad_expressions(void)
{
	static const char *const bad[] = {
		"",
		",",
		"ns",
		"ns >",
		"> 1ms",
		"ns > 1",
		"ns > x",
		"ns > -1ms",
		"ns => 1ms",
		"ns > 1ms,",
		"nss > 1s",
		"key > x",
		"key = 1z",
		"reason > HLT",
		"reason = NOTHING",
		"vcpu = ",
		"ns ! 1s",
		"ns > 1 s2",
		"key = 0x1ffffffffffffffff",
		"ns > 111111111111111111111111111111111111111111111111111111111111111111111111s",
	};
	struct trigger trigger;
	struct fault fault;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fault = (struct fault){""};
		CHECK_EQ(trigger_parse(&trigger, bad[i], &fault), -EINVAL);
		CHECK(strstr(fault.text, "--trigger") && !strchr(fault.text, '\n'));
	}

	/* A reason of the other architecture, and parts that a source does not record. */
	fault = (struct fault){""};
	CHECK_EQ(trigger_parse(&trigger, "reason = npf", &fault), 0);
	CHECK_EQ(trigger_bind(&trigger, KVM_EXIT_ISA_VMX, KHZ, true, &fault), -EINVAL);
	CHECK_EQ(trigger_bind(&trigger, KVM_EXIT_ISA_SVM, KHZ, true, &fault), 0);
	CHECK_EQ(trigger_parse(&trigger, "busy > 1ms", &fault), 0);
	fault = (struct fault){""};
	CHECK_EQ(trigger_bind(&trigger, KVM_EXIT_ISA_VMX, KHZ, false, &fault), -EINVAL);
	CHECK(!strcmp(
		fault.text,
		"--trigger busy > 1ms: this source does not record the parts of the time (use ns)"));
}

/* What was kept, by vCPU and seq. */
struct kept {
	bool has[4][EXITS];
	uint64_t next[4];
	uint64_t count;
};

static int note_kept(void *context, int vcpu, const struct kvm_exit_record *records, size_t count)
{
	struct kept *kept = context;

	for (size_t i = 0; i < count; i++) {
		CHECK(records[i].seq >= kept->next[vcpu]);
		kept->next[vcpu] = records[i].seq + 1;
		kept->has[vcpu][records[i].seq] = true;
	}
	kept->count += count;
	return 0;
}

static struct flight *new_flight(uint32_t before, uint32_t after, struct kept *kept)
{
	struct flight_options options = {.count = 1, .before = before, .after = after};
	struct flight *flight = NULL;
	struct fault fault = {""};

	memset(kept, 0, sizeof(*kept));
	CHECK_EQ(trigger_parse(&options.trigger[0], "ns > 1ms", &fault), 0);
	CHECK_EQ(flight_new(&options, &vmx, note_kept, kept, &flight, &fault), 0);
	return flight;
}

/* One vCPU, batches of any length: exactly the exits at most so far from an event. */
static void test_one_vcpu(uint64_t *random)
{
	static struct kvm_exit_record records[EXITS];
	static struct kept kept;
	uint32_t before = (uint32_t)(random_next(random) % 40),
		 after = (uint32_t)(random_next(random) % 40);
	struct flight *flight = new_flight(before, after, &kept);
	struct flight_counts counts;
	uint64_t events = 0;

	for (uint32_t i = 0; i < EXITS; i++) {
		bool is_event = !(uint32_t)(random_next(random) % 100);

		records[i] = (struct kvm_exit_record){
			.seq = i, .tsc = i, .cycles = is_event ? 2000000 : 1000};
		events += is_event;
	}

	CHECK_EQ(flight_add_vcpu(flight, 0, 1), 0);
	for (size_t at = 0, count; at < EXITS; at += count) {
		count = 1 + (uint32_t)(random_next(random) % 60);
		count = count < EXITS - at ? count : EXITS - at;
		CHECK_EQ(flight_take(flight, 0, records + at, count), 0);
	}

	for (int64_t i = 0; i < EXITS; i++) {
		bool is_near = false;

		for (int64_t e = i - after; e <= i + before; e++)
			is_near |= e >= 0 && e < EXITS && records[e].cycles > 1000000;
		CHECK_EQ(kept.has[0][i], is_near);
	}
	flight_get_counts(flight, &counts);
	CHECK_EQ(counts.exits, EXITS);
	CHECK_EQ(counts.kept, kept.count);
	CHECK_EQ(counts.events, events);
	CHECK_EQ(flight_events_of(flight, 0), events);
	flight_free(flight);
}

/* Exits of other vCPUs: those of the event's VM alone, by the TSC after the event. */
static void test_other_vcpus(void)
{
	static struct kept kept;
	struct flight *flight = new_flight(3, 2, &kept);
	struct kvm_exit_record event = {.tsc = 1000, .cycles = 2000000};

	for (int vcpu = 0; vcpu < 3; vcpu++)
		CHECK_EQ(flight_add_vcpu(flight, vcpu, vcpu == 2 ? 8 : 7), 0);
	CHECK_EQ(flight_add_vcpu(flight, 4, 7), -EINVAL);

	for (uint64_t i = 0; i < 10; i++) {
		struct kvm_exit_record record = {.seq = i, .tsc = 900 + i, .cycles = 10};

		for (int vcpu = 1; vcpu < 3; vcpu++)
			CHECK_EQ(flight_take(flight, vcpu, &record, 1), 0);
	}
	CHECK_EQ(flight_take(flight, 0, &event, 1), 0);

	/* Three that come late and took place before the event, then those after it. */
	for (uint64_t i = 10; i < 20; i++) {
		struct kvm_exit_record record = {
			.seq = i, .tsc = (i < 13 ? 950 : 1000) + i, .cycles = 10};

		for (int vcpu = 1; vcpu < 3; vcpu++)
			CHECK_EQ(flight_take(flight, vcpu, &record, 1), 0);
	}
	for (uint64_t i = 0; i < 20; i++)
		CHECK_EQ(kept.has[1][i], i >= 7 && i < 15);
	CHECK_EQ(kept.count, 9);

	flight_end_vcpu(flight, 1);
	CHECK_EQ(flight_take(flight, 0, &(struct kvm_exit_record){.seq = 1, .cycles = 2000000}, 1),
		 0);
	CHECK_EQ(kept.count, 10); /* what vCPU 1 had in its history was left out */
	flight_free(flight);
}

int main(void)
{
	uint64_t random = 1; /* the seed */

	test_conditions();
	test_bad_expressions();
	for (int i = 0; i < 50; i++)
		test_one_vcpu(&random);
	test_other_vcpus();
	return check_result();
}
