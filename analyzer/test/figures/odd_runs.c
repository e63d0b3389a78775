// SPDX-License-Identifier: GPL-2.0-only
/*
 * odd_runs - makes a database of runs that are short, long, empty, lossy or otherwise odd
 *
 *	odd_runs DATABASE
 *
 * For odd_runs_test.py, which knows of each run only what its rows say. Each run's label names what
 * is odd about it.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "sql/store/store.h"

#define START  UINT64_C(1000000000000)
#define VCPUS  8
#define MOST   20000 /* exits of a vCPU */
#define MS(ms) ((uint64_t)(ms)*khz)

static struct store *store;
static uint32_t khz;
static uint64_t random_state;

/* What is known of a vCPU while its exits are made up. */
struct vcpu {
	int number;
	uint32_t id;
	uint64_t tsc; /* when its last exit ended */
	uint64_t seq;
	size_t count;
	struct kvm_exit_record record[MOST];
	struct kvm_exit_total totals[KVM_EXIT_TOTAL_SLOTS];
};

static struct vcpu vcpus[VCPUS];
static int count;

static void check(int rc)
{
	if (!rc)
		return;
	fprintf(stderr, "odd_runs: %s\n", store_strerror(store, rc));
	exit(1);
}

/* 0 to @below - 1. */
static uint64_t any(uint64_t below)
{
	return random_next(&random_state) % below;
}

static void begin(const char *label, uint32_t tsc_khz, bool compact)
{
	const struct store_run run = {
		.label = label,
		.source = "capture",
		.collector = "odd_runs",
		.isa = KVM_EXIT_ISA_VMX,
		.tsc_khz = tsc_khz,
		.tsc_start = START,
		.raw = true,
		.compact = compact,
		.split = true,
	};

	khz = tsc_khz;
	count = 0;
	random_state = strlen(label);
	check(store_begin(store, &run));
}

/* A vCPU whose first exit is not before @since ms. */
static struct vcpu *add(uint64_t vm, uint32_t id, double since_ms)
{
	struct vcpu *v = &vcpus[count];
	const struct store_vcpu info = {.comm = "vmm",
					.vm_id = vm,
					.ring_id = (uint64_t)++count,
					.tgid = 100,
					.vcpu_id = id};

	memset(v, 0, sizeof(*v));
	v->id = id;
	v->tsc = START + (uint64_t)(since_ms * khz);
	check(store_add_vcpu(store, &info, &v->number));
	return v;
}

/* An exit, @guest cycles after the one before; its parts in cycles. Lost: KVM alone counts it. */
static void exits(struct vcpu *v, uint32_t reason, uint64_t guest, uint64_t handler,
		  uint64_t halted, uint64_t userspace, bool lost)
{
	struct kvm_exit_record *r = &v->record[v->count];
	struct kvm_exit_total *total = &v->totals[reason];

	*r = (struct kvm_exit_record){
		.tsc = v->tsc + guest,
		.seq = v->seq++,
		.reason = reason,
		.handler_cycles = handler,
		.halted_cycles = halted,
		.userspace_cycles = userspace,
		.cycles = handler + halted + userspace,
		.vcpu_id = v->id,
		.isa = KVM_EXIT_ISA_VMX,
		.guest_rip = 0xffffffff81000000 + reason,
	};
	if (userspace) {
		r->flags |= KVM_EXIT_REC_USER;
		r->user_reason = 2;
	}
	if (halted)
		r->flags |= KVM_EXIT_REC_HALTED;
	if (reason == 30) {
		r->flags |= KVM_EXIT_REC_KEY;
		r->key = 0x70 + any(3);
		r->key_aux = 1;
	}
	v->tsc = r->tsc + r->cycles;
	total->count++;
	total->cycles += r->cycles;
	if (!lost)
		v->count++;
}

/* Exits of four reasons until @until_ms, about @rate per ms; @lose: one in so many is lost, 0:
 * none. */
static void fill(struct vcpu *v, double until_ms, uint64_t rate, uint64_t lose)
{
	uint64_t end = START + (uint64_t)(until_ms * khz);

	while (v->count < MOST) {
		static const uint32_t reasons[] = {1, 12, 30, 32};
		uint32_t reason = reasons[any(4)];
		uint64_t guest = any(2 * khz / rate);

		if (v->tsc + guest >= end)
			break;
		exits(v, reason, guest, 500 + any(3000), reason == 12 ? any(khz) : 0,
		      reason == 30 ? 2000 + any(20000) : 0, lose && !any(lose));
	}
}

/* @life: what the end of the vCPU's recording says; its seq is filled in. */
static void end_vcpu(struct vcpu *v, bool totals, struct store_vcpu_end life)
{
	life.end_seq = v->seq;
	life.totals = totals ? v->totals : NULL;
	check(store_append(store, v->number, v->record, v->count));
	check(store_end_vcpu(store, v->number, &life));
}

/* Ends the run, and all vCPUs from @first on that have not been ended. */
static void end(int first, double length_ms, bool totals)
{
	for (int i = first; i < count; i++)
		end_vcpu(&vcpus[i], totals, (struct store_vcpu_end){0});
	check(store_finish(store, "complete", START + (uint64_t)(length_ms * khz), 0));
}

