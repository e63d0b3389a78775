// SPDX-License-Identifier: GPL-2.0-only
/*
 * vcpu_record_test.c - records and totals that events of a vCPU make
 *
 * vcpu_record.h is what the BPF programs run; here it runs in user space, on a ring of its
 * own, with the reader of the collector at the other end.
 */
#include "collector/source/bpf/kernel/vcpu_record.h"

#include <stdlib.h>
#include <string.h>

#include "kvm/test/common/check.h"
#include "sql/hist.h"

#define RECORDS 4U
#define MASK	(RECORDS - 1)
#define SVM_HLT 0x78U /* APM volume 2, appendix C */

static const struct vcpu_filter everything;

static struct bpf_vcpu vcpu;
static struct bpf_area *area;
static struct exit_ring_reader reader;

static void begin(void)
{
	size_t bytes =
		sizeof(*area) + RECORDS * sizeof(struct kvm_exit_record) + sizeof(struct bpf_hists);

	free(area);
	area = calloc(1, bytes);
	CHECK(area);
	/* What an exit before may have left; some fields no exit writes. */
	memset(area->records, 0xff, RECORDS * sizeof(struct kvm_exit_record));
	for (unsigned int i = 0; i < RECORDS; i++) {
		area->records[i].guest_cr3 = 0;
		area->records[i].requests = 0;
		area->records[i].entry_event = 0;
		area->records[i].entry_error_code = 0;
	}
	area->meta.record_count = RECORDS;
	area->meta.record_bytes = sizeof(struct kvm_exit_record);
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.vcpu_id = 7;
	exit_ring_reader_init(&reader, &area->meta, &area->tail, area->records);
}

static bool exit_filtered(__u64 tsc, __u32 reason, const struct vcpu_filter *filter)
{
	const struct exit_facts f = {.reason = reason, .rip = tsc + 1, .cpu = 3};

	bool entered = vcpu_exited(&vcpu, area, MASK, filter);

	vcpu_open(&vcpu, area, MASK, filter, tsc, true, &f);
	return entered;
}

static bool exit_at(__u64 tsc, __u32 reason)
{
	return exit_filtered(tsc, reason, &everything);
}

/* The next record; there must be one. */
static struct kvm_exit_record next(void)
{
	const struct kvm_exit_record *first;
	struct kvm_exit_record record;

	CHECK(exit_ring_peek(&reader, &first) >= 1);
	record = *first;
	exit_ring_advance(&reader, 1);
	return record;
}

static bool is_empty(void)
{
	const struct kvm_exit_record *first;

	return !exit_ring_peek(&reader, &first);
}

static void test_published_by_the_next_exit(void)
{
	struct kvm_exit_record r;

	begin();
	CHECK(exit_at(1000, SVM_CPUID));
	vcpu_entry(&vcpu, 1300);
	CHECK(is_empty());
	CHECK(area->totals[SVM_CPUID].count == 1 && !area->totals[SVM_CPUID].recorded);
	CHECK(exit_at(2000, SVM_IO));
	r = next();
	CHECK(r.seq == 0 && r.tsc == 1000 && r.cycles == 300 && r.handler_cycles == 300);
	CHECK(r.guest_rip == 1001 && r.pcpu == 3 && r.vcpu_id == 7 && r.reason == SVM_CPUID);
	CHECK(r.isa == KVM_EXIT_ISA_SVM && !r.user_reason && !r.run_errno && !r.guest_cr3);
	CHECK(!r.requests && !r.entry_event && !r.entry_error_code);
	CHECK(r.flags == (KVM_EXIT_REC_QUAL | KVM_EXIT_REC_KEY));
	CHECK(!r.halted_cycles && !r.userspace_cycles && !r.preempted_cycles);
	CHECK(area->totals[SVM_CPUID].recorded == 1 && area->totals[SVM_CPUID].cycles == 300);
	CHECK(area->totals[SVM_IO].count == 1 && !area->totals[SVM_IO].cycles);
	CHECK(area->meta.seq == 1 && area->meta.head == 1);
}

