// SPDX-License-Identifier: GPL-2.0-only
/*
 * ring_bench.c - what writing and publishing a record costs in user space: the code
 * of kvm.ko's producer
 */
#include "kvm/ring/exit_ring_core.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define COUNT  65536U
#define PUSHES 2000000U
#define ROUNDS 20

/* CPU time, so that other programs on this machine count less. */
static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* One whole record, as the hooks write it. */
static void write_record(struct kvm_exit_record *r, __u64 number)
{
	r->tsc = number;
	r->guest_rip = number + 1;
	r->guest_cr3 = 0;
	r->qualification = number + 2;
	r->info2 = 0;
	r->key = number + 3;
	r->key_aux = 0;
	r->cycles = number + 4;
	r->handler_cycles = number + 5;
	r->halted_cycles = 0;
	r->userspace_cycles = 0;
	r->preempted_cycles = 0;
	r->reason = (__u32)number;
	r->flags = KVM_EXIT_REC_QUAL | KVM_EXIT_REC_KEY;
	r->intr_info = 0;
	r->error_code = 0;
	r->pcpu = 0;
	r->vcpu_id = 0;
	r->user_reason = 0;
	r->isa = KVM_EXIT_ISA_VMX;
	r->run_errno = 0;
}

/* ns per push into a ring that a reader empties at once (drained) or never (full). */
static double round_ns(struct exit_ring_producer *p, struct kvm_exit_ring_tail *tail, int drained)
{
	double start = now_ns();

	for (__u64 i = 0; i < PUSHES; i++) {
		struct kvm_exit_record *record = exit_ring_reserve(p);

		if (!record) {
			if (drained)
				exit_ring_store_release(&tail->tail, p->head);
			else
				exit_ring_drop(p);
			continue;
		}
		write_record(record, i);
		exit_ring_publish(p, record);
	}
	return (now_ns() - start) / PUSHES;
}

static int bench(const char *name, int drained)
{
	struct kvm_exit_ring_meta meta = {.record_count = COUNT};
	struct kvm_exit_ring_tail tail = {0};
	struct exit_ring_producer p = {.meta = &meta, .tail = &tail, .mask = COUNT - 1};
	double sum = 0, squares = 0, ns;

	p.records = aligned_alloc(4096, COUNT * sizeof(*p.records));
	if (!p.records) {
		fprintf(stderr, "ring_bench: out of memory\n");
		return 1;
	}
	round_ns(&p, &tail, drained); /* touches every page */
	for (int i = 0; i < ROUNDS; i++) {
		ns = round_ns(&p, &tail, drained);
		sum += ns;
		squares += ns * ns;
	}
	free(p.records);
	ns = sum / ROUNDS;
	printf("%-22s %6.2f ns/push, sd %5.2f, %d rounds of %u\n", name, ns,
	       sqrt((squares - sum * ns) / (ROUNDS - 1)), ROUNDS, PUSHES);
	return 0;
}

int main(void)
{
	return bench("whole record, drained", 1) || bench("full ring, dropped", 0);
}
