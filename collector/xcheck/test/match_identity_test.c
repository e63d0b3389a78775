// SPDX-License-Identifier: GPL-2.0-only
/* match_identity_test.c - events of two VMs of one process, whose vCPUs have the same id */
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "collector/xcheck/match.h"
#include "kvm/test/common/check.h"

#define TGID  100U
#define TID   101U
#define VMS   2
#define EXITS 400

/*
 * struct vm - one of the VMs, with one vCPU
 * @tid, @cpu: where it runs
 * @exit_tsc: of the exit that goes on, 0: in the guest
 * @lose_one_in: lose the record of every n-th exit on average; 0: none
 */
struct vm {
	uint32_t tid;
	uint32_t cpu;
	uint64_t now;
	uint64_t exit_tsc;
	uint64_t seq;
	uint64_t lost;
	uint32_t reason;
	uint32_t lose_one_in;
};

static uint32_t tgid_of(void *user, uint32_t tid)
{
	(void)user;
	(void)tid;
	return TGID;
}

static struct match *start(void)
{
	struct match *m = match_new(tgid_of, NULL);
	const struct match_vcpu_info info = {.tgid = TGID, .isa = KVM_EXIT_ISA_VMX};
	int vcpu;

	for (int i = 0; i < VMS; i++)
		CHECK(m && !match_add_vcpu(m, &info, &vcpu) && vcpu == i);
	return m;
}

static void trace(struct match *m, const struct vm *vm, enum kvm_event_kind kind, uint64_t ts)
{
	const struct kvm_event event = {
		.ts = ts, .kind = kind, .tid = vm->tid, .reason = vm->reason, .cpu = vm->cpu};

	CHECK(!match_event(m, &event));
}

static void leave_guest(struct match *m, struct vm *vm)
{
	vm->exit_tsc = vm->now;
	trace(m, vm, KVM_EVENT_EXIT, vm->now + 20);
	vm->now += 30;
}

/* Ends the exit, if there is one: its record is handed in now. */
static void enter_guest(struct match *m, struct vm *vm, int vcpu, uint64_t *random)
{
	struct kvm_exit_record record = {
		.seq = vm->seq,
		.tsc = vm->exit_tsc,
		.cycles = vm->now + 50 - vm->exit_tsc,
		.reason = vm->reason,
		.pcpu = (__u16)vm->cpu,
		.isa = KVM_EXIT_ISA_VMX,
	};

	trace(m, vm, KVM_EVENT_ENTRY, vm->now + 30);
	vm->now += 50;
	if (!vm->exit_tsc)
		return;

	vm->seq++;
	vm->exit_tsc = 0;
	if (vm->lose_one_in && random_next(random) % vm->lose_one_in == 0)
		vm->lost++;
	else
		CHECK(!match_records(m, vcpu, &record, 1));
}

/* Ends both VMs, and checks that each has all of its exits. */
static void finish(struct match *m, const struct vm vm[VMS])
{
	uint64_t unpaired = 0;

	for (int i = 0; i < VMS; i++) {
		const struct match_vcpu_end end = {
			.seq = vm[i].seq, .last_snapshot_tsc = UINT64_MAX, .gone = true};

		match_end_vcpu(m, i, &end);
	}
	CHECK(!match_finish(m));

	for (int i = 0; i < VMS; i++) {
		const struct match_count *counts;
		size_t count;

		counts = match_counts(m, i, &count);
		CHECK(count == 1 && counts[0].reason == vm[i].reason);
		CHECK(counts[0].traced == vm[i].seq && counts[0].gap == vm[i].lost);
		CHECK(counts[0].matched == vm[i].seq - vm[i].lost);
		CHECK(!counts[0].trace_only && !counts[0].record_only && !counts[0].differ);
		CHECK(!counts[0].shorter);
		unpaired += match_entries(m, i)->unpaired;
	}
	/* The first entry of each; nothing shows whose the first of all is. */
	CHECK(unpaired == VMS && match_ambiguous(m) <= 1);
	match_free(m);
}

static void mark(struct match *m, uint64_t tsc, uint64_t *random)
{
	if (random_next(random) % 8)
		return;
	match_mark(m, tsc);
	CHECK(!match_run(m));
}

/* Each VM has a thread and a CPU; what is next in time happens. */
static void test_two_threads(uint64_t seed, uint32_t lose_one_in)
{
	struct vm vm[VMS] = {{.tid = TID, .cpu = 1, .now = 1000, .reason = 10},
			     {.tid = TID + 1, .cpu = 2, .now = 1010, .reason = 12}};
	struct match *m = start();
	uint64_t random = seed;

	vm[0].lose_one_in = vm[1].lose_one_in = lose_one_in;
	for (int i = 0; i < VMS; i++)
		enter_guest(m, &vm[i], i, &random);
	while (vm[0].seq < EXITS || vm[1].seq < EXITS) {
		int i = vm[0].now < vm[1].now ? 0 : 1;

		vm[i].now += 1 + random_next(&random) % 500;
		if (vm[i].exit_tsc)
			enter_guest(m, &vm[i], i, &random);
		else
			leave_guest(m, &vm[i]);
		mark(m, vm[0].now < vm[1].now ? vm[0].now : vm[1].now, &random);
	}
	for (int i = 0; i < VMS; i++) {
		if (vm[i].exit_tsc)
			enter_guest(m, &vm[i], i, &random);
	}
	finish(m, vm);
}

