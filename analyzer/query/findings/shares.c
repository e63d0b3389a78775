// SPDX-License-Identifier: GPL-2.0-only
/*
 * shares.c - rules about shares of exits: which device, MSR or instruction causes them
 *
 * One row of rules[] is all there is to such a rule.
 */
#include <stdio.h>
#include <string.h>

#include "analyzer/query/findings/rules.h"
#include "base/units.h"

#define LEAST_EXITS 1000

enum what { W_PORTS, W_MSR_WRITE, W_MMIO, W_KEY, W_REASON };

#define TIMEKEEPING "Linux: Documentation/virt/kvm/x86/timekeeping.rst"

/*
 * struct share_rule - exits of one cause
 * @ports: W_PORTS, with @direction
 * @key: W_MSR_WRITE: the MSR; W_KEY: the key; W_MMIO: the first address, @last: the last one
 * @vmx, @svm: W_KEY, W_REASON: the reason in each architecture, -1: none
 * @share: at least, of all exits
 * @ept_off: only where EPT or NPT was off
 * @slow_only: exits on the fast path don't count
 */
static const struct share_rule {
	const char *name;
	enum what what;
	struct key_range ports[4];
	enum port_direction direction;
	int64_t key, last;
	int64_t vmx, svm;
	double share;
	bool ept_off;
	bool slow_only;
	const char *title;
	const char *threshold;
	const char *remedy;
	const char *source;
} rules[] = {
	{
		.name = "rtc",
		.what = W_PORTS,
		.ports = {{0x70, 0x71}},
		.share = 0.05,
		.title = "The guest polls the RTC (ports 0x70 and 0x71)",
		.threshold = "1,000 exits and 5 % of all",
		.remedy =
			"Take the time from kvm-clock or the TSC; stop what reads the CMOS clock in a loop (hwclock, a wait for its update flag). Each access leaves the kernel for the VMM.",
		.source = TIMEKEEPING " (MC146818 RTC); Motorola MC146818A data sheet",
	},
	{
		.name = "pm-timer",
		.what = W_PORTS,
		.ports = {{0x608, 0x60b}, {0xb008, 0xb00b}, {0x408, 0x40b}},
		.direction = PORT_IN,
		.share = 0.01,
		.title = "The guest reads the ACPI PM timer as its clock",
		.threshold = "1,000 reads and 1 % of all exits",
		.remedy =
			"Let the guest use kvm-clock, or the TSC with a stable frequency (clocksource=kvm-clock; for Windows hv-time).",
		.source = TIMEKEEPING "; ACPI specification: power management timer",
	},
	{
		.name = "pit",
		.what = W_PORTS,
		.ports = {{0x40, 0x43}},
		.share = 0.05,
		.title = "The guest uses the PIT (ports 0x40 to 0x43)",
		.threshold = "1,000 exits and 5 % of all",
		.remedy = "Give the guest a local APIC timer, TSC deadline or kvm-clock.",
		.source = TIMEKEEPING " (i8254)",
	},
	{
		.name = "pic",
		.what = W_PORTS,
		.ports = {{0x20, 0x21}, {0xa0, 0xa1}},
		.share = 0.05,
		.title = "Interrupts come by the legacy PIC (i8259, ports 0x20, 0x21, 0xa0, 0xa1)",
		.threshold = "1,000 exits and 5 % of all",
		.remedy =
			"Give the guest a local APIC and an I/O APIC or MSI (no noapic, nolapic, acpi=off): then an interrupt needs no port.",
		.source =
			"Linux: Documentation/virt/kvm/api.rst (KVM_CREATE_IRQCHIP); Intel 8259A data sheet",
	},
	{
		.name = "uart",
		.what = W_PORTS,
		.ports = {{0x3f8, 0x3ff}, {0x2f8, 0x2ff}, {0x3e8, 0x3ef}},
		.share = 0.05,
		.title = "The guest writes to a serial port, byte by byte",
		.threshold = "1,000 exits and 5 % of all",
		.remedy =
			"A quieter console (quiet, loglevel=), or a virtio console: each byte is an exit to the VMM.",
		.source = "Linux: Documentation/admin-guide/serial-console.rst",
	},
	{
		.name = "ide",
		.what = W_PORTS,
		.ports = {{0x1f0, 0x1f7}, {0x170, 0x177}, {0x3f6, 0x3f6}},
		.share = 0.05,
		.title = "The guest uses an IDE disk by its ports",
		.threshold = "1,000 exits and 5 % of all",
		.remedy = "virtio-blk, virtio-scsi or NVMe instead of IDE.",
		.source = "Linux: Documentation/virt/kvm/api.rst (KVM_EXIT_IO)",
	},
	{
		.name = "tsc-deadline",
		.what = W_MSR_WRITE,
		.key = 0x6e0,
		.share = 0.10,
		.slow_only = true,
		.title =
			"The guest programs its timer often: writes of IA32_TSC_DEADLINE off the fast path",
		.threshold = "1,000 writes off the fast path and 10 % of all exits",
		.remedy =
			"Fewer timers in the guest (nohz, HZ=100, larger timer slack); on the host kvm.ko's preemption timer (kvm_intel preemption_timer=1), which handles them on the fast path.",
		.source =
			"Intel SDM 3, 11.5.4.1 (TSC-deadline mode); Linux: handle_fastpath_set_tscdeadline()",
	},
	{
		.name = "eoi",
		.what = W_MSR_WRITE,
		.key = 0x80b,
		.share = 0.05,
		.title =
			"Each end of an interrupt exits (x2APIC EOI): APICv or AVIC is off or inhibited",
		.threshold = "1,000 exits and 5 % of all",
		.remedy =
			"Turn on kvm_intel enable_apicv (kvm_amd avic), and what inhibits it off: Hyper-V AutoEOI, an emulated PIT in reinject mode, nested guests.",
		.source = "Intel SDM 3, 30.1.4 (EOI virtualization); Linux: enum kvm_apicv_inhibit",
	},
	{
		.name = "ipi",
		.what = W_MSR_WRITE,
		.key = 0x830,
		.share = 0.05,
		.title = "vCPUs interrupt each other, and each IPI exits (x2APIC ICR)",
		.threshold = "1,000 exits and 5 % of all",
		.remedy =
			"IPI virtualization (kvm_intel enable_ipiv, Sapphire Rapids on); fewer cross-CPU wake-ups: fewer vCPUs, pinned threads in the guest.",
		.source = "Intel SDM 3, 30.1.6 (IPI virtualization)",
	},
	{
		.name = "xapic",
		.what = W_MMIO,
		.key = 0xfee00000,
		.last = 0xfee00fff,
		.share = 0.05,
		.title = "The guest uses its local APIC by memory (xAPIC)",
		.threshold = "1,000 exits and 5 % of all",
		.remedy =
			"Offer x2APIC to the guest (QEMU: -cpu ...,+x2apic), or APIC virtualization.",
		.source = "Intel SDM 3, 11.12 (x2APIC)",
	},
	{
		.name = "pause",
		.what = W_REASON,
		.vmx = 40,
		.svm = 0x77,
		.share = 0.05,
		.title = "vCPUs spin on locks (PAUSE loops)",
		.threshold = "1,000 exits and 5 % of all",
		.remedy =
			"The holder of the lock has no CPU: fewer vCPUs than CPUs, paravirtual spin locks (CONFIG_PARAVIRT_SPINLOCKS); analyzer top-exits --by rip --reason PAUSE_INSTRUCTION names the guest's functions.",
		.source = "Intel SDM 3, 26.1.3 (PAUSE-loop exiting)",
	},
	{
		.name = "cr3",
		.what = W_KEY,
		.vmx = 28,
		.svm = 0x13,
		.key = 3,
		.share = 0.05,
		.ept_off = true,
		.title =
			"Each switch of the guest's address space exits (loads of CR3): shadow paging",
		.threshold = "1,000 exits and 5 % of all, without EPT or NPT",
		.remedy = "Turn on kvm_intel ept (kvm_amd npt).",
		.source = "Linux: Documentation/virt/kvm/x86/mmu.rst (shadow pages)",
	},
	{
		.name = "shadow-faults",
		.what = W_KEY,
		.vmx = 0,
		.svm = 0x4e,
		.key = 14,
		.share = 0.05,
		.ept_off = true,
		.title = "The guest's page faults exit: shadow paging",
		.threshold = "1,000 exits and 5 % of all, without EPT or NPT",
		.remedy = "Turn on kvm_intel ept (kvm_amd npt).",
		.source = "Linux: Documentation/virt/kvm/x86/mmu.rst (shadow pages)",
	},
	{
		.name = "cpuid",
		.what = W_REASON,
		.vmx = 10,
		.svm = 0x72,
		.share = 0.05,
		.title = "The guest executes CPUID often, and each one exits",
		.threshold = "1,000 exits and 5 % of all",
		.remedy =
			"Find who (analyzer top-exits --by rip --reason CPUID): cache its answer, or serialize with LFENCE or SERIALIZE instead.",
		.source = "Intel SDM 3, 26.1.2 (instructions that cause VM exits unconditionally)",
	},
};

