// SPDX-License-Identifier: GPL-2.0-only
/* xcheck.c - gathers what the other sources counted while the rings are recorded */
#include "collector/xcheck/xcheck.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "collector/host/host.h"
#include "collector/source/source.h"
#include "collector/xcheck/internal.h"

__attribute__((format(printf, 2, 3))) static void note(struct xcheck *x, const char *format, ...)
{
	va_list args;

	if (x->note_count == XCHECK_NOTES)
		return;
	va_start(args, format);
	vsnprintf(x->notes[x->note_count++], sizeof(x->notes[0]), format, args);
	va_end(args);
}

static const char *why(int rc)
{
	if (rc == -EPERM || rc == -EACCES)
		return "not allowed (run as root; kernel lockdown forbids it too)";
	return rc == -ENODEV ? "no debugfs" : strerror(-rc);
}

static uint32_t tgid_of(void *user, uint32_t tid)
{
	struct xcheck *x = user;

	return trace_instance_tgid(x->trace, tid);
}

static int open_trace(struct xcheck *x, size_t buffer_kb)
{
	uint32_t exit_id, entry_id;
	int rc = trace_instance_open(&x->trace, buffer_kb, TRACE_EXITS);

	if (rc == -ENOMEM)
		return rc;
	if (rc) {
		note(x, "tracefs: %s", trace_instance_strerror(rc));
		note(x, "perf: needs the events' numbers from tracefs");
		return 0;
	}
	x->match = match_new(tgid_of, x);
	if (!x->match)
		return -ENOMEM;
	trace_instance_ids(x->trace, &exit_id, &entry_id);
	rc = xcheck_perf_open(&x->perf, exit_id, entry_id);
	if (rc)
		note(x, "perf: %s", why(rc));
	return rc == -ENOMEM ? rc : 0;
}

int xcheck_open(struct xcheck **xcheck, size_t trace_buffer_kb)
{
	struct xcheck *x = calloc(1, sizeof(*x));
	int rc;

	if (!x)
		return -ENOMEM;
	rc = open_trace(x, trace_buffer_kb);
	if (rc) {
		xcheck_close(x);
		return rc;
	}
	rc = kvmstat_check();
	x->has_kvmstat = !rc;
	if (rc)
		note(x, "KVM statistics in debugfs: %s", why(rc));
	*xcheck = x;
	return 0;
}

const char *xcheck_note(const struct xcheck *xcheck, size_t at)
{
	return at < xcheck->note_count ? xcheck->notes[at] : NULL;
}

int xcheck_start(struct xcheck *xcheck)
{
	int rc = xcheck->trace ? trace_instance_start(xcheck->trace) : 0;

	if (rc)
		return rc;
	if (xcheck->perf) {
		xcheck->perf_on[0] = host_tsc();
		xcheck_perf_start(xcheck->perf);
		xcheck->perf_on[1] = host_tsc();
		xcheck->perf_off[0] = xcheck->perf_off[1] = UINT64_MAX;
	}
	return 0;
}

void xcheck_begin_round(struct xcheck *xcheck)
{
	xcheck->round_tsc = host_tsc();
}

void xcheck_end_round(struct xcheck *xcheck)
{
	if (xcheck->match)
		match_mark(xcheck->match, xcheck->round_tsc);
}

static const char *why_no_statistics(int rc)
{
	if (rc == -ENOENT)
		return "gone before they could be held";
	return rc == -EEXIST ? "it has several VMs" : why(rc);
}

/* Holds the statistics of the VM of @vcpu, its first one. NULL: no memory. */
static struct xcheck_vm *add_vm(struct xcheck *x, const struct store_vcpu *info, int vcpu)
{
	struct xcheck_vm *vms = array_reserve(x->vms, x->vm_count, 1, sizeof(*vms));
	struct xcheck_vm *vm;
	int rc;

	if (!vms)
		return NULL;
	x->vms = vms;
	vm = &vms[x->vm_count++];
	*vm = (struct xcheck_vm){.vm_id = info->vm_id, .tgid = info->tgid, .vcpu = vcpu};

	rc = kvmstat_open(&vm->stat, info->tgid);
	if (rc)
		note(x, "KVM statistics of the VM of process %u: %s", info->tgid,
		     why_no_statistics(rc));
	return vm;
}

/* The process has made another VM since, whose statistics these are. */
static void let_go(struct xcheck *x, struct xcheck_vm *vm)
{
	note(x, "KVM statistics of the VM of process %u: %s", vm->tgid, why_no_statistics(-ENOENT));
	kvmstat_close(vm->stat);
	vm->stat = NULL;
}

/* Adds the ring of a vCPU to the statistics of its VM. */
static int add_to_vm(struct xcheck *x, const struct store_vcpu *info, int vcpu)
{
	struct xcheck_vm *vm = x->vms;

	while (vm < x->vms + x->vm_count && vm->vm_id != info->vm_id)
		vm++;
	if (vm == x->vms + x->vm_count)
		vm = add_vm(x, info, vcpu);
	if (!vm)
		return -ENOMEM;

	/* Its process had ended before this vCPU was found, and the bounds lack it. */
	if (vm->read)
		vm->result.bounded = false;
	if (vm->stat && (kvmstat_add_ring(vm->stat, info->ring_id) == -ENOENT ||
			 kvmstat_is_of_another(vm->stat)))
		let_go(x, vm);
	return 0;
}

