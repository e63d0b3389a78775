// SPDX-License-Identifier: GPL-2.0-only
/*
 * time.c - rules about the time of VMs: steal, the VMM, short halts
 */
#include <inttypes.h>
#include <stdio.h>

#include "analyzer/query/findings/rules.h"
#include "analyzer/query/vms.h"
#include "base/units.h"

#define STEAL_SHARE   0.10 /* of the time that the vCPUs could run */
#define STEAL_SECONDS 0.01 /* less is noise */
#define USER_SHARE    0.25
#define HALTS	      1000
#define HALT_SHARE    0.05 /* of the exits */
#define HALT_SECONDS  100e-6

/* "VM 7", or "web-1". */
static void vm_text(const struct run *run, int64_t id, char *text, size_t bytes)
{
	const struct vm_ref *vm = vms_find(run, id);

	if (vm && *vm->name)
		snprintf(text, bytes, "%s", vm->label);
	else
		snprintf(text, bytes, "VM %" PRId64, id);
}

/* Cycles as every table writes times. */
static const char *time_text(const struct findings_data *data, double cycles, char text[UNITS_TEXT])
{
	return units_ns(findings_seconds(data, cycles) * 1e9, text);
}

static int find_steal(const struct findings_data *data, const struct state_row *row,
		      struct findings *findings)
{
	const struct state_row *total = &data->states.total;
	double share = state_runnable_share(row, STATE_WAITING);
	double others = total->part[STATE_WAITING] - row->part[STATE_WAITING];
	struct finding finding = {
		.rule = "steal",
		.vm = row->vm,
		.weight = share,
		.threshold =
			"waiting for a CPU is at least 10 % of the time that the vCPUs could run, and 10 ms",
		.remedy =
			"Give its vCPUs CPUs: fewer vCPUs than CPUs on the host, pinning, a higher cpu.weight, no quota (cpu.max) of its cgroup.",
		.source =
			"Linux: Documentation/admin-guide/cgroup-v2.rst (cpu), Documentation/virt/kvm/x86/msr.rst (MSR_KVM_STEAL_TIME)",
	};
	char vm[160], waiting[UNITS_TEXT], of_others[UNITS_TEXT], guest[UNITS_TEXT];

	if (share < STEAL_SHARE || findings_seconds(data, row->part[STATE_WAITING]) < STEAL_SECONDS)
		return 0;

	vm_text(data->run, row->vm, vm, sizeof(vm));
	snprintf(
		finding.title, sizeof(finding.title),
		"%s waits for a CPU (steal): %.1f %% of its time, %.1f %% of the time it could run",
		vm, 100 * state_share(row, STATE_WAITING), 100 * share);
	snprintf(
		finding.evidence, sizeof(finding.evidence),
		"its %u vCPUs waited %s in all, those of all other VMs%s %s; it ran guest code for %s",
		row->vcpus, time_text(data, row->part[STATE_WAITING], waiting),
		data->run->filter.vm || data->run->filter.vcpu ? " that are shown" : "",
		time_text(data, others > 0 ? others : 0, of_others),
		time_text(data, row->part[STATE_GUEST], guest));
	return findings_add(findings, data->app, &finding);
}

static int find_vmm(const struct findings_data *data, const struct state_row *row,
		    struct findings *findings)
{
	double share = state_runnable_share(row, STATE_USER);
	struct finding finding = {
		.rule = "vmm",
		.vm = row->vm,
		.weight = share,
		.threshold =
			"user space is at least 25 % of the time that the vCPUs could run, and 10 ms",
		.remedy =
			"See what goes there: analyzer top-exits --by userspace-reason, --by subkey. Move it into the kernel: ioeventfd and vhost for virtio, irqchip in the kernel, fewer legacy devices.",
		.source = "Linux: Documentation/virt/kvm/api.rst (KVM_RUN, KVM_IOEVENTFD)",
	};
	char vm[160], user[UNITS_TEXT], guest[UNITS_TEXT], handler[UNITS_TEXT];

	if (share < USER_SHARE || findings_seconds(data, row->part[STATE_USER]) < STEAL_SECONDS)
		return 0;

	vm_text(data->run, row->vm, vm, sizeof(vm));
	snprintf(finding.title, sizeof(finding.title),
		 "The VMM of %s takes %.1f %% of the time its vCPUs could run", vm, 100 * share);
	snprintf(finding.evidence, sizeof(finding.evidence),
		 "%s in user space, %s in the guest, %s in KVM",
		 time_text(data, row->part[STATE_USER], user),
		 time_text(data, row->part[STATE_GUEST], guest),
		 time_text(data, row->part[STATE_HANDLER], handler));
	return findings_add(findings, data->app, &finding);
}

/* The vCPU is woken again before the sleep was worth it. */
static int find_short_halts(const struct findings_data *data, struct findings *findings)
{
	struct group halts = findings_reason(data, 12, 0x78);
	double share = findings_share(data, halts.n);
	double median = findings_seconds(data, (double)group_quantile(&halts, 0.5));
	struct finding finding = {
		.rule = "short-halts",
		.vm = -1,
		.weight = share,
		.threshold = "1,000 HLT exits, 5 % of all, half of them shorter than 100 us",
		.remedy =
			"Poll before sleeping: haltpoll in the guest (cpuidle_haltpoll), or a higher halt_poll_ns of kvm; on dedicated CPUs KVM_CAP_X86_DISABLE_EXITS (QEMU: -overcommit cpu-pm=on).",
		.source =
			"Linux: Documentation/virt/kvm/halt-polling.rst, Documentation/virt/guest-halt-polling.rst",
	};
	char count[UNITS_TEXT], polled[64] = "";

	if (halts.n < HALTS || share < HALT_SHARE || median >= HALT_SECONDS)
		return 0;

	if (data->run->has_polled && halts.halted)
		snprintf(polled, sizeof(polled), "; KVM polled %.1f %% of the halted time",
			 100 * (double)halts.polled / (double)halts.halted);
	snprintf(finding.title, sizeof(finding.title),
		 "vCPUs halt for short times: half of all HLT last less than %.3g us",
		 median * 1e6);
	snprintf(finding.evidence, sizeof(finding.evidence),
		 "%s HLT exits, %.1f %% of all; 90 %% last less than %.3g us%s",
		 units_count((int64_t)halts.n, count), 100 * share,
		 findings_seconds(data, (double)group_quantile(&halts, 0.9)) * 1e6, polled);
	return findings_add(findings, data->app, &finding);
}

int findings_apply_steal(const struct findings_data *data, struct findings *findings)
{
	for (unsigned int i = 0; data->is_real && i < data->states.rows; i++)
		if (find_steal(data, &data->states.row[i], findings))
			return -1;
	return 0;
}

int findings_apply_time(const struct findings_data *data, struct findings *findings)
{
	if (findings_apply_steal(data, findings))
		return -1;
	if (!data->is_real)
		return 0;

	for (unsigned int i = 0; i < data->states.rows; i++)
		if (find_vmm(data, &data->states.row[i], findings))
			return -1;
	return data->is_whole && data->has_states ? find_short_halts(data, findings) : 0;
}