static struct group sum_rule(const struct findings_data *data, const struct share_rule *rule)
{
	switch (rule->what) {
	case W_PORTS:
		return findings_ports(data, rule->ports, rule->direction);
	case W_MSR_WRITE:
		return findings_msr_writes(data, rule->key);
	case W_MMIO:
		return findings_mmio(data, rule->key, rule->last);
	case W_KEY:
		return findings_key(data, rule->vmx, rule->svm, rule->key);
	case W_REASON:
		return findings_reason(data, rule->vmx, rule->svm);
	}
	return group_empty();
}

/* Whether EPT or NPT was off, as sysfs shows the parameter. */
static bool is_ept_off(const struct run *run)
{
	return *run->ept == 'N' || *run->ept == '0';
}

static double per_second(const struct findings_data *data, uint64_t n)
{
	double seconds = findings_seconds(data, data->states.total.wall);

	return seconds > 0 ? (double)n / seconds : 0;
}

/* "1,234 of 5,678 exits (21.7 %)", recorded ones where others were dropped. Returns its length. */
static int exits_of_all(const struct findings_data *data, uint64_t n, char text[FINDING_TEXT])
{
	char count[UNITS_TEXT], all[UNITS_TEXT];

	return snprintf(text, FINDING_TEXT, "%s of %s %sexits (%.1f %%)",
			units_count((int64_t)n, count), units_count((int64_t)data->total.n, all),
			data->run->shown_dropped ? "recorded " : "", 100 * findings_share(data, n));
}

