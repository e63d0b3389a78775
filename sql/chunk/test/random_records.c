// SPDX-License-Identifier: GPL-2.0-only
/* random_records.c - records of many kinds; see random_records.h */
#include "sql/chunk/test/random_records.h"

#include <string.h>

#include "base/random.h"

/* A number of 0 to 8 bytes, all widths equally often. */
static uint64_t any_width(uint64_t *random)
{
	uint64_t width = random_next(random) % 9;

	return width ? random_next(random) >> (64 - 8 * width) : 0;
}

static void fill_random(uint64_t *random, struct kvm_exit_record *r)
{
	uint64_t words[sizeof(*r) / sizeof(uint64_t)];

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		words[i] = random_next(random);
	memcpy(r, words, sizeof(*r));
}

static void fill_sparse(uint64_t *random, struct kvm_exit_record *r)
{
	uint64_t words[sizeof(*r) / sizeof(uint64_t)];

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		words[i] = random_next(random) % 500 ? 0 : any_width(random);
	memcpy(r, words, sizeof(*r));
}

/* @before: the record before, or zeros. */
static void fill_likely(uint64_t *random, const struct kvm_exit_record *before,
			struct kvm_exit_record *r)
{
	uint64_t dice = random_next(random);

	*r = (struct kvm_exit_record){
		.seq = before->seq + 1 + (dice % 64 ? 0 : dice >> 60),
		.tsc = before->tsc + before->cycles + 300 + (dice >> 8) % 4096,
		.guest_rip = 0xffffffff81000000ULL + (dice >> 20) % 64 * 16,
		.guest_cr3 = 0x1000 * (1 + (dice >> 26) % 3),
		.key = 0xfee00000 + (dice >> 28) % 4096,
		.handler_cycles = 900 + (dice >> 40) % 2000,
		.reason = 10 + (dice >> 51) % 4,
		.flags = KVM_EXIT_REC_KEY | KVM_EXIT_REC_CR3,
		.pcpu = (dice >> 53) % 2,
		.vcpu_id = 3,
		.isa = KVM_EXIT_ISA_VMX,
		.qualification = any_width(random) & 0xffff,
		.info2 = dice & 1 ? 0x80000b0e : 0,
		.value = dice & 2 ? random_next(random) : 0,
		.requests = dice & 4 ? 1 << 3 : 0,
		.entry_event = dice & 8 ? 0x800000ec : 0,
	};
	if (r->reason == 12) {
		r->halted_cycles = any_width(random) & 0xffffff;
		r->polled_cycles = r->halted_cycles / 2;
	}
	if (r->reason == 13) {
		r->userspace_cycles = any_width(random) & 0xffff;
		r->user_reason = 2;
		r->run_errno = 4;
		r->key_aux = 1;
	}
	r->preempted_cycles = dice & 0xf0 ? 0 : 100000;
	r->cycles =
		r->handler_cycles + r->halted_cycles + r->userspace_cycles + r->preempted_cycles;
}

static void break_record(uint64_t *random, struct kvm_exit_record *r)
{
	if (random_next(random) % 8 == 0)
		r->seq = any_width(random);
	if (random_next(random) % 8 == 0)
		r->tsc = any_width(random);
	if (random_next(random) % 8 == 0)
		r->cycles = any_width(random);
	if (random_next(random) % 8 == 0)
		r->halted_cycles = any_width(random);
	if (random_next(random) % 8 == 0)
		r->reserved[random_next(random) % 4] = any_width(random);
}

void random_records(enum records_kind kind, uint64_t *random, struct kvm_exit_record *records,
		    size_t count)
{
	struct kvm_exit_record before = {0};

	for (size_t i = 0; i < count; i++) {
		struct kvm_exit_record *r = &records[i];

		switch (kind) {
		case RECORDS_ZERO:
			memset(r, 0, sizeof(*r));
			break;
		case RECORDS_ONES:
			memset(r, 0xff, sizeof(*r));
			break;
		case RECORDS_RANDOM:
			fill_random(random, r);
			break;
		case RECORDS_SPARSE:
			fill_sparse(random, r);
			break;
		default:
			fill_likely(random, &before, r);
			if (kind == RECORDS_BROKEN)
				break_record(random, r);
		}
		before = *r;
	}
}
