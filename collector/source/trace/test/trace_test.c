// SPDX-License-Identifier: GPL-2.0-only
/* trace_test.c - pairs, losses, and which vCPU it was */
#include "collector/source/trace/test/script.h"

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

/*
 * Exits 4 to 6 and their entries are lost, the entry of 3 before them and the entry of 6
 * is there: 6 events, of which 3 are exits.
 */
static void test_exact_loss(void)
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
	CHECK(seen.end[0].end_seq == 10 && !seen.estimated);
}

/* With other events in the buffers it is their share, and said to be an estimate. */
static void test_estimated_loss(void)
{
	struct script s = {.step = MOST, .lost_from = 310, .lost_to = 900, .lost = 12};
	struct seen seen;

	for (uint64_t i = 1; i <= 10; i++) {
		if (i > 3 && i < 9)
			continue;
		add(&s, KVM_EVENT_EXIT, 100 * i, 101);
		add(&s, KVM_EVENT_CPUID, 100 * i + 1, 101);
		add(&s, KVM_EVENT_PIO, 100 * i + 2, 101);
		add(&s, KVM_EVENT_ENTRY, 100 * i + 9, 101);
	}
	play(&s, &seen);
	CHECK(seen.records[0] == 5 && seen.end[0].end_seq == 8 && seen.estimated);
}

/* Every way to lose a stretch of a vCPU's turns: the computed number is the true one. */
static void test_lost_turns(void)
{
	/* @length events from the one number @begin on are lost out of entry, exit, entry, ... */
	for (uint64_t begin = 1; begin < 8; begin++) {
		for (uint64_t length = 1; length < 8; length++) {
			struct losses_reported reported = {.events = length};
			struct losses_seen seen = {0};
			uint64_t lost = 0, last = 0;

			for (uint64_t i = 0; i < 20; i++) {
				bool is_exit = i % 2;

				if (i >= begin && i < begin + length) {
					lost += is_exit;
					continue;
				}
				seen.exits += is_exit;
				seen.entries += !is_exit;
				if (i == begin + length && last % 2 == i % 2) {
					seen.halves += is_exit;
					seen.missing += !is_exit;
				}
				last = i;
			}
			CHECK(losses_of(&reported, &seen).exits == lost);
			CHECK(losses_of(&reported, &seen).exact &&
			      losses_most(&reported, &seen) == lost);

			/* With others in the buffers an estimate, but never above the most. */
			reported.others = 10;
			reported.events += 5;
			CHECK(!losses_of(&reported, &seen).exact);
			CHECK(losses_of(&reported, &seen).exits <= losses_most(&reported, &seen));
		}
	}
}

/* A window that begins with an entry or ends with an exit takes no pair away. */
static void test_loss_between_pairs(void)
{
	struct script s = {.step = MOST, .lost_from = 150, .lost_to = 300, .lost = 2};
	struct seen seen;

	add(&s, KVM_EVENT_EXIT, 100, 101);
	add(&s, KVM_EVENT_ENTRY, 150, 101);
	add(&s, KVM_EVENT_EXIT, 300, 101);
	add(&s, KVM_EVENT_ENTRY, 310, 101);
	play(&s, &seen);
	CHECK(seen.records[0] == 2 && seen.end[0].end_seq == 3 && !seen.estimated);
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
	CHECK(!seen.estimated && strstr(seen.notes, "1 kvm_exit are followed by another one"));
}

/* perf wrote a part of its buffer twice. */
static void test_repeated(void)
{
	struct script s = {.step = MOST};
	struct seen seen;

	for (uint64_t ts = 100; ts < 1000; ts += 100) {
		for (int i = 0; i < 2; i++)
			add(&s, KVM_EVENT_EXIT, ts, 101);
		for (int i = 0; i < 2; i++)
			add(&s, KVM_EVENT_ENTRY, ts + 30, 101);
	}
	play(&s, &seen);
	CHECK(seen.records[0] == 9 && seen.end[0].end_seq == 9 && !seen.estimated && !*seen.notes);
}

/* Exits without an entry where events were lost elsewhere: the turns don't show how many exits
 * were. */
