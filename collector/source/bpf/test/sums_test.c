// SPDX-License-Identifier: GPL-2.0-only
/*
 * sums_test.c - what is read of a vCPU's totals and histograms is what it has counted
 *
 * The vCPU runs the code of the BPF programs (vcpu_record.h), in the same thread or in another
 * one, on a ring in memory whose histograms are where its records end.
 */
#include "collector/source/bpf/sums.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "base/random.h"
#include "collector/source/bpf/kernel/vcpu_record.h"
#include "collector/source/test/memory_ring.h"
#include "kvm/test/common/check.h"
#include "sql/hist.h"

#define RECORDS 32U
/* Of the file: room for the histograms, too. */
#define FILE_RECORDS 4096U

static const struct vcpu_filter counts = {.is_on = true, .no_records = true};
static const __u32 codes[] = {SVM_CPUID, SVM_IO, 0x78, 0x7c, 0x400};

#define CODES (sizeof(codes) / sizeof(*codes))

static struct bpf_vcpu vcpu;
static struct bpf_area *area;
static struct ring ring;
static struct sums_vcpu sums;
static struct sums_reading reading;
static __u64 tsc;
static bool has_read; /* the reader has read what the running vCPU has counted */

static void begin(void)
{
	struct memory_ring memory = memory_ring_make(FILE_RECORDS);

	CHECK(sizeof(struct bpf_hists) < (FILE_RECORDS - RECORDS) * sizeof(struct kvm_exit_record));
	area = (struct bpf_area *)memory.meta;
	memset(&vcpu, 0, sizeof(vcpu));
	tsc = 1000;
	CHECK(!ring_open(&ring, memory.fd));
	CHECK(!sums_begin(&sums, vcpu_hists(area, RECORDS - 1)));
}

static void end(void)
{
	sums_end(&sums);
	sums_end(&sums);
	ring_close(&ring);
}

/* An exit of @cycles, @user of them in user space. It is counted by the next one. */
static void exit_for(__u32 code, __u64 cycles, __u64 user)
{
	const struct exit_facts f = {.reason = code};

	tsc += 100;
	vcpu_exited(&vcpu, area, RECORDS - 1, &counts);
	vcpu_open(&vcpu, area, RECORDS - 1, &counts, tsc, true, &f);
	if (user) {
		vcpu_run_returned(&vcpu, tsc + 1, 0, 2, 0);
		vcpu_add_user(&vcpu, tsc + 1 + user);
	}
	tsc += cycles;
	vcpu_entry(&vcpu, tsc);
}

/* Reads the row of @code; there must be something. */
static const struct store_sums *read_sums(__u32 code)
{
	__u32 row = vcpu_hists(area, RECORDS - 1)->row_of[kvm_exit_slot_svm(code)] - 1U;

	CHECK(sums_read(&sums, &ring, row, &reading) == 1);
	CHECK(!sums_read(&sums, &ring, row, &reading));
	return &reading.sums;
}

static void test_differences(void)
{
	const struct store_sums *s = &reading.sums;

	begin();
	CHECK(!sums_read(&sums, &ring, 0, &reading));
	exit_for(SVM_IO, 1000, 0);
	CHECK(!sums_read(&sums, &ring, 0, &reading));
	exit_for(SVM_IO, 70000, 50000);
	exit_for(SVM_CPUID, 300, 0);
	s = read_sums(SVM_IO);
	CHECK(s->slot == SVM_IO && s->n == 2 && s->cycles == 71000 && s->userspace_cycles == 50000);
	CHECK(s->n_user == 1 && !s->n_nested && !s->halted_cycles && !s->preempted_cycles);
	CHECK(s->total[hist_bucket(1000)] == 1 && s->total[hist_bucket(70000)] == 1);
	CHECK(s->handler[hist_bucket(1000)] == 1 && s->handler[hist_bucket(20000)] == 1);

	exit_for(SVM_IO, 2000, 0);
	exit_for(SVM_CPUID, 300, 0);
	s = read_sums(SVM_IO);
	CHECK(s->n == 1 && s->cycles == 2000 && !s->n_user && !s->userspace_cycles);
	CHECK(s->total[hist_bucket(2000)] == 1 && !s->total[hist_bucket(1000)]);
	CHECK(read_sums(SVM_CPUID)->n == 1);
	CHECK(!sums_read(&sums, &ring, BPF_HIST_ROWS, &reading));
	end();
}