static void make_few(void)
{
	struct vcpu *v;

	begin("no vCPU", 1000000, false);
	end(0, 10000, false);

	begin("no exit", 1000000, false);
	add(1, 0, 0);
	end(0, 10000, true);

	begin("one exit", 1000000, false);
	v = add(1, 0, 5000);
	exits(v, 10, 0, 1234, 0, 0, false);
	end(0, 10000, true);

	begin("one exit, and a vCPU without one", 1000000, false);
	v = add(1, 0, 5000);
	add(1, 1, 0);
	exits(v, 10, 0, 1234, 0, 0, false);
	end(0, 10000, true);

	begin("two exits in 3 us", 2599997, false);
	v = add(1, 0, 0);
	exits(v, 10, 0, 1000, 0, 0, false);
	exits(v, 30, 100, 1000, 0, 5000, false);
	end(0, 0.003, true);

	begin("exits without time", 1000000, false);
	v = add(1, 0, 0);
	for (int i = 0; i < 300; i++)
		exits(v, i % 3 ? 32 : 10, 1000, 0, 0, 0, false);
	end(0, 1, true);
}

static void make_lengths(void)
{
	struct vcpu *v;

	begin("one interval", 2599997, false);
	fill(add(1, 0, 0), 40, 5, 0);
	fill(add(1, 1, 0), 60, 5, 0);
	end(0, 60, true);

	begin("30 days", 2600000, false);
	v = add(1, 0, 0);
	for (int i = 0; i < 5; i++)
		exits(v, 12, MS(86400e3), 2000, MS(5 * 86400e3), 0, false);
	exits(v, 32, 7, 1000, 0, 0, false);
	end(0, 30 * 86400e3 + 1, true);

	begin("exits after the end", 1000000, false);
	v = add(1, 0, 0);
	fill(v, 900, 1, 0);
	end(0, 600, true);

	begin("exits at the ends of intervals", 1000000, false);
	v = add(1, 0, 0);
	for (int i = 0; i < 20; i++) {
		/* In the first and in the last cycle of an interval, and through a whole one. */
		exits(v, 10, 0, 10, 0, 0, false);
		exits(v, 12, MS(100) - 11, 1, 0, 0, false);
		exits(v, 12, 0, 500, MS(100) - 500, 0, false);
	}
	end(0, 4000, true);

	begin("an exit longer than the rest of the run", 1000000, false);
	v = add(1, 0, 0);
	fill(v, 500, 1, 0);
	exits(v, 12, 1000, 2000, MS(9000), 0, false);
	end(0, 2000, true);
}

static void make_lives(bool compact)
{
	struct vcpu *v;

	begin(compact ? "late and early vCPUs, in chunks" : "late and early vCPUs", 2100000,
	      compact);
	fill(add(1, 0, 0), 6000, 1, 0);
	v = add(1, 1, 4500);
	exits(v, 30, 0, 1000, 0, 9000, false);
	fill(v, 6000, 1, 0);
	v = add(2, 0, 100);
	fill(v, 1500, 1, 0);
	end_vcpu(&vcpus[0], true, (struct store_vcpu_end){.unread = 3});
	end_vcpu(&vcpus[1], true, (struct store_vcpu_end){0});
	end_vcpu(&vcpus[2], true, (struct store_vcpu_end){.ended = 1});
	add(3, 7, 0);
	v = add(3, 8, 5999);
	exits(v, 10, 0, 700, 0, 0, false);
	end(3, 6000, true);

	begin(compact ? "long halts, in chunks" : "long halts", 2100000, compact);
	v = add(1, 0, 0);
	fill(v, 100, 5, 0);
	exits(v, 12, 1000, 3000, MS(2700), 0, false);
	fill(v, 4000, 1, 0);
	v = add(1, 1, 0);
	exits(v, 12, 1000, 3000, MS(3900), 0, false);
	fill(add(2, 0, 0), 4000, 1, 0);
	end(0, 4000, true);
}

/* A VM that lives for a part of the run, and one that does the same for all of its run. */
static void make_parts(void)
{
	struct vcpu *v;

	begin("a VM for 10 s of 16", 2100000, false);
	fill(add(1, 0, 0), 16000, 1, 0);
	v = add(2, 0, 5000);
	fill(v, 15000, 1, 0);
	end_vcpu(&vcpus[0], true, (struct store_vcpu_end){0});
	end_vcpu(&vcpus[1], true, (struct store_vcpu_end){.ended = 1});
	end(2, 16000, true);

	begin("such a VM alone", 2100000, false);
	fill(add(2, 0, 0), 10000, 1, 0);
	end(0, 10000, true);
}

static void make_losses(void)
{
	begin("losses in one vCPU", 2600000, false);
	fill(add(1, 0, 0), 3000, 1, 0);
	fill(add(1, 1, 0), 3000, 1, 3);
	fill(add(2, 0, 0), 3000, 1, 0);
	end(0, 3000, true);

	begin("losses that no total names", 2600000, false);
	fill(add(1, 0, 0), 3000, 1, 4);
	fill(add(2, 0, 0), 3000, 1, 0);
	end(0, 3000, false);

	begin("a vCPU that lost all", 2600000, false);
	fill(add(1, 0, 0), 3000, 1, 0);
	fill(add(1, 1, 0), 3000, 1, 1);
	end(0, 3000, true);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: odd_runs DATABASE\n", stderr);
		return 1;
	}
	if (store_open(argv[1], &store)) {
		fprintf(stderr, "odd_runs: %s: can't be opened\n", argv[1]);
		return 1;
	}

	make_few();
	make_lengths();
	make_lives(false);
	make_lives(true);
	make_losses();
	make_parts();
	store_close(store);
	return 0;
}
