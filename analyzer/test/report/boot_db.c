// SPDX-License-Identifier: GPL-2.0-only
/*
 * boot_db.c - make a run database with a synthetic guest boot
 *
 * boot_db FILE [ENVIRONMENT [raw|noraw [SECONDS]]]: two vCPUs, ten seconds: firmware, kernel boot,
 * load, idle; made by a fixed generator, so that every run of it gives the same file contents. One
 * gap of lost records. It goes through the store, as a recording does. For tests and for looking at
 * the analyzer's output; no real latencies.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/store/store.h"

#define KHZ	 2000000U /* 2 GHz */
#define MS	 ((uint64_t)KHZ)
#define START	 (1000 * MS)
#define VCPUS	 2
#define BATCH	 512
#define GAP_SEQ	 9000 /* vCPU 0 loses GAP_N records from here on */
#define GAP_N	 137
#define KERNEL	 0xffffffff81000000ULL
#define FIRMWARE 0xf0000ULL

static uint64_t state = 0x9e3779b97f4a7c15ULL;

static uint64_t roll(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % below;
}

/* Duration in cycles with a long tail: @base and up to 16 times as much. */
static uint64_t tail(uint64_t base)
{
	uint64_t shift = 0;

	while (shift < 4 && !roll(6))
		shift++;
	return (base << shift) + roll((base << shift) / 2 + 1);
}

/*
 * struct kind - one sort of exit
 * @weight: how often in each phase
 * @user: KVM_EXIT_* it returns with; 0: handled in the kernel
 */
struct kind {
	uint32_t reason;
	uint16_t weight[4];
	uint32_t handler;
	uint32_t user;
	uint64_t key[3];
	uint64_t aux;
};