static int add_vcpu(struct xcheck *x, const struct source *source, const struct source_item *item)
{
	const struct match_vcpu_info info = {
		.tgid = item->info.tgid,
		.vcpu_id = item->info.vcpu_id,
		.isa = source->info.isa,
		.created_tsc = item->created_tsc,
		.first_seq = item->info.first_seq,
		.first_snapshot_tsc = item->snapshot_tsc,
		.open_at_start = item->open_at_start,
	};
	int vcpu;
	int rc = 0;

	if (x->match)
		rc = match_add_vcpu(x->match, &info, &vcpu);
	if (!rc && x->has_kvmstat)
		rc = add_to_vm(x, &item->info, item->vcpu);
	x->vcpu_count++;
	return rc;
}

static void end_vcpu(struct xcheck *x, const struct source_item *item)
{
	const struct match_vcpu_end end = {
		.seq = item->end.end_seq,
		.last_snapshot_tsc = item->snapshot_tsc,
		.open = item->end.open_exits,
		.gone = item->end.ended,
	};

	if (x->match)
		match_end_vcpu(x->match, item->vcpu, &end);
	for (size_t i = 0; i < x->vm_count && item->end.ended; i++) {
		if (x->vms[i].vcpu == item->vcpu && x->vms[i].stat)
			let_go(x, &x->vms[i]);
	}
}

int xcheck_item(struct xcheck *xcheck, const struct source *source, const struct source_item *item)
{
	switch (item->kind) {
	case SOURCE_VCPU:
		return add_vcpu(xcheck, source, item);
	case SOURCE_RECORDS:
		if (xcheck->match)
			return match_records(xcheck->match, item->vcpu, item->records, item->count);
		return 0;
	case SOURCE_END_VCPU:
		end_vcpu(xcheck, item);
		return 0;
	default:
		return 0;
	}
}

static int on_event(void *user, const struct kvm_event *event)
{
	struct xcheck *x = user;
	struct perf_bound *bound = event->kind == KVM_EVENT_EXIT ? &x->exit_bound : &x->entry_bound;

	bound->low += event->ts > x->perf_on[1] && event->ts < x->perf_off[0];
	bound->high += event->ts >= x->perf_on[0] && event->ts <= x->perf_off[1];
	return match_event(x->match, event);
}

static int on_lost(void *user, uint32_t cpu, uint64_t from, uint64_t to)
{
	struct xcheck *x = user;

	return match_lost(x->match, cpu, from, to);
}

static int drain(struct xcheck *x)
{
	const struct trace_sink sink = {.event = on_event, .lost = on_lost, .user = x};

	return x->trace ? trace_instance_drain(x->trace, &sink) : 0;
}

static void read_vm(struct xcheck *x, struct xcheck_vm *vm)
{
	if (!vm->stat)
		return;
	if (kvmstat_is_of_another(vm->stat)) {
		let_go(x, vm);
		return;
	}
	vm->read = !kvmstat_read(vm->stat, &vm->result);
	if (!vm->read)
		note(x, "KVM statistics: they could not be read");
	kvmstat_close(vm->stat);
	vm->stat = NULL;
}

int xcheck_run(struct xcheck *xcheck)
{
	int rc = drain(xcheck);

	for (size_t i = 0; i < xcheck->vm_count; i++) {
		struct xcheck_vm *vm = &xcheck->vms[i];

		if (vm->stat && kvmstat_abandoned(vm->stat))
			read_vm(xcheck, vm);
	}
	return rc || !xcheck->match ? rc : match_run(xcheck->match);
}

int xcheck_stop(struct xcheck *xcheck)
{
	int rc;

	if (xcheck->perf) {
		xcheck->perf_off[0] = host_tsc();
		xcheck_perf_stop(xcheck->perf);
		xcheck->perf_off[1] = host_tsc();
		xcheck->perf_read =
			!xcheck_perf_read(xcheck->perf, &xcheck->perf_exits, &xcheck->perf_entries);
		if (!xcheck->perf_read)
			note(xcheck, "perf: the counters could not be read");
	}
	for (size_t i = 0; i < xcheck->vm_count; i++)
		read_vm(xcheck, &xcheck->vms[i]);
	if (!xcheck->trace)
		return 0;
	trace_instance_stop(xcheck->trace);
	rc = drain(xcheck);
	if (!rc)
		rc = trace_instance_lost(xcheck->trace, &xcheck->trace_lost);
	return rc ? rc : match_finish(xcheck->match);
}

void xcheck_close(struct xcheck *xcheck)
{
	for (size_t i = 0; i < xcheck->vm_count; i++) {
		if (xcheck->vms[i].stat)
			kvmstat_close(xcheck->vms[i].stat);
	}
	free(xcheck->vms);
	if (xcheck->perf)
		xcheck_perf_close(xcheck->perf);
	if (xcheck->match)
		match_free(xcheck->match);
	if (xcheck->trace)
		trace_instance_close(xcheck->trace);
	free(xcheck);
}