static void test_half_pair_and_loss(void)
{
	struct script s = {.step = MOST, .lost_from = 230, .lost_to = 300, .lost = 2};
	struct seen seen;

	add(&s, KVM_EVENT_EXIT, 100, 101);
	add(&s, KVM_EVENT_EXIT, 200, 101);
	add(&s, KVM_EVENT_ENTRY, 230, 101);
	add(&s, KVM_EVENT_EXIT, 300, 101);
	add(&s, KVM_EVENT_ENTRY, 330, 101);
	play(&s, &seen);
	CHECK(seen.records[0] == 2 && seen.end[0].end_seq == 4 && seen.estimated);
}

/* An entry after an entry: a filter left an exit out. */
static void test_missing_exit(void)
{
	struct script s = {.step = MOST};
	struct seen seen;

	add(&s, KVM_EVENT_ENTRY, 50, 101);
	add(&s, KVM_EVENT_ENTRY, 90, 101);
	add(&s, KVM_EVENT_EXIT, 200, 101);
	add(&s, KVM_EVENT_ENTRY, 230, 101);
	play(&s, &seen);
	CHECK(seen.records[0] == 1 && seen.end[0].end_seq == 2);
	CHECK(seen.estimated && strstr(seen.notes, "1 times a kvm_entry follows another"));
}

/* A vCPU that goes on in another thread between its exits and entries is one vCPU. */
static void test_moving_vcpu(bool live, bool no_processes)
{
	struct script s = {.step = 3, .live = live, .no_processes = no_processes};
	struct seen seen;
	uint64_t cycles = 0;

	for (uint64_t i = 0; i < 10; i++) {
		add(&s, KVM_EVENT_ENTRY, 100 * i, i % 2 ? 111 : 101);
		add(&s, KVM_EVENT_EXIT, 100 * i + 60, i % 2 ? 111 : 101);
	}
	play(&s, &seen);
	CHECK(seen.vcpus == 1 && seen.records[0] == 9 && seen.end[0].open_exits == 1);
	for (int i = 0; i < 9; i++)
		cycles += seen.record[0][i].cycles;
	CHECK(cycles == 9 * 40);
	CHECK(!no_processes == !strstr(seen.notes, "vCPU 1 ran on 2 threads"));
}

/* Two threads of a process with the same vCPU id, in the guest at once: two VMs. */
static void test_two_vms(bool no_processes)
{
	struct script s = {.step = MOST, .no_processes = no_processes};
	struct seen seen;

	for (uint64_t i = 0; i < 8; i++) {
		add(&s, KVM_EVENT_ENTRY, 100 * i + 1, 101);
		add(&s, KVM_EVENT_ENTRY, 100 * i + 20, 111);
		add(&s, KVM_EVENT_EXIT, 100 * i + 50, 101);
		add(&s, KVM_EVENT_EXIT, 100 * i + 70, 111);
	}
	play(&s, &seen);
	CHECK(seen.vcpus == 2 && seen.vcpu[0].vm_id != seen.vcpu[1].vm_id);
	CHECK(seen.vcpu[0].tgid == seen.vcpu[1].tgid);
	CHECK(seen.records[0] == 7 && seen.records[1] == 7);
	CHECK(seen.record[0][0].cycles == 51 && seen.record[1][0].cycles == 50);
	CHECK(strstr(seen.notes, "2 vCPUs have an id that another vCPU has too"));
}

/* Several vCPUs of a VM, whose processes the recording doesn't name. */
static void test_one_vm_of_three(void)
{
	struct script s = {.step = MOST, .no_processes = true};
	struct seen seen;

	for (uint32_t i = 0; i < 3; i++) {
		add(&s, KVM_EVENT_EXIT, 100 + i, 101 + i);
		add(&s, KVM_EVENT_ENTRY, 110 + i, 101 + i);
	}
	play(&s, &seen);
	CHECK(seen.vcpus == 3 && seen.vcpu[0].vm_id == seen.vcpu[1].vm_id &&
	      seen.vcpu[1].vm_id == seen.vcpu[2].vm_id);
	CHECK(!seen.vcpu[0].tgid);
}

