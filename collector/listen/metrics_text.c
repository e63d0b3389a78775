// SPDX-License-Identifier: GPL-2.0-only
/*
 * metrics_text.c - the counters as Prometheus reads them
 *
 * A family's lines stand together, so all VMs are copied first, one by one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/metrics.h"
#include "collector/listen/internal.h"
#include "kvm/ring/exit_reason.h"

/* A VM with the begin of its labels: vm="..." */
struct copied_vm {
	struct vm_counts counts;
	char *label;
};

struct copy {
	uint32_t isa;
	double seconds; /* of a cycle */
	bool has_parts;
	bool has_durations;
	uint64_t unseen;
	size_t count;
	struct copied_vm *vms;
};

static const struct {
	uint32_t isa;
	uint32_t number;
	const char *name;
} names[] = {
#include "sql/reason_names.inc"
};

const char *metrics_reason_name(uint32_t isa, uint32_t basic)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (names[i].isa == isa && names[i].number == basic)
			return names[i].name;
	}
	return NULL;
}

static void put_reason(FILE *file, uint32_t isa, const struct reason_count *reason)
{
	uint32_t basic = kvm_exit_basic(isa, reason->reason);
	const char *failed = basic != reason->reason ? " FAILED_VMENTRY" : "";

	if (reason->name)
		fprintf(file, ",reason=\"%s%s\"", reason->name, failed);
	else
		fprintf(file, ",reason=\"UNKNOWN_%" PRIu32 "%s\"", basic, failed);
}

/* The label of the VM that @vm is a copy of: its name, else its number. */
static char *make_label(const struct vm_counts *vm, bool others)
{
	char *text = NULL;
	size_t bytes;
	FILE *file = open_memstream(&text, &bytes);

	if (!file)
		return NULL;
	fputs("vm=", file);
	metrics_put_value(file, others ? "(others)" : vm->name);
	if (!others)
		fprintf(file, ",id=\"%" PRIu64 "\",pid=\"%" PRIu32 "\"", vm->vm_id, vm->tgid);
	if (fclose(file)) {
		free(text);
		return NULL;
	}
	return text;
}

static void free_copy(struct copy *copy)
{
	for (size_t i = 0; i < copy->count; i++)
		free(copy->vms[i].label);
	free(copy->vms);
}

/* How many VMs there are to be copied. */
static size_t count_vms(struct metrics *m)
{
	size_t count = 0;

	pthread_mutex_lock(&m->lock);
	for (uint32_t i = 0; i <= METRICS_VMS; i++)
		count += m->vms[i].used;
	pthread_mutex_unlock(&m->lock);
	return count;
}

static int copy_vms(struct metrics *m, struct copy *copy)
{
	size_t room = count_vms(m);

	*copy = (struct copy){.vms = calloc(room + 1, sizeof(*copy->vms))};
	if (!copy->vms)
		return -ENOMEM;

	for (uint32_t i = 0; i <= METRICS_VMS && copy->count < room; i++) {
		struct copied_vm *vm = &copy->vms[copy->count];
		bool used;

		/* For each VM anew: the recording gets its turn in between. */
		pthread_mutex_lock(&m->lock);
		used = m->vms[i].used;
		if (used)
			vm->counts = m->vms[i];
		copy->isa = m->isa;
		copy->unseen = m->unseen;
		copy->has_parts = m->has_parts;
		copy->has_durations = m->has_durations;
		copy->seconds = m->tsc_khz ? 1e-3 / m->tsc_khz : 0;
		pthread_mutex_unlock(&m->lock);

		if (!used)
			continue;
		copy->count++;
		vm->label = make_label(&vm->counts, i == METRICS_VMS);
		if (!vm->label)
			return -ENOMEM;
	}
	return 0;
}

static void put_exits(const struct copy *copy, FILE *file)
{
	metrics_put_family(file, "kvm_exits_total", "counter", "VM exits by VM and exit reason.");
	for (const struct copied_vm *vm = copy->vms; vm < copy->vms + copy->count; vm++) {
		for (uint32_t i = 0; i < vm->counts.sums.reasons; i++) {
			fprintf(file, "kvm_exits_total{%s", vm->label);
			put_reason(file, copy->isa, &vm->counts.sums.reason[i]);
			fprintf(file, "} %" PRIu64 "\n", vm->counts.sums.reason[i].n);
		}
		if (vm->counts.sums.other_reasons)
			fprintf(file, "kvm_exits_total{%s,reason=\"(others)\"} %" PRIu64 "\n",
				vm->label, vm->counts.sums.other_reasons);
	}
}