static void put_evidence(const struct findings_data *data, const struct share_rule *rule,
			 const struct group *sum, uint64_t n, struct finding *finding)
{
	char count[UNITS_TEXT];
	int used = exits_of_all(data, n, finding->evidence);
	size_t left = sizeof(finding->evidence) - (size_t)used;
	double busy = (double)(data->total.cycles - data->total.halted);

	if (rule->slow_only && sum->fastpath)
		used += snprintf(finding->evidence + used, left, ", %s more on the fast path",
				 units_count((int64_t)sum->fastpath, count));
	left = sizeof(finding->evidence) - (size_t)used;
	if (data->is_real && data->has_states && busy > 0)
		snprintf(finding->evidence + used, left,
			 ", %s a second and vCPU, %.1f %% of all time in exits without halts",
			 per_second(data, n) < 0.005 ? "<0.01"
						     : units_real(per_second(data, n), count),
			 100 * (double)(sum->cycles - sum->halted) / busy);
	else if (sum->to_user)
		snprintf(finding->evidence + used, left, ", %s of them went to user space",
			 units_count((int64_t)sum->to_user, count));
}

static int apply(const struct findings_data *data, const struct share_rule *rule,
		 struct findings *findings)
{
	struct group sum = sum_rule(data, rule);
	uint64_t n = rule->slow_only ? sum.n - sum.fastpath : sum.n;
	double share = findings_share(data, n);
	struct finding finding = {
		.rule = rule->name,
		.vm = -1,
		.weight = share,
		.threshold = rule->threshold,
		.remedy = rule->remedy,
		.source = rule->source,
	};

	if (n < LEAST_EXITS || share < rule->share || (rule->ept_off && !is_ept_off(data->run)))
		return 0;
	/* Only the ring sees the fast path. */
	if (rule->slow_only && strcmp(data->run->source, "device") &&
	    strcmp(data->run->source, "ring") && strcmp(data->run->source, "capture"))
		return 0;

	snprintf(finding.title, sizeof(finding.title), "%s", rule->title);
	put_evidence(data, rule, &sum, n, &finding);
	return findings_add(findings, data->app, &finding);
}

/* Devices that the VMM emulates: exits by memory that leave the kernel. */
static int find_mmio(const struct findings_data *data, struct findings *findings)
{
	uint64_t n = findings_mmio(data, 0, INT64_MAX).to_user;
	double share = findings_share(data, n);
	struct finding finding = {
		.rule = "mmio",
		.vm = -1,
		.weight = share,
		.title =
			"Devices are emulated by the VMM: accesses to their memory leave the kernel",
		.threshold = "1,000 exits by memory to user space and 5 % of all",
		.remedy =
			"ioeventfd for virtio notifications, vhost or vDPA, an assigned device; analyzer top-exits --by subkey names the addresses.",
		.source = "Linux: Documentation/virt/kvm/api.rst (KVM_IOEVENTFD, KVM_EXIT_MMIO)",
	};

	if (n < LEAST_EXITS || share < 0.05)
		return 0;
	exits_of_all(data, n, finding.evidence);
	return findings_add(findings, data->app, &finding);
}

static int find_nested(const struct findings_data *data, struct findings *findings)
{
	double share = findings_share(data, data->total.nested);
	struct finding finding = {
		.rule = "nested",
		.vm = -1,
		.weight = share,
		.title = "A guest runs guests: exits of L2",
		.threshold = "1,000 exits of L2 and 5 % of all",
		.remedy =
			"Each exit of L2 costs several here. VMCS shadowing (enable_shadow_vmcs), huge pages in L1 for L2, devices assigned to L2; or no nesting.",
		.source = "Linux: Documentation/virt/kvm/x86/running-nested-guests.rst",
	};

	if (data->total.nested < LEAST_EXITS || share < 0.05)
		return 0;
	exits_of_all(data, data->total.nested, finding.evidence);
	return findings_add(findings, data->app, &finding);
}

int findings_apply_shares(const struct findings_data *data, struct findings *findings)
{
	if (!data->is_whole)
		return 0;

	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (apply(data, &rules[i], findings))
			return -1;
	return find_mmio(data, findings) || find_nested(data, findings) ? -1 : 0;
}