static void test_parts(void)
{
	struct kvm_exit_record r;

	begin();
	exit_at(1000, SVM_IO);
	vcpu_add_preempted(&vcpu, 20);
	vcpu_run_returned(&vcpu, 1100, 0, 2, 0);
	vcpu_add_user(&vcpu, 1400);
	vcpu_add_halted(&vcpu, 50);
	vcpu_entry(&vcpu, 2000);
	/* What comes between the entry and the exit belongs to the next exit. */
	vcpu_add_preempted(&vcpu, 5);
	exit_at(3000, SVM_IO);
	r = next();
	CHECK(r.cycles == 1000 && r.halted_cycles == 50 && r.userspace_cycles == 300);
	CHECK(r.preempted_cycles == 20 && r.handler_cycles == 630 && r.user_reason == 2);
	CHECK((r.flags & 0xff) ==
	      (KVM_EXIT_REC_USER | KVM_EXIT_REC_HALTED | KVM_EXIT_REC_PREEMPTED));
	vcpu_entry(&vcpu, 3100);
	exit_at(4000, SVM_IO);
	r = next();
	CHECK(r.cycles == 100 && r.preempted_cycles == 5 && r.handler_cycles == 95);
	CHECK(!r.user_reason && !(r.flags & KVM_EXIT_REC_USER));
	vcpu_entry(&vcpu, 4100);
	exit_at(5000, SVM_IO);
	r = next();
	CHECK(r.handler_cycles == 100 && !(r.flags & 0xff));
	CHECK(area->totals[SVM_IO].cycles == 1200 && area->totals[SVM_IO].halted_cycles == 50);
	CHECK(area->totals[SVM_IO].userspace_cycles == 300);
	CHECK(area->totals[SVM_IO].preempted_cycles == 25);
}

/* What it polled is a part of what it halted; what it waited for a CPU is not. */
static void test_halt(void)
{
	struct kvm_exit_record r;

	begin();
	exit_at(1000, SVM_HLT);
	vcpu.halting = 1;
	vcpu.out_tsc = 1100; /* preempted while it polls */
	vcpu_waited(&vcpu, 1200, 30, true, true);
	vcpu.out_tsc = 1300; /* blocks; waits longer than it was away, by the scheduler's clock */
	vcpu_waited(&vcpu, 1350, 60, true, false);
	vcpu_halt_over(&vcpu, 500, 200);
	vcpu.out_tsc = 1600; /* blocks outside the halt */
	vcpu_waited(&vcpu, 1700, 7, false, false);
	vcpu_entry(&vcpu, 2000);
	exit_at(3000, SVM_CPUID);
	r = next();
	CHECK(r.halted_cycles == 420 && r.polled_cycles == 170 && r.preempted_cycles == 87);
	CHECK(r.flags & KVM_EXIT_REC_POLLED && r.handler_cycles == 1000 - 420 - 87);
	CHECK(area->totals[SVM_HLT].polled_cycles == 170);
	vcpu_entry(&vcpu, 3100);
	exit_at(4000, SVM_HLT);
	CHECK(!next().polled_cycles);

	/* KVM's statistics can't be less than what the scheduler says, and are kept to that. */
	vcpu.out_tsc = 4100;
	vcpu_waited(&vcpu, 4300, 100, true, true);
	vcpu_halt_over(&vcpu, 90, 80);
	vcpu_entry(&vcpu, 5000);
	exit_at(6000, SVM_CPUID);
	r = next();
	CHECK(!r.halted_cycles && !r.polled_cycles && r.preempted_cycles == 100);
	CHECK(!(r.flags & (KVM_EXIT_REC_HALTED | KVM_EXIT_REC_POLLED)));
}

/* Waits for INIT or SIPI: the time of it that it waited for a CPU is not halted. */
static void test_block(void)
{
	begin();
	exit_at(1000, SVM_HLT);
	vcpu.block_tsc = 1100;
	vcpu.out_tsc = 1200;
	vcpu_waited(&vcpu, 1500, 50, false, false);
	CHECK(vcpu.block_tsc == 1150 && vcpu.now.preempted == 50);
}