static void put_records(const struct copy *copy, FILE *file)
{
	static const char *const states[] = {"recorded", "dropped", "filtered", "unread"};

	metrics_put_family(
		file, "kvm_exit_records_total", "counter",
		"Exits by what became of their records: recorded, dropped (ring full), filtered (on request); when a vCPU has ended also unread (before the collector).");
	for (const struct copied_vm *vm = copy->vms; vm < copy->vms + copy->count; vm++) {
		const uint64_t n[] = {vm->counts.sums.recorded, vm->counts.sums.dropped,
				      vm->counts.sums.filtered, vm->counts.unread};

		for (int i = 0; i < 4; i++)
			fprintf(file, "kvm_exit_records_total{%s,state=\"%s\"} %" PRIu64 "\n",
				vm->label, states[i], n[i]);
	}
}

static void put_unseen(const struct copy *copy, FILE *file)
{
	metrics_put_family(
		file, "kvm_exits_unseen_total", "counter",
		"Exits of vCPUs that ran, or had ended, before the collector had their rings: of no VM above.");
	fprintf(file, "kvm_exits_unseen_total %" PRIu64 "\n", copy->unseen);
}

static void put_parts(const struct copy *copy, FILE *file)
{
	static const char *const parts[PARTS] = {"handler", "halted", "userspace", "preempted"};

	metrics_put_family(file, "kvm_exit_part_seconds_total", "counter",
			   "Time from exit to entry by what it went to.");
	for (const struct copied_vm *vm = copy->vms; vm < copy->vms + copy->count; vm++) {
		for (int i = 0; i < PARTS; i++)
			fprintf(file, "kvm_exit_part_seconds_total{%s,part=\"%s\"} %.12g\n",
				vm->label, parts[i],
				(double)vm->counts.sums.part_cycles[i] * copy->seconds);
	}
}

static void put_durations(const struct copy *copy, FILE *file)
{
	char limits[METRICS_LIMITS][16];

	/* A double takes longer to print than the rest of its line. */
	for (int i = 0; i < METRICS_LIMITS; i++)
		snprintf(limits[i], sizeof(limits[i]), "%g", (double)metrics_limits_ns[i] / 1e9);

	metrics_put_family(file, "kvm_exit_duration_seconds", "histogram",
			   "Time from a VM exit to the next VM entry of the vCPU, all reasons.");
	for (const struct copied_vm *vm = copy->vms; vm < copy->vms + copy->count; vm++) {
		const struct durations *d = &vm->counts.durations;
		uint64_t n = 0;

		for (int i = 0; i < METRICS_LIMITS; i++) {
			n += d->n[i];
			fprintf(file,
				"kvm_exit_duration_seconds_bucket{%s,le=\"%s\"} %" PRIu64 "\n",
				vm->label, limits[i], n);
		}
		n += d->n[METRICS_LIMITS];
		fprintf(file, "kvm_exit_duration_seconds_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n",
			vm->label, n);
		fprintf(file, "kvm_exit_duration_seconds_sum{%s} %.12g\n", vm->label,
			(double)d->cycles * copy->seconds);
		fprintf(file, "kvm_exit_duration_seconds_count{%s} %" PRIu64 "\n", vm->label, n);
	}
}

static void put_vms(const struct copy *copy, FILE *file)
{
	metrics_put_family(file, "kvm_exit_vcpus", "gauge",
			   "vCPUs of the VM that are recorded and have not ended.");
	for (const struct copied_vm *vm = copy->vms; vm < copy->vms + copy->count; vm++)
		fprintf(file, "kvm_exit_vcpus{%s} %" PRIu32 "\n", vm->label, vm->counts.vcpus);
}

int metrics_write(struct metrics *m, FILE *file)
{
	struct copy copy;
	int rc = copy_vms(m, &copy);

	if (!rc) {
		put_vms(&copy, file);
		put_exits(&copy, file);
		put_records(&copy, file);
		put_unseen(&copy, file);
		/* What the source does not know has no sample: 0 would be a value. */
		if (copy.has_parts)
			put_parts(&copy, file);
		if (copy.has_durations)
			put_durations(&copy, file);
	}
	free_copy(&copy);
	return rc;
}
