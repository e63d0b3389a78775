// SPDX-License-Identifier: GPL-2.0-only
/* metrics.c - counts what a recording takes; see metrics.h */
#include "collector/listen/metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "collector/listen/internal.h"
#include "kvm/ring/exit_reason.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)

/* The same for every host and recording, so that histograms add up. */
const uint64_t metrics_limits_ns[METRICS_LIMITS] = {
	1 * US,	  2 * US, 5 * US, 10 * US, 20 * US, 50 * US,  100 * US,	 200 * US,
	500 * US, 1 * MS, 2 * MS, 5 * MS,  10 * MS, 100 * MS, 1000 * MS, 10000 * MS,
};

#define OTHERS METRICS_VMS /* the place of VMs that have none */

struct metrics *metrics_new(void)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;

	/* Memory that no VM has used is never touched. */
	m->vms = calloc(METRICS_VMS + 1, sizeof(*m->vms));
	if (!m->vms) {
		free(m);
		return NULL;
	}
	pthread_mutex_init(&m->lock, NULL);
	return m;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	pthread_mutex_destroy(&m->lock);
	free(m->vms);
	free(m->totals);
	free(m->vcpus);
	free(m);
}

int metrics_begin(struct metrics *m, const struct run_info *info, bool has_totals, bool has_records)
{
	if (has_totals) {
		m->totals = calloc(METRICS_VMS + 1, sizeof(*m->totals));
		if (!m->totals)
			return -ENOMEM;
	}

	pthread_mutex_lock(&m->lock);
	m->isa = info->isa;
	m->tsc_khz = info->tsc_khz;
	m->has_parts = !info->unsplit && !info->untimed;
	m->has_durations = !info->untimed && has_records;
	for (int i = 0; i < METRICS_LIMITS; i++)
		m->limits_cycles[i] =
			(uint64_t)((double)metrics_limits_ns[i] * (double)info->tsc_khz / 1e6);
	pthread_mutex_unlock(&m->lock);
	return 0;
}

/* The place of a VM: its own, a free one, or that of the VM that ended first. */
static uint32_t find_vm(struct metrics *m, const struct store_vcpu *info)
{
	uint32_t found = OTHERS;

	for (uint32_t i = 0; i < METRICS_VMS; i++) {
		const struct vm_counts *vm = &m->vms[i];

		if (vm->used && vm->vm_id == info->vm_id)
			return i;
		if (!vm->used) {
			found = i;
			break;
		}
		if (vm->ended && (found == OTHERS || vm->ended < m->vms[found].ended))
			found = i;
	}

	m->vms[found].used = true;
	if (found == OTHERS)
		return found;
	m->vms[found] = (struct vm_counts){.used = true, .vm_id = info->vm_id, .tgid = info->tgid};
	if (m->totals)
		m->totals[found] = (struct vm_totals){.ended = {.recorded = 0}};
	return found;
}

static int add_vcpu(struct metrics *m, const struct source_item *item)
{
	struct vcpu_place *vcpus;
	uint32_t vm;

	if (item->vcpu != m->vcpu_count)
		return -EINVAL;
	vcpus = array_reserve(m->vcpus, (size_t)m->vcpu_count, 1, sizeof(*vcpus));
	if (!vcpus)
		return -ENOMEM;
	m->vcpus = vcpus;

	vm = find_vm(m, &item->info);
	m->vms[vm].vcpus++;
	m->vms[vm].ended = 0;
	vcpus[m->vcpu_count++] = (struct vcpu_place){
		.vm = vm,
		.vm_id = m->vms[vm].vm_id,
		.next_seq = item->info.first_seq,
	};
	return 0;
}

/* The counts that a vCPU's belong to. */
static struct vm_counts *vm_of(struct metrics *m, struct vcpu_place *vcpu)
{
	if (m->vms[vcpu->vm].vm_id != vcpu->vm_id) {
		vcpu->vm = OTHERS;
		vcpu->vm_id = m->vms[OTHERS].vm_id;
		m->vms[OTHERS].used = true;
	}
	return &m->vms[vcpu->vm];
}

static void count_reason(struct exit_sums *sums, uint32_t isa, uint32_t full, uint64_t n)
{
	uint32_t reason = isa == KVM_EXIT_ISA_VMX ? full & 0x8000ffff : full;
	uint8_t at = (uint8_t)(reason ^ reason >> 8 ^ reason >> 24);

	/* At most 96 of 256 places are taken, so there is a free one. */
	while (sums->place[at] && sums->reason[sums->place[at] - 1].reason != reason)
		at++;
	if (!sums->place[at]) {
		if (sums->reasons == METRICS_REASONS) {
			sums->other_reasons += n;
			return;
		}
		sums->reason[sums->reasons] = (struct reason_count){
			.reason = reason,
			.name = metrics_reason_name(isa, kvm_exit_basic(isa, reason)),
		};
		sums->place[at] = (uint8_t)++sums->reasons;
	}
	sums->reason[sums->place[at] - 1].n += n;
}

static int bucket_of(const struct metrics *m, uint64_t cycles)
{
	int bucket = 0;

	while (bucket < METRICS_LIMITS && cycles > m->limits_cycles[bucket])
		bucket++;
	return bucket;
}

static void sum_record(const struct metrics *m, struct exit_sums *sums,
		       const struct kvm_exit_record *r)
{
	count_reason(sums, m->isa, r->reason, 1);
	sums->part_cycles[PART_HANDLER] += r->handler_cycles;
	sums->part_cycles[PART_HALTED] += r->halted_cycles;
	sums->part_cycles[PART_USERSPACE] += r->userspace_cycles;
	sums->part_cycles[PART_PREEMPTED] += r->preempted_cycles;
	sums->recorded++;
}