/* Both counts of a bucket pass 2^32 between two readings. */
static void test_wrap(void)
{
	struct bpf_hists *hists;
	__u64 *bucket;

	begin();
	hists = vcpu_hists(area, RECORDS - 1);
	exit_for(SVM_IO, 1000, 0);
	exit_for(SVM_IO, 1000, 0);
	read_sums(SVM_IO);
	bucket = &hists->n[0][hist_bucket(1000)];
	*bucket = 0xfffffffefffffffeULL;
	sums.seen[0][hist_bucket(1000)] = *bucket;

	for (int i = 0; i < 5; i++)
		exit_for(SVM_IO, 1000, 0);
	read_sums(SVM_IO);
	CHECK(reading.sums.n == 5 && reading.total[hist_bucket(1000)] == 5);
	CHECK(reading.handler[hist_bucket(1000)] == 5);
	end();
}

static void *run_vcpu(void *count)
{
	uint64_t seed = 1;

	for (uint64_t i = *(const uint64_t *)count; i; i--) {
		uint64_t random = random_next(&seed);
		__u64 cycles = 1000 + (random >> 8 & 0xfff), user = 0;

		/* Both run at the same time, however late the host lets the reader begin. */
		while (i == 1000 && !__atomic_load_n(&has_read, __ATOMIC_RELAXED))
			sched_yield();
		if (random & 1)
			user = cycles / 2;
		exit_for(codes[random / 2 % CODES], cycles, user);
	}
	return NULL;
}

/* Adds a reading to the sums over all of them, which must be possible each for itself. */
static void add_reading(struct store_sums *all)
{
	const struct store_sums *s = &reading.sums;
	uint64_t total = 0, handler = 0, least = 0, most = 0;

	for (uint32_t i = 0; i < s->buckets; i++) {
		total += s->total[i];
		handler += s->handler[i];
		least += s->total[i] * hist_low(i);
		most += s->total[i] * (hist_low(i + 1) - 1);
	}
	CHECK(total == s->n && handler == s->n);
	/* The times are those of the exits that are in the buckets. */
	CHECK(least <= s->cycles && s->cycles <= most);
	CHECK(s->n_user <= s->n && s->userspace_cycles <= s->cycles / 2);
	CHECK(s->userspace_cycles >= s->n_user * 500);

	all->n += s->n;
	all->n_user += s->n_user;
	all->cycles += s->cycles;
}

static void test_running(void)
{
	uint64_t count = 400000;
	struct store_sums all = {0};
	pthread_t thread;
	int readings = 0;
	bool over;

	begin();
	CHECK(!pthread_create(&thread, NULL, run_vcpu, &count));
	do {
		over = exit_ring_load_acquire(&area->meta.seq) == count - 1;
		for (uint32_t row = 0; row < BPF_HIST_ROWS; row++) {
			if (sums_read(&sums, &ring, row, &reading) > 0) {
				add_reading(&all);
				readings++;
				__atomic_store_n(&has_read, true, __ATOMIC_RELAXED);
			}
		}
	} while (!over);
	pthread_join(thread, NULL);

	CHECK(all.n == count - 1);
	CHECK(readings > (int)CODES);
	CHECK(all.cycles == area->totals[SVM_CPUID].cycles + area->totals[SVM_IO].cycles +
				    area->totals[0x78].cycles + area->totals[0x7c].cycles +
				    area->totals[kvm_exit_slot_svm(0x400)].cycles);
	end();
}

int main(void)
{
	test_differences();
	test_wrap();
	test_running();
	return 0;
}