/* One thread runs both in turn: one's exit goes on while the other is in the guest. */
static void test_one_thread(uint64_t seed)
{
	struct vm vm[VMS] = {{.tid = TID, .cpu = 1, .reason = 10},
			     {.tid = TID, .cpu = 1, .reason = 12}};
	struct match *m = start();
	uint64_t random = seed, now = 1000;

	for (int turn = 0; turn < 2 * EXITS; turn++) {
		int i = turn < VMS ? turn : (int)(random_next(&random) % VMS);

		vm[i].now = now + random_next(&random) % 500;
		enter_guest(m, &vm[i], i, &random);
		vm[i].now += 1 + random_next(&random) % 500;
		leave_guest(m, &vm[i]);
		now = vm[i].now;
		mark(m, now, &random);
	}
	for (int i = 0; i < VMS; i++) {
		vm[i].now = now;
		enter_guest(m, &vm[i], i, &random);
		now = vm[i].now;
	}
	finish(m, vm);
}

/* The vCPU is destroyed at @tsc, without another VM entry; it is read then. */
static void destroy(struct match *m, const struct vm *vm, int vcpu, uint64_t tsc)
{
	const struct match_vcpu_end end = {
		.seq = vm->seq + 1, .last_snapshot_tsc = tsc + 100, .gone = true};
	const struct kvm_exit_record record = {
		.seq = vm->seq,
		.tsc = vm->exit_tsc,
		.cycles = tsc - vm->exit_tsc,
		.reason = vm->reason,
		.flags = KVM_EXIT_REC_NO_REENTRY,
		.pcpu = (__u16)vm->cpu,
		.isa = KVM_EXIT_ISA_VMX,
	};

	CHECK(!match_records(m, vcpu, &record, 1));
	match_end_vcpu(m, vcpu, &end);
}

/* All exits of a VM that is made at @now, but for the end of the last one. */
static struct vm live(struct match *m, int vcpu, uint64_t now)
{
	const struct match_vcpu_info info = {
		.tgid = TGID, .isa = KVM_EXIT_ISA_VMX, .created_tsc = now};
	struct vm vm = {.tid = TID, .cpu = 1, .now = now + 10, .reason = 10};
	uint64_t random = 1;
	int added;

	CHECK(!match_add_vcpu(m, &info, &added) && added == vcpu);
	for (int i = 0; i < 5; i++) {
		enter_guest(m, &vm, vcpu, &random);
		vm.now += 100;
		leave_guest(m, &vm);
		vm.now += 100;
	}
	return vm;
}

/*
 * A thread makes one VM after the other. The first one is held, so that its last exit ends after
 * all others are gone; nothing of it shows before.
 */
static void test_one_after_another(void)
{
	struct match *m = match_new(tgid_of, NULL);
	struct vm first = live(m, 0, 1000), vm;
	uint64_t now = first.now;

	for (int i = 1; i < 4; i++) {
		vm = live(m, i, now);
		destroy(m, &vm, i, vm.now);
		now = vm.now + 50;
		match_mark(m, now);
		CHECK(!match_run(m));
	}
	destroy(m, &first, 0, now);
	match_mark(m, now + 1000);
	CHECK(!match_run(m) && !match_finish(m));

	for (int i = 0; i < 4; i++) {
		size_t count;
		const struct match_count *counts = match_counts(m, i, &count);

		CHECK(count == 1 && counts[0].traced == 5 && counts[0].matched == 5);
		CHECK(!counts[0].trace_only && !counts[0].record_only);
		CHECK(match_entries(m, i)->traced == 5);
	}
	CHECK(!match_ambiguous(m));
	match_free(m);
}

/* Without records, and from a thread that made no event before, nothing shows whose they are. */
static void test_nothing_shows(void)
{
	struct vm vm = {.tid = TID, .cpu = 1, .now = 1000, .reason = 10};
	struct match *m = start();

	leave_guest(m, &vm);
	match_mark(m, 2000);
	CHECK(!match_run(m));
	CHECK(!match_ambiguous(m)); /* it waits for records */
	CHECK(!match_finish(m));
	CHECK(match_ambiguous(m) == 1);
	match_free(m);
}

int main(void)
{
	for (uint64_t seed = 1; seed <= 300; seed++) {
		test_two_threads(seed, 0);
		test_two_threads(seed, 10);
		test_one_thread(seed);
	}
	test_one_after_another();
	test_nothing_shows();
	return 0;
}