static void add_records(struct metrics *m, const struct source_item *item)
{
	struct vcpu_place *vcpu = &m->vcpus[item->vcpu];
	struct vm_counts *vm = vm_of(m, vcpu);

	for (size_t i = 0; i < item->count; i++) {
		const struct kvm_exit_record *r = &item->records[i];

		vm->durations.n[bucket_of(m, r->cycles)]++;
		vm->durations.cycles += r->cycles;
		if (m->totals)
			continue;
		if (r->seq > vcpu->next_seq)
			vm->sums.dropped += r->seq - vcpu->next_seq;
		vcpu->next_seq = r->seq + 1;
		sum_record(m, &vm->sums, r);
	}
}

/* Adds the totals of a vCPU. */
static void sum_totals(const struct metrics *m, struct exit_sums *sums,
		       const struct kvm_exit_total *totals)
{
	for (unsigned int slot = 0; slot < KVM_EXIT_TOTAL_SLOTS; slot++) {
		const struct kvm_exit_total *t = &totals[slot];
		uint64_t exits = t->count + t->synthesized;

		if (!exits && !t->cycles)
			continue;
		if (slot == KVM_EXIT_TOTAL_OTHER)
			sums->other_reasons += exits;
		else
			count_reason(sums, m->isa, kvm_exit_slot_reason(m->isa, slot), exits);
		sums->part_cycles[PART_HANDLER] +=
			t->cycles - t->halted_cycles - t->userspace_cycles - t->preempted_cycles;
		sums->part_cycles[PART_HALTED] += t->halted_cycles;
		sums->part_cycles[PART_USERSPACE] += t->userspace_cycles;
		sums->part_cycles[PART_PREEMPTED] += t->preempted_cycles;
		sums->recorded += t->recorded;
		sums->dropped += t->dropped;
		sums->filtered += t->filtered;
	}
}

/* The totals of the VM whose counts a vCPU's belong to. */
static struct vm_totals *totals_of(struct metrics *m, struct vcpu_place *vcpu)
{
	return &m->totals[vm_of(m, vcpu) - m->vms];
}

static void end_vcpu(struct metrics *m, const struct source_item *item)
{
	struct vcpu_place *vcpu = &m->vcpus[item->vcpu];
	struct vm_counts *vm = vm_of(m, vcpu);

	vcpu->is_ended = true;
	if (m->totals && item->end.totals) {
		sum_totals(m, &totals_of(m, vcpu)->ended, item->end.totals);
	} else {
		if (item->end.end_seq > vcpu->next_seq)
			vm->sums.dropped += item->end.end_seq - vcpu->next_seq;
		vm->sums.filtered += item->end.filtered;
	}
	vm->unread += item->end.unread;

	if (vm->vcpus && !--vm->vcpus)
		vm->ended = ++m->endings;
}

/* Adds a vCPU that has not ended: those that have are in @ended. */
static void see_totals(void *context, int number, const struct kvm_exit_total *totals)
{
	struct metrics *m = context;
	struct vm_totals *vm;

	if (number >= m->vcpu_count || m->vcpus[number].is_ended)
		return;
	pthread_mutex_lock(&m->lock);
	vm = totals_of(m, &m->vcpus[number]);
	pthread_mutex_unlock(&m->lock);
	sum_totals(m, &vm->now, totals);
}

/*
 * Makes @now what is shown. A counter never falls: that would be a restart to Prometheus. The copy
 * of a vCPU's totals that change all the time may have an exit's cycles without their parts.
 */
static void show(struct metrics *m, struct vm_counts *vm, struct exit_sums *now)
{
	for (int i = 0; i < PARTS; i++)
		if (now->part_cycles[i] < vm->sums.part_cycles[i])
			now->part_cycles[i] = vm->sums.part_cycles[i];

	/* Each VM by itself: a scrape gets its turn in between. */
	pthread_mutex_lock(&m->lock);
	vm->sums = *now;
	pthread_mutex_unlock(&m->lock);
}

int metrics_update(struct metrics *m, struct source *source)
{
	int rc;

	if (!m->totals)
		return 0;
	for (uint32_t i = 0; i <= METRICS_VMS; i++)
		if (m->vms[i].used)
			m->totals[i].now = m->totals[i].ended;
	rc = source->ops->read_totals(source, see_totals, m);

	for (uint32_t i = 0; !rc && i <= METRICS_VMS; i++)
		if (m->vms[i].used)
			show(m, &m->vms[i], &m->totals[i].now);
	return rc;
}

void metrics_set_unseen(struct metrics *m, uint64_t exits)
{
	pthread_mutex_lock(&m->lock);
	m->unseen = exits;
	pthread_mutex_unlock(&m->lock);
}

int metrics_add(struct metrics *m, const struct source_item *item)
{
	bool known = item->vcpu >= 0 && item->vcpu < m->vcpu_count;
	int rc = 0;

	pthread_mutex_lock(&m->lock);
	if (item->kind == SOURCE_VCPU)
		rc = add_vcpu(m, item);
	else if (item->kind == SOURCE_NAMES && known && m->vcpus[item->vcpu].vm != OTHERS)
		snprintf(vm_of(m, &m->vcpus[item->vcpu])->name, sizeof(m->vms->name), "%s",
			 item->names->name);
	else if (item->kind == SOURCE_RECORDS && known)
		add_records(m, item);
	else if (item->kind == SOURCE_END_VCPU && known)
		end_vcpu(m, item);
	pthread_mutex_unlock(&m->lock);
	return rc;
}