/* KVM_RUN that returns without an entry: both stays in user space, the first reason. */
static void test_returned_twice(void)
{
	struct kvm_exit_record r;

	begin();
	exit_at(1000, SVM_IO);
	vcpu_run_returned(&vcpu, 1100, 900, 2, 0);
	vcpu_run_returned(&vcpu, 1500, 1400, 10, -4);
	vcpu_add_user(&vcpu, 1600);
	vcpu_entry(&vcpu, 2000);
	exit_at(3000, SVM_IO);
	r = next();
	CHECK(r.userspace_cycles == 400 && r.user_reason == 2);
}

/* Record of an exit whose KVM_RUN returned @error with @reason in kvm_run. */
static struct kvm_exit_record returned(__u32 reason, int error)
{
	begin();
	exit_at(1000, SVM_IO);
	vcpu_run_returned(&vcpu, 1100, 900, reason, error);
	vcpu_add_user(&vcpu, 1400);
	vcpu_entry(&vcpu, 2000);
	exit_at(3000, SVM_CPUID);
	return next();
}

/* kvm_run holds a reason only if KVM_RUN returned 0 or -EINTR, or describes a bad address. */
static void test_failed_run(void)
{
	struct kvm_exit_record r = returned(2, -14);

	CHECK(r.flags & KVM_EXIT_REC_USER && !r.user_reason && r.run_errno == 14);
	r = returned(39, -14);
	CHECK(r.user_reason == 39 && r.run_errno == 14);
	r = returned(39, -22);
	CHECK(!r.user_reason && r.run_errno == 22);
	r = returned(10, -4);
	CHECK(r.user_reason == 10 && r.run_errno == 4);
	r = returned(2, 0);
	CHECK(r.user_reason == 2 && !r.run_errno);
}

static void test_time_runs_backwards(void)
{
	struct kvm_exit_record r;

	begin();
	exit_at(1000, SVM_HLT);
	vcpu_add_halted(&vcpu, 500);
	vcpu_entry(&vcpu, 1400);
	exit_at(2000, SVM_CPUID);
	r = next();
	CHECK(r.flags & KVM_EXIT_REC_TSC_BACK);
	CHECK(!r.cycles && !r.handler_cycles && !r.halted_cycles);
	CHECK(r.flags & KVM_EXIT_REC_HALTED && !area->totals[SVM_HLT].cycles);
}

/* KVM's copies of the registers of a SEV-ES guest are old: a record has none of them. */
static void test_encrypted_guest(void)
{
	struct exit_facts f = {.reason = SVM_CPUID,
			       .rip = 1001,
			       .rax = 5,
			       .encrypted = true,
			       .has_cr3 = true,
			       .cr3 = 7};
	struct kvm_exit_record r;

	begin();
	CHECK(vcpu_exited(&vcpu, area, MASK, &everything));
	vcpu_open(&vcpu, area, MASK, &everything, 1000, true, &f);
	vcpu_entry(&vcpu, 1300);
	exit_at(2000, SVM_CPUID);
	r = next();
	CHECK(r.flags == (KVM_EXIT_REC_QUAL | KVM_EXIT_REC_NO_RIP));
	CHECK(!r.guest_rip && !r.guest_cr3 && !r.key && !r.value && r.cycles == 300);
}

/* Where KVM's own time of the exit is after the next entry, the record has the entry's. */
static void test_stamp_of_the_future(void)
{
	struct kvm_exit_record r;

	begin();
	vcpu.kvm_stamp = 1;
	exit_at(1000000, SVM_CPUID);
	vcpu_entry(&vcpu, 1400);
	exit_at(2000, SVM_CPUID);
	r = next();
	CHECK(r.flags & KVM_EXIT_REC_TSC_BACK && !r.cycles && r.tsc == 1400);
}

