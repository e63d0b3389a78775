// SPDX-License-Identifier: GPL-2.0-only
/* synthetic.c - random records from a seed, and their sums */
#include "sql/store/test/synthetic.h"

#include <string.h>

#include "base/random.h"

void synthetic_init(struct synthetic *s, uint32_t vcpu_id, uint64_t seed)
{
	memset(s, 0, sizeof(*s));
	s->random = seed + vcpu_id;
	s->vcpu_id = vcpu_id;
	s->tsc = SYNTHETIC_TSC_START + 1000 * vcpu_id;
}

/* Some reasons of VMX, the frequent ones several times. */
static uint32_t pick_reason(uint64_t random)
{
	static const uint32_t reasons[] = {1,  10, 10, 12, 28, 30, 30, 30,	     30,
					   31, 32, 32, 32, 48, 49, 48, 33 | 1U << 31};

	return reasons[random % (sizeof(reasons) / sizeof(*reasons))];
}

/*
 * Durations: near to what is usual for the reason, as in recorded boots (about 10
 * buckets of the histogram for a reason in a second), but one in 64 from a long
 * tail, where each doubling up to 2^24 cycles is half as frequent.
 */
static uint64_t pick_cycles(uint32_t reason, uint64_t random, uint32_t coin)
{
	uint64_t usual = 1000 + 100 * reason;

	if (random % 64)
		return usual + random / 64 % (usual / 4);
	return 512 + random / 64 % (512U << __builtin_ctz(coin | 1U << 15));
}

static void lose(struct synthetic *s, uint64_t random)
{
	struct kvm_exit_total *total = &s->totals[1];
	uint64_t n = 1 + random % 3;

	total->count += n;
	total->dropped += n;
	s->seq += n;
	s->lost += n;
}

static void fill(struct synthetic *s, struct kvm_exit_record *r)
{
	uint64_t random = random_next(&s->random);
	struct kvm_exit_total *total;

	memset(r, 0, sizeof(*r));
	r->seq = s->seq++;
	r->reason = pick_reason(random >> 8);
	/* A synthesized exit begins where the one before ends: the guest did not run. */
	if (!(r->reason >> 31))
		s->tsc += s->guest_cycles + 500 + (random >> 16) % 4000;
	r->tsc = s->tsc;
	r->handler_cycles = pick_cycles(r->reason & 63, random >> 20, (__u32)(random >> 48));
	r->halted_cycles = r->reason == 12 ? (random >> 30) % 100000 : 0;
	r->userspace_cycles = r->reason == 30 ? (random >> 32) % 5000 : 0;
	r->preempted_cycles = (random & 63) == 0 ? (random >> 40) % 100000 : 0;
	r->cycles =
		r->handler_cycles + r->halted_cycles + r->userspace_cycles + r->preempted_cycles;
	r->guest_rip = 0xffffffff81000000ULL + (random >> 44) % 512 * 16;
	r->qualification = r->reason == 48 ? 0x181 : 0;
	r->vcpu_id = (__u16)s->vcpu_id;
	r->pcpu = (__u16)(random >> 50 & 3);
	r->isa = KVM_EXIT_ISA_VMX;
	if (r->reason == 31 || r->reason == 32 || r->reason == 48 || r->reason == 49) {
		r->flags |= KVM_EXIT_REC_KEY;
		r->key = r->reason < 48 ? 0x6e0 + (random >> 52) % 4 : (random >> 36) % 64 * 4096;
	}
	if (r->userspace_cycles)
		r->flags |= KVM_EXIT_REC_USER;
	if (r->preempted_cycles)
		r->flags |= KVM_EXIT_REC_PREEMPTED;
	if (r->reason == 32 && (random & 1))
		r->flags |= KVM_EXIT_REC_FASTPATH;
	if (r->reason >> 31)
		r->flags |= KVM_EXIT_REC_SYNTH;
	if (r->halted_cycles)
		r->flags |= KVM_EXIT_REC_HALTED;
	r->polled_cycles = r->halted_cycles / 4;
	if (r->polled_cycles)
		r->flags |= KVM_EXIT_REC_POLLED;
	s->tsc += r->cycles;

	total = &s->totals[r->reason & 0xffff];
	total->count += !(r->reason >> 31);
	total->synthesized += r->reason >> 31;
	total->recorded++;
	total->cycles += r->cycles;
	total->halted_cycles += r->halted_cycles;
	total->userspace_cycles += r->userspace_cycles;
	total->preempted_cycles += r->preempted_cycles;
	total->polled_cycles += r->polled_cycles;
}

void synthetic_fill(struct synthetic *s, struct kvm_exit_record *records, size_t count)
{
	uint64_t random;
	size_t i;

	for (i = 0; i < count; i++) {
		if (s->lose_one_in) {
			random = random_next(&s->random);
			if (random % s->lose_one_in == 0)
				lose(s, random >> 32);
		}
		fill(s, &records[i]);
	}
}

void synthetic_end(struct synthetic *s, struct kvm_exit_record *last)
{
	struct kvm_exit_total *total = &s->totals[last->reason & 0xffff];
	const uint64_t gone = 1000; /* from the return to user space to the end of the vCPU */

	last->flags |= KVM_EXIT_REC_USER | KVM_EXIT_REC_NO_REENTRY;
	last->userspace_cycles += gone;
	last->cycles += gone;

	total->userspace_cycles += gone;
	total->cycles += gone;
	s->tsc += gone;
}