/* kvm_exit alone: each is counted, none has a duration, and none is called lost. */
static void test_exits_alone(void)
{
	struct script s = {.step = 2};
	struct seen seen;

	for (uint64_t i = 1; i <= 5; i++)
		add(&s, KVM_EVENT_EXIT, 100 * i, 101);
	play(&s, &seen);
	CHECK(seen.untimed && seen.records[0] == 5);
	CHECK(seen.end[0].end_seq == 5 && seen.end[0].open_exits == 0);
	for (int i = 0; i < 5; i++)
		CHECK(seen.record[0][i].cycles == 0 && seen.record[0][i].seq == (uint64_t)i);
	CHECK(strstr(seen.notes, "no durations: the recording has kvm_exit and no kvm_entry"));
}

/* A clock that counts something else than time. */
static void test_no_time(void)
{
	struct script s = {.step = MOST, .no_time = "it is a counter"};
	struct seen seen;

	add(&s, KVM_EVENT_EXIT, 1, 101);
	add(&s, KVM_EVENT_ENTRY, 2, 101);
	add(&s, KVM_EVENT_EXIT, 3, 101);
	play(&s, &seen);
	CHECK(seen.untimed && seen.records[0] == 2 && seen.record[0][0].cycles == 0);
	CHECK(strstr(seen.notes, "it is a counter (take another)"));
}

/* Kernels before 5.10: kvm_exit has no vCPU, its thread has. */
static void test_vcpu_by_thread(void)
{
	struct script s = {.step = 1};
	struct seen seen;

	add(&s, KVM_EVENT_EXIT, 90, 103);
	for (uint64_t i = 1; i <= 4; i++) {
		add(&s, KVM_EVENT_ENTRY, 100 * i, 103);
		add(&s, KVM_EVENT_EXIT, 100 * i + 50, 103);
	}
	for (int i = 0; i < s.count; i++) {
		if (s.events[i].kind == KVM_EVENT_EXIT)
			s.events[i].vcpu_id = KVM_EVENT_NO_VCPU;
	}
	play(&s, &seen);
	CHECK(seen.vcpus == 1 && seen.vcpu[0].vcpu_id == 3 && seen.records[0] == 4);
	CHECK(seen.record[0][0].cycles == 10 && seen.end[0].open_exits == 1);
}

/* What an exit was about is in the events between it and the entry. */
static void test_key(void)
{
	struct script s = {.step = MOST};
	struct seen seen;

	for (uint64_t i = 0; i < 3; i++) {
		add(&s, KVM_EVENT_EXIT, 100 * i + 1, 101);
		add(&s, i == 1 ? KVM_EVENT_MSR : KVM_EVENT_CPUID, 100 * i + 2, 101);
		s.events[s.count - 1].vcpu_id = KVM_EVENT_NO_VCPU;
		s.events[s.count - 1].has_key = true;
		s.events[s.count - 1].key = 40 + i;
		s.events[s.count - 1].key_aux = i;
		add(&s, KVM_EVENT_ENTRY, 100 * i + 9, 101);
	}
	play(&s, &seen);
	CHECK(seen.records[0] == 3);
	CHECK(seen.record[0][0].flags & KVM_EXIT_REC_KEY && seen.record[0][0].key == 40);
	CHECK(!(seen.record[0][1].flags & KVM_EXIT_REC_KEY)); /* CPUID has no MSR */
	CHECK(seen.record[0][2].key == 42 && seen.record[0][2].key_aux == 2);
}

/* A key of the exit before; its vCPU is that of its thread. */
static void add_key(struct script *s, enum kvm_event_kind kind, uint64_t ts, uint64_t key)
{
	add(s, kind, ts, 101);
	s->events[s->count - 1].vcpu_id = KVM_EVENT_NO_VCPU;
	s->events[s->count - 1].has_key = true;
	s->events[s->count - 1].key = key;
}

/*
 * Live, the keys come from buffers of their own, after the exits that they are of. What is lost
 * there leaves no gap between exits, and the number of lost exits stays exact.
 */