static void test_entry_not_seen(void)
{
	struct kvm_exit_record r;

	begin();
	CHECK(exit_at(1000, SVM_CPUID));
	CHECK(!exit_at(2000, SVM_CPUID));
	r = next();
	CHECK(r.flags & KVM_EXIT_REC_TSC_BACK && !r.cycles);
	CHECK(area->totals[SVM_CPUID].count == 2);
}

static void test_entry_fails(void)
{
	struct kvm_exit_record r;

	begin();
	exit_at(1000, SVM_CPUID);
	vcpu_add_preempted(&vcpu, 10);
	vcpu_entry(&vcpu, 1100);
	vcpu_add_preempted(&vcpu, 30);
	vcpu_entry_again(&vcpu);
	vcpu_entry(&vcpu, 1500);
	exit_at(2000, SVM_CPUID);
	r = next();
	CHECK(r.cycles == 500 && r.preempted_cycles == 40 && vcpu.vmfail == 1);
}

/* Without a ring, too, an entry after an exit is not one that comes again. */
static void test_missed(void)
{
	begin();
	vcpu_entry(&vcpu, 900);
	vcpu_missed(&vcpu);
	CHECK(!vcpu.entered && vcpu.missed == 1);
	vcpu_entry(&vcpu, 1100);
	CHECK(vcpu.entered);
	vcpu_missed(&vcpu);
	CHECK(!vcpu.entered && vcpu.missed == 2 && !vcpu.vmfail);
}

static void test_full_ring(void)
{
	__u64 tsc = 1000;

	begin();
	for (int i = 0; i < 8; i++, tsc += 1000) {
		exit_at(tsc, SVM_CPUID);
		vcpu_entry(&vcpu, tsc + 100);
	}
	/* 4 are in the ring; 3 found it full; 1 is open. */
	CHECK(area->totals[SVM_CPUID].recorded == 4 && area->totals[SVM_CPUID].dropped == 3);
	CHECK(area->meta.dropped == 3 && area->meta.seq == 7);
	for (__u64 seq = 0; seq < 4; seq++)
		CHECK(next().seq == seq);
	exit_at(tsc, SVM_CPUID);
	vcpu_entry(&vcpu, tsc + 100);
	exit_at(tsc + 1000, SVM_CPUID);
	CHECK(next().seq == 8);
	CHECK(area->totals[SVM_CPUID].cycles == 900);
}

static void test_forged_tail(void)
{
	begin();
	area->tail.tail = 1000;
	for (__u64 tsc = 1000; tsc < 9000; tsc += 1000) {
		exit_at(tsc, SVM_CPUID);
		vcpu_entry(&vcpu, tsc + 100);
	}
	CHECK(area->totals[SVM_CPUID].recorded == 4 && area->meta.bad_tail > 0);
}

static void test_filters(void)
{
	struct vcpu_filter reason = {.is_on = true, .has_reasons = true};
	struct vcpu_filter longest = {.is_on = true, .min_cycles = 200};
	struct vcpu_filter third = {.is_on = true, .one_in = 3};

	reason.reasons[SVM_IO / 64] = 1ULL << SVM_IO % 64;
	begin();
	exit_filtered(1000, SVM_CPUID, &reason);
	vcpu_entry(&vcpu, 1100);
	exit_filtered(2000, SVM_IO, &reason);
	vcpu_entry(&vcpu, 2100);
	exit_filtered(3000, SVM_CPUID, &reason);
	CHECK(next().reason == SVM_IO && is_empty());
	CHECK(area->totals[SVM_CPUID].filtered == 1 && area->totals[SVM_CPUID].cycles == 100);

	begin();
	exit_filtered(1000, SVM_CPUID, &longest);
	vcpu_entry(&vcpu, 1100);
	exit_filtered(2000, SVM_CPUID, &longest);
	vcpu_entry(&vcpu, 2200);
	exit_filtered(3000, SVM_CPUID, &longest);
	CHECK(next().tsc == 2000 && is_empty() && area->totals[SVM_CPUID].filtered == 1);

	begin();
	for (__u64 tsc = 1000; tsc < 8000; tsc += 1000) {
		exit_filtered(tsc, SVM_CPUID, &third);
		vcpu_entry(&vcpu, tsc + 100);
	}
	CHECK(next().tsc == 3000 && next().tsc == 6000 && is_empty());
}

