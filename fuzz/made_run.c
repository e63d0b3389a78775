// SPDX-License-Identifier: GPL-2.0-only
/* made_run.c - adds a small run to a database; see made_run.h */
#include "fuzz/made_run.h"

#include "sql/store/store.h"
#include "sql/store/test/synthetic.h"

#define VCPUS	2
#define RECORDS 150

static int add_vcpu(struct store *store, int index)
{
	static struct kvm_exit_record records[RECORDS];
	const struct store_vcpu info = {
		.comm = "qemu",
		.vm_id = 7,
		.ring_id = (uint64_t)index + 1,
		.tgid = 42,
		.vcpu_id = (uint32_t)index,
	};
	const struct store_crosscheck check = {.source = "tracefs",
					       .name = "kvm_exit",
					       .vcpu = index,
					       .reason = 10,
					       .n = 3,
					       .cycles = -1};
	struct synthetic made;
	struct store_vcpu_end end;
	int vcpu;
	int rc;

	synthetic_init(&made, (uint32_t)index, 1);
	made.lose_one_in = 50;
	synthetic_fill(&made, records, RECORDS);
	end = (struct store_vcpu_end){.totals = made.totals, .end_seq = made.seq, .ended = 1};

	rc = store_add_vcpu(store, &info, &vcpu);
	if (!rc)
		rc = store_append(store, vcpu, records, RECORDS);
	if (!rc)
		rc = store_end_vcpu(store, vcpu, &end);
	return rc ? rc : store_add_crosscheck(store, &check);
}

static int add_run(struct store *store, const char *label)
{
	const struct store_run run = {
		.label = label,
		.source = "capture",
		.collector = "fuzz",
		.isa = KVM_EXIT_ISA_VMX,
		.tsc_khz = SYNTHETIC_TSC_KHZ,
		.tsc_start = SYNTHETIC_TSC_START,
		.started_ns = 1,
		.raw = true,
		.split = true,
	};
	const struct store_leaf leaf = {.leaf = 0x4ffffffd, .reason = 10, .eax = 3};
	int rc = store_begin(store, &run);

	if (!rc)
		rc = store_add_vmx_capability(store, 0, 0x480, 0x00d8100000000012, true);
	for (int i = 0; !rc && i < VCPUS; i++)
		rc = add_vcpu(store, i);
	if (!rc)
		rc = store_finish(store, "complete", SYNTHETIC_TSC_START + 10000000, 2);
	return rc ? rc : store_add_leaves(store, 0, &leaf, 1);
}

int made_run(const char *path, const char *label)
{
	struct store *store;
	int rc = store_open(path, &store);

	if (rc)
		return rc;
	rc = add_run(store, label);
	store_close(store);
	return rc;
}