static void test_keys_apart(int step)
{
	struct script s = {
		.step = step,
		.live = true,
		.lost_from = 310,
		.lost_to = 900,
		.lost = 11,
		.lost_keys = 3,
		.keys_apart = true,
	};
	struct seen seen;

	for (uint64_t i = 1; i <= 10; i++) {
		if (i > 3 && i < 9)
			continue;
		add(&s, KVM_EVENT_EXIT, 100 * i, 101);
		if (i != 3)
			add(&s, KVM_EVENT_ENTRY, 100 * i + 9, 101);
	}
	/* In one batch with what is older; in several ones the keys would come too late. */
	for (uint64_t i = 1; i <= 10 && step == MOST; i += 9)
		add_key(&s, KVM_EVENT_CPUID, 100 * i + 5, 70 + i);
	play(&s, &seen);
	CHECK(seen.records[0] == 4 && seen.end[0].end_seq == 10 && !seen.estimated);
	CHECK(strstr(seen.notes, "3 events with an MSR number, CPUID leaf or address were lost"));

	for (int i = 0; i < 4; i++) {
		bool has_key = step == MOST && (i == 0 || i == 3);

		CHECK(!(seen.record[0][i].flags & KVM_EXIT_REC_KEY) == !has_key);
		CHECK(!has_key || seen.record[0][i].key == (i ? 80U : 71U));
	}
}

/* Without memory for those buffers, exits are recorded without keys, and that is said. */
static void test_no_keys(void)
{
	struct script s = {.step = 2, .live = true, .keys_apart = true, .no_keys = true};
	struct seen seen;

	add(&s, KVM_EVENT_EXIT, 100, 101);
	add(&s, KVM_EVENT_ENTRY, 110, 101);
	play(&s, &seen);
	CHECK(seen.records[0] == 1 && !(seen.record[0][0].flags & KVM_EXIT_REC_KEY));
	CHECK(strstr(seen.notes, "no MSR numbers, CPUID leaves and addresses"));
}

/* Random events of unsorted times: whatever comes, times add up to at most the run's. */
static void test_possible(unsigned int seed)
{
	struct script s = {.step = 1 + (int)(seed % 7)};
	struct seen seen;
	uint64_t end = 0;

	srandom(seed);
	while (s.count < MOST) {
		add(&s, random() % 2 ? KVM_EVENT_EXIT : KVM_EVENT_ENTRY,
		    1 + (uint64_t)random() % 500, (uint32_t)(101 + random() % 2 * 10));
	}
	play(&s, &seen);
	for (int v = 0; v < seen.vcpus; v++) {
		uint64_t cycles = 0;

		for (int i = 0; i < seen.records[v]; i++) {
			CHECK(i == 0 || seen.record[v][i].seq > seen.record[v][i - 1].seq);
			CHECK(i == 0 || seen.record[v][i].tsc >= end);
			end = seen.record[v][i].tsc + seen.record[v][i].cycles;
			cycles += seen.record[v][i].cycles;
		}
		CHECK(cycles <= 500);
	}
}

/* A file is read once before its records; once more only if that has changed its events. */
static void test_decide(uint32_t left_out)
{
	struct script s = {.step = 4, .lost = 1, .lost_from = 10, .lost_to = 2000};
	struct seen seen;

	s.left_out = left_out;
	for (uint64_t i = 1; i <= 5; i++) {
		add(&s, KVM_EVENT_EXIT, 100 * i, 101);
		add(&s, KVM_EVENT_ENTRY, 100 * i + 20, 101);
		add(&s, KVM_EVENT_EXIT, 100 * i + 50, 202);
	}
	play(&s, &seen);
	CHECK(s.decided == 1);
	CHECK(s.rewinds == (left_out ? 2 : 1));
	CHECK(seen.vcpus == (left_out ? 1 : 2));
	CHECK(seen.records[0] == (left_out ? 5 : 0)); /* the loss was that thread's */
}

int main(void)
{
	test_decide(0);
	test_decide(202);
	test_pairs(MOST);
	test_pairs(1);
	test_pairs(7);
	test_exact_loss();
	test_estimated_loss();
	test_lost_turns();
	test_loss_between_pairs();
	test_half_pair();
	test_half_pair_and_loss();
	test_repeated();
	test_missing_exit();
	test_moving_vcpu(false, false);
	test_moving_vcpu(false, true);
	test_moving_vcpu(true, false);
	test_two_vms(false);
	test_two_vms(true);
	test_one_vm_of_three();
	test_exits_alone();
	test_no_time();
	test_vcpu_by_thread();
	test_key();
	test_keys_apart(MOST);
	test_keys_apart(3);
	test_no_keys();
	for (unsigned int seed = 1; seed <= 200; seed++)
		test_possible(seed);
	return 0;
}