/* Exits of a slot that are in the bucket of @cycles: by their whole time, by the handler's. */
static __u64 counted(__u32 slot, __u64 cycles, bool handler)
{
	const struct bpf_hists *hists = vcpu_hists(area, MASK);
	__u64 both;

	CHECK(hists->row_of[slot]);
	CHECK(hists->slot_of[hists->row_of[slot] - 1] == slot);
	both = hists->n[hists->row_of[slot] - 1][hist_bucket(cycles)];
	return handler ? both >> 32 : (__u32)both;
}

/* --counts-only: no record; what has a row in the histograms is recorded, the rest is dropped. */
static void test_counted(void)
{
	struct vcpu_filter counts = {.is_on = true, .no_records = true};
	const struct bpf_hists *hists;

	begin();
	hists = vcpu_hists(area, MASK);
	exit_filtered(1000, SVM_CPUID, &counts);
	vcpu_entry(&vcpu, 1100);
	exit_filtered(2000, SVM_IO, &counts);
	vcpu_run_returned(&vcpu, 2100, 0, 2, 0);
	vcpu_add_user(&vcpu, 22100);
	vcpu_entry(&vcpu, 22300);
	exit_filtered(30000, SVM_CPUID, &counts);
	CHECK(is_empty() && area->meta.seq == 2 && !area->meta.dropped);
	CHECK(area->totals[SVM_CPUID].recorded == 1 && area->totals[SVM_CPUID].count == 2);
	CHECK(area->totals[SVM_CPUID].cycles == 100 && !area->totals[SVM_CPUID].filtered);
	CHECK(counted(SVM_CPUID, 100, false) == 1 && counted(SVM_CPUID, 100, true) == 1);
	CHECK(counted(SVM_IO, 20300, false) == 1 && !counted(SVM_IO, 20300, true));
	CHECK(counted(SVM_IO, 300, true) == 1 && !counted(SVM_IO, 300, false));
	CHECK(hists->used == 2 && hists->user[1] == 1 && !hists->user[0] && !hists->nested[1]);

	/* Of a reason without a number of its own the slot says nothing. */
	vcpu_entry(&vcpu, 30100);
	exit_filtered(31000, 0xffffffff, &counts);
	vcpu_entry(&vcpu, 31100);
	for (__u32 code = 0; code < BPF_HIST_ROWS; code++) {
		exit_filtered(32000 + 1000 * code, code, &counts);
		vcpu_entry(&vcpu, 32100 + 1000 * code);
	}
	exit_filtered(90000, SVM_CPUID, &counts);
	CHECK(area->totals[KVM_EXIT_TOTAL_OTHER].dropped == 1 && hists->used == BPF_HIST_ROWS);
	CHECK(area->totals[BPF_HIST_ROWS - 3].recorded == 1);
	CHECK(area->totals[BPF_HIST_ROWS - 2].dropped == 1);
	CHECK(area->totals[BPF_HIST_ROWS - 1].dropped == 1);
	CHECK(area->meta.dropped == 3 && area->meta.seq == 4 + BPF_HIST_ROWS);
}

static void test_counted_reasons(void)
{
	struct vcpu_filter io = {.is_on = true, .no_records = true, .has_reasons = true};

	io.reasons[SVM_IO / 64] = 1ULL << SVM_IO % 64;
	begin();
	for (__u64 tsc = 1000; tsc < 5000; tsc += 1000) {
		exit_filtered(tsc, tsc == 2000 ? SVM_IO : SVM_CPUID, &io);
		vcpu_entry(&vcpu, tsc + 100);
	}
	CHECK(area->totals[SVM_CPUID].filtered == 2 && area->totals[SVM_IO].recorded == 1);
	CHECK(vcpu_hists(area, MASK)->used == 1 && counted(SVM_IO, 100, true) == 1);
}