static const struct kind kinds[] = {
	{1, {20, 60, 120, 20}, 2600, 0, {236, 251, 253}, 0},
	{7, {0, 20, 90, 30}, 1500, 0, {0}, 0},
	{10, {5, 260, 4, 0}, 1900, 0, {0x1, 0x4, 0xb}, 0},
	{12, {0, 30, 40, 500}, 2100, 0, {0}, 0},
	{28, {60, 40, 2, 0}, 2700, 0, {0, 4, 3}, 0},
	{30, {900, 120, 60, 10}, 5200, 2, {0x3f8, 0x70, 0xcf8}, 1},
	{31, {2, 60, 4, 0}, 2300, 0, {0x1b, 0xfe, 0x8b}, 0},
	{32, {4, 110, 420, 160}, 1700, 0, {0x6e0, 0x830, 0x80b}, 0},
	{48, {80, 420, 30, 0}, 5600, 0, {0x7f3d1000, 0x1f4000, 0x3c00000}, 3},
	{49, {0, 40, 160, 20}, 6400, 6, {0xfe003000, 0xfee000b0, 0xfebf1000}, 0},
	{52, {0, 10, 60, 80}, 1400, 0, {0}, 0},
	{54, {1, 2, 0, 0}, 4000, 0, {0}, 0},
	{55, {1, 1, 0, 0}, 3000, 0, {0}, 0},
	{0x80000021U, {1, 0, 0, 0}, 9000, 0, {0}, 0},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct guest {
	struct store *store;
	int vcpu;
	uint64_t id;
	uint64_t seq;
	uint64_t now;
	struct kvm_exit_record batch[BATCH];
	size_t n;
};

static int phase_of(uint64_t tsc)
{
	uint64_t ms = (tsc - START) / MS;

	return ms < 600 ? 0 : ms < 3200 ? 1 : ms < 7000 ? 2 : 3;
}

static const struct kind *pick(int phase)
{
	uint64_t sum = 0, at;
	size_t i;

	for (i = 0; i < KINDS; i++)
		sum += kinds[i].weight[phase];
	at = roll(sum);
	for (i = 0; at >= kinds[i].weight[phase]; i++)
		at -= kinds[i].weight[phase];
	return &kinds[i];
}

static void set_time(struct kvm_exit_record *r, const struct kind *kind, int phase)
{
	bool fast = (kind->reason == 32 || kind->reason == 52) && roll(3);

	r->handler_cycles = fast ? tail(450) : tail(kind->handler);
	if (fast)
		r->flags |= KVM_EXIT_REC_FASTPATH;
	if (kind->reason == 12) {
		r->halted_cycles = phase == 3 ? MS / 4 + roll(4 * MS) : MS / 20 + roll(MS / 2);
		r->flags |= KVM_EXIT_REC_HALTED;
	}
	if (kind->user && roll(8)) {
		r->userspace_cycles = tail(9000);
		r->user_reason = (uint8_t)kind->user;
		r->flags |= KVM_EXIT_REC_USER;
	}
	if (!roll(400)) {
		r->preempted_cycles = MS / 10 + roll(3 * MS);
		r->flags |= KVM_EXIT_REC_PREEMPTED;
	}
	r->cycles =
		r->handler_cycles + r->halted_cycles + r->userspace_cycles + r->preempted_cycles;
}

/* What a ring of ABI 2 has in addition. No random numbers: the rest stays what it was without it.
 */
static void set_fields(struct kvm_exit_record *r)
{
	r->polled_cycles = r->halted_cycles / 8;
	if (r->polled_cycles)
		r->flags |= KVM_EXIT_REC_POLLED;
	if (r->reason == 30 || r->reason == 32) {
		r->value = r->seq % 251;
		r->flags |= KVM_EXIT_REC_VALUE;
	}
	r->requests = r->seq % 16 ? 0 : 1 << 14;
	r->flags |= KVM_EXIT_REC_REQUESTS;
	if (r->reason == 1) {
		r->entry_event = 0x800000ec;
		r->flags |= KVM_EXIT_REC_EVENT;
	}
	if ((r->flags & KVM_EXIT_REC_USER) && r->seq % 97 == 0)
		r->run_errno = 4; /* EINTR */
}

static void make(struct guest *g, struct kvm_exit_record *r)
{
	int phase = phase_of(g->now);
	const struct kind *kind = pick(phase);

	memset(r, 0, sizeof(*r));
	r->seq = g->seq++;
	r->tsc = g->now;
	r->reason = kind->reason;
	r->isa = KVM_EXIT_ISA_VMX;
	r->vcpu_id = (uint16_t)g->id;
	r->pcpu = (uint16_t)(2 + g->id + (roll(50) ? 0 : 2));
	r->guest_rip = phase ? KERNEL + 0x40 * roll(4000) : FIRMWARE + roll(0x4000);
	if (kind->key[0] || kind->key[1]) {
		r->key = kind->key[roll(4) ? 0 : 1 + roll(2)];
		r->key_aux = kind->aux;
		r->flags |= KVM_EXIT_REC_KEY;
	}
	r->flags |= KVM_EXIT_REC_QUAL;
	set_time(r, kind, phase);
	set_fields(r);
	if (r->reason & 0x80000000U)
		r->flags |= KVM_EXIT_REC_SYNTH;
	g->now += r->cycles + tail(phase == 0	? 110000
				   : phase == 1 ? 130000
				   : phase == 2 ? 160000
						: 300000);
}

static int run_guest(struct guest *g, uint64_t end)
{
	while (g->now < end) {
		struct kvm_exit_record r;
		int rc;

		make(g, &r);
		if (g->id || r.seq < GAP_SEQ || r.seq >= GAP_SEQ + GAP_N)
			g->batch[g->n++] = r;
		if (g->n < BATCH && g->now < end)
			continue;
		rc = store_append(g->store, g->vcpu, g->batch, g->n);
		if (rc)
			return rc;
		g->n = 0;
	}
	return store_end_vcpu(g->store, g->vcpu,
			      &(struct store_vcpu_end){.end_seq = g->seq, .unread = 12 * g->id});
}

static int record(struct store *store, const char *environment, int raw, uint64_t end)
{
	const struct store_run run = {
		.label = "synthetic <boot> & load", /* needs escaping */
		.source = "capture",
		.environment = environment,
		.command = "qemu-system-x86_64 -enable-kvm -smp 2 -m 1G",
		.host = "lab",
		.kernel = "6.1.0-test",
		.cpu_model = "Synthetic CPU @ 2.00GHz",
		.ept = "Y",
		.vpid = "Y",
		.unrestricted_guest = "Y",
		.module_parameters =
			"{\"kvm\":{\"halt_poll_ns\":\"200000\"},\"kvm_intel\":{\"ept\":\"Y\"}}",
		.collector = "boot_db",
		.isa = KVM_EXIT_ISA_VMX,
		.tsc_khz = KHZ,
		.tsc_start = START,
		.has_features = true,
		.features = KVM_EXIT_FEAT_SPLIT | KVM_EXIT_FEAT_KEYS | KVM_EXIT_FEAT_POLLED |
			    KVM_EXIT_FEAT_VALUE | KVM_EXIT_FEAT_REQUESTS | KVM_EXIT_FEAT_EVENT,
		.started_ns = 1700000000000000000LL,
		.raw = raw,
		.split = 1,
	};
	int rc = store_begin(store, &run);

	for (uint64_t id = 0; id < VCPUS && !rc; id++) {
		const struct store_vcpu info = {.comm = "qemu",
						.vm_id = 1,
						.ring_id = id + 1,
						.tgid = 4242,
						.vcpu_id = (uint32_t)id};
		struct guest g = {.store = store, .id = id, .now = START + id * 900 * MS};

		rc = store_add_vcpu(store, &info, &g.vcpu);
		if (!rc)
			rc = run_guest(&g, end);
	}
	return rc ? rc
		  : store_finish(store, "complete", end,
				 run.started_ns + (int64_t)((end - START) / MS * 1000000));
}

int main(int argc, char **argv)
{
	uint64_t seconds = argc > 4 ? strtoul(argv[4], NULL, 10) : 10;
	struct store *store = NULL;
	int rc;

	if (argc < 2 || !seconds) {
		fprintf(stderr,
			"boot_db: usage: boot_db FILE [ENVIRONMENT [raw|noraw [SECONDS]]]\n");
		return 1;
	}
	rc = store_open(argv[1], &store);
	if (!rc)
		rc = record(store, argc > 2 ? argv[2] : "metal",
			    argc < 4 || strcmp(argv[3], "noraw") != 0, START + seconds * 1000 * MS);
	if (rc)
		fprintf(stderr, "boot_db: %s: %s\n", argv[1], store_strerror(store, rc));
	store_close(store);
	return rc != 0;
}