/* The buckets are those of the database. */
static void test_buckets(void)
{
	for (int bit = 0; bit < 64; bit++) {
		for (int offset = -3; offset <= 3; offset++) {
			for (__u64 more = 0; more < 4; more++) {
				__u64 cycles = (1ULL << bit) + (__u64)offset + (more << bit >> 3);
				__u32 bucket = hist_bucket(cycles);

				if (bucket >= BPF_HIST_BUCKETS)
					bucket = BPF_HIST_BUCKETS - 1;
				CHECK(bpf_hist_bucket(cycles) == bucket);
			}
		}
	}
	for (__u64 cycles = 0; cycles < 100000; cycles++)
		CHECK(bpf_hist_bucket(cycles) == hist_bucket(cycles));
	CHECK(hist_low(BPF_HIST_BUCKETS) == 1ULL << 48);
}

static void test_destroyed(void)
{
	struct kvm_exit_record r;

	begin();
	exit_at(1000, SVM_IO);
	vcpu_run_returned(&vcpu, 1200, 900, 2, 0);
	vcpu_destroyed(&vcpu, area, MASK, &everything, 1500);
	CHECK(!exit_ring_finished(&reader));
	r = next();
	CHECK(r.flags & KVM_EXIT_REC_NO_REENTRY && r.cycles == 500 && r.userspace_cycles == 300);
	CHECK(exit_ring_finished(&reader));
}

static struct kvm_exit_record key_of(bool svm, const struct exit_facts *f, bool has_key)
{
	struct kvm_exit_record r = {.key = 99, .key_aux = 99};
	__u32 flag = svm ? exit_key_svm(&r, f) : exit_key_vmx(&r, f);

	CHECK((flag & ~KVM_EXIT_REC_VALUE) == (has_key ? KVM_EXIT_REC_KEY : 0));
	return r;
}

#define EXPECT_KEY(svm, expected, aux, ...)                                                        \
	do {                                                                                       \
		struct kvm_exit_record r_ = key_of(svm, &(struct exit_facts){__VA_ARGS__}, true);  \
		CHECK(r_.key == (expected) && r_.key_aux == (aux));                                \
	} while (0)

/* The value of an exit; it must have one. */
static __u64 value_of(bool svm, const struct exit_facts *f)
{
	struct kvm_exit_record r;

	CHECK((svm ? exit_key_svm(&r, f) : exit_key_vmx(&r, f)) & KVM_EXIT_REC_VALUE);
	CHECK(svm ? exit_key_needs_registers_svm(f->reason)
		  : exit_key_needs_registers_vmx(f->reason, f->info_1));
	return r.value;
}

static void test_values(void)
{
	const __u64 rax = 0xfedcba9876543210, rdx = 0x1122334455667788;
	struct kvm_exit_record r;

#define VALUE(svm, ...) value_of(svm, &(struct exit_facts){.rax = rax, .rdx = rdx, __VA_ARGS__})
	CHECK(VALUE(false, .reason = 30, .info_1 = 0x3f80000) == 0x10);
	CHECK(VALUE(false, .reason = 30, .info_1 = 0x3f80001) == 0x3210);
	CHECK(VALUE(false, .reason = 30, .info_1 = 0x3f80003) == 0x76543210);
	CHECK(VALUE(false, .reason = 32, .rcx = 0x1b) == 0x5566778876543210);
	CHECK(VALUE(true, .reason = 0x7b, .info_1 = 0x3f80010) == 0x10);
	CHECK(VALUE(true, .reason = 0x7b, .info_1 = 0x3f80020) == 0x3210);
	CHECK(VALUE(true, .reason = 0x7b, .info_1 = 0x3f80040) == 0x76543210);
	CHECK(VALUE(true, .reason = 0x7c, .rcx = 0x1b, .info_1 = 1) == 0x5566778876543210);
#undef VALUE

	/* IN, INS, OUTS, RDMSR: what the guest wrote is not in RAX, or it wrote nothing. */
	for (__u64 kind = 8; kind <= 0x18; kind += 8)
		CHECK(exit_key_vmx(&r, &(struct exit_facts){.reason = 30, .info_1 = kind}) ==
		      KVM_EXIT_REC_KEY);
	for (__u64 kind = 1; kind <= 5; kind += kind == 1 ? 3 : 1)
		CHECK(exit_key_svm(&r,
				   &(struct exit_facts){.reason = 0x7b, .info_1 = 0x10 | kind}) ==
		      KVM_EXIT_REC_KEY);
	CHECK(exit_key_vmx(&r, &(struct exit_facts){.reason = 31}) == KVM_EXIT_REC_KEY);
	CHECK(exit_key_svm(&r, &(struct exit_facts){.reason = 0x7c}) == KVM_EXIT_REC_KEY);
}

static void test_keys(void)
{
	struct kvm_exit_record r;

	EXPECT_KEY(false, 14, 0, .reason = 0, .intr_info = 0x80000b0e);
	EXPECT_KEY(false, 5, 6, .reason = 10, .rax = 0xf00000005, .rcx = 0xf00000006);
	EXPECT_KEY(false, 4, 1, .reason = 28, .info_1 = 0x14);
	EXPECT_KEY(false, 7, 1, .reason = 29, .info_1 = 0x17);
	EXPECT_KEY(false, 0x3f8, 4 | KVM_EXIT_KEY_IO_IN | KVM_EXIT_KEY_IO_STRING, .reason = 30,
		   .info_1 = 0x3f8001b);
	EXPECT_KEY(false, 0x1b, 0, .reason = 31, .rcx = 0x1b);
	EXPECT_KEY(false, 0x1b, 1, .reason = 32, .rcx = 0x1b);
	EXPECT_KEY(false, 0x1b, 0, .reason = 84, .info_1 = 0x1b, .rcx = 7);
	EXPECT_KEY(false, 0xc0000080, 1, .reason = 85, .info_1 = 0xc0000080, .rcx = 7);
	r = key_of(false, &(struct exit_facts){.reason = 48, .info_1 = 0x182}, false);
	CHECK(r.key == 0 && r.key_aux == KVM_EXIT_ACCESS_WRITE);
	r = key_of(false, &(struct exit_facts){.reason = 0x8000000a, .rax = 5}, false);
	CHECK(!r.key && !r.key_aux);
	key_of(false, &(struct exit_facts){.reason = 1, .intr_info = 0xec}, false);

	EXPECT_KEY(true, 4, 1, .reason = 0x04);
	EXPECT_KEY(true, 4, 0, .reason = 0x14);
	EXPECT_KEY(true, 7, 1, .reason = 0x27);
	EXPECT_KEY(true, 7, 0, .reason = 0x37);
	EXPECT_KEY(true, 14, 0, .reason = 0x4e);
	EXPECT_KEY(true, 0x10, 1 | KVM_EXIT_KEY_IO_IN | KVM_EXIT_KEY_IO_REP, .reason = 0x7b,
		   .info_1 = 0x100019);
	EXPECT_KEY(true, 0x277, 1, .reason = 0x7c, .rcx = 0x277, .info_1 = 1);
	EXPECT_KEY(true, 0xd0000, KVM_EXIT_ACCESS_EXEC, .reason = 0x400, .info_1 = 0x14,
		   .info_2 = 0xd0000);
	key_of(true, &(struct exit_facts){.reason = 0x60}, false);
	key_of(true, &(struct exit_facts){.reason = 0xffffffff}, false);
}

int main(void)
{
	test_published_by_the_next_exit();
	test_parts();
	test_halt();
	test_block();
	test_returned_twice();
	test_failed_run();
	test_time_runs_backwards();
	test_encrypted_guest();
	test_stamp_of_the_future();
	test_entry_not_seen();
	test_entry_fails();
	test_missed();
	test_full_ring();
	test_forged_tail();
	test_filters();
	test_counted();
	test_counted_reasons();
	test_buckets();
	test_destroyed();
	test_keys();
	test_values();
	free(area);
	return 0;
}
