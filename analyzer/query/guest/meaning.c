// SPDX-License-Identifier: GPL-2.0-only
/*
 * meaning.c - names of sub-keys; see meaning.h
 */
#include "analyzer/query/guest/meaning.h"

#include <stdio.h>
#include <string.h>

/* MSR numbers are sorted. */
struct msr_name {
	uint32_t number;
	const char *name;
};

#include "analyzer/query/guest/msr_names.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Values from low to high; @high 0: low alone. */
struct range_name {
	int64_t low, high;
	const char *name;
};

/* x2APIC registers (Intel SDM 3, table 11-6) and MSRs of hypervisors, which msr-index.h lacks. */
static const struct range_name other_msrs[] = {
	{0x802, 0, "X2APIC_ID"},
	{0x803, 0, "X2APIC_VERSION"},
	{0x808, 0, "X2APIC_TPR"},
	{0x80a, 0, "X2APIC_PPR"},
	{0x80b, 0, "X2APIC_EOI"},
	{0x80d, 0, "X2APIC_LDR"},
	{0x80f, 0, "X2APIC_SIVR"},
	{0x810, 0x817, "X2APIC_ISR"},
	{0x818, 0x81f, "X2APIC_TMR"},
	{0x820, 0x827, "X2APIC_IRR"},
	{0x828, 0, "X2APIC_ESR"},
	{0x82f, 0, "X2APIC_LVT_CMCI"},
	{0x830, 0, "X2APIC_ICR"},
	{0x832, 0, "X2APIC_LVT_TIMER"},
	{0x833, 0, "X2APIC_LVT_THERMAL"},
	{0x834, 0, "X2APIC_LVT_PMI"},
	{0x835, 0, "X2APIC_LVT_LINT0"},
	{0x836, 0, "X2APIC_LVT_LINT1"},
	{0x837, 0, "X2APIC_LVT_ERROR"},
	{0x838, 0, "X2APIC_INIT_COUNT"},
	{0x839, 0, "X2APIC_CUR_COUNT"},
	{0x83e, 0, "X2APIC_DIV_CONF"},
	{0x83f, 0, "X2APIC_SELF_IPI"},
	{0x4b564d00, 0, "KVM_WALL_CLOCK_NEW"},
	{0x4b564d01, 0, "KVM_SYSTEM_TIME_NEW"},
	{0x4b564d02, 0, "KVM_ASYNC_PF_EN"},
	{0x4b564d03, 0, "KVM_STEAL_TIME"},
	{0x4b564d04, 0, "KVM_PV_EOI_EN"},
	{0x4b564d05, 0, "KVM_POLL_CONTROL"},
	{0x4b564d06, 0, "KVM_ASYNC_PF_INT"},
	{0x4b564d07, 0, "KVM_ASYNC_PF_ACK"},
	{0x4b564d08, 0, "KVM_MIGRATION_CONTROL"},
	{0x40000000, 0, "HV_GUEST_OS_ID"},
	{0x40000001, 0, "HV_HYPERCALL"},
	{0x40000002, 0, "HV_VP_INDEX"},
	{0x40000020, 0, "HV_TIME_REF_COUNT"},
	{0x40000070, 0, "HV_EOI"},
	{0x40000071, 0, "HV_ICR"},
	{0x40000072, 0, "HV_TPR"},
	{0x40000073, 0, "HV_APIC_ASSIST_PAGE"},
	{0x400000b0, 0x400000b7, "HV_STIMER"},
};

/* Ports that a PC has (IBM PC/AT; QEMU's microvm, pc and q35). */
static const struct range_name ports[] = {
	{0x00, 0x1f, "DMA controller 1"},
	{0x20, 0x21, "PIC (master)"},
	{0x40, 0x43, "PIT"},
	{0x60, 0x60, "keyboard data"},
	{0x61, 0x61, "speaker, NMI status"},
	{0x64, 0x64, "keyboard status"},
	{0x70, 0x70, "RTC index"},
	{0x71, 0x71, "RTC data"},
	{0x80, 0x80, "POST code, I/O delay"},
	{0x81, 0x8f, "DMA pages"},
	{0x92, 0x92, "A20, fast reset"},
	{0xa0, 0xa1, "PIC (slave)"},
	{0xb2, 0xb3, "APM, SMI command"},
	{0xc0, 0xdf, "DMA controller 2"},
	{0xed, 0xed, "I/O delay"},
	{0xf0, 0xff, "coprocessor"},
	{0x170, 0x177, "IDE secondary"},
	{0x1f0, 0x1f7, "IDE primary"},
	{0x278, 0x27f, "parallel port 2"},
	{0x2e8, 0x2ef, "serial port COM4"},
	{0x2f8, 0x2ff, "serial port COM2"},
	{0x376, 0x376, "IDE secondary control"},
	{0x378, 0x37f, "parallel port 1"},
	{0x3b0, 0x3df, "VGA"},
	{0x3e8, 0x3ef, "serial port COM3"},
	{0x3f0, 0x3f5, "floppy"},
	{0x3f6, 0x3f6, "IDE primary control"},
	{0x3f7, 0x3f7, "floppy"},
	{0x3f8, 0x3ff, "serial port COM1"},
	{0x402, 0x402, "firmware debug console"},
	{0x4d0, 0x4d1, "PIC edge/level"},
	{0x510, 0x51b, "QEMU fw_cfg"},
	{0x604, 0x605, "ACPI PM1 control"},
	{0x608, 0x60b, "ACPI PM timer"},
	{0xb008, 0xb00b, "ACPI PM timer"},
	{0xcf8, 0xcfb, "PCI config address"},
	{0xcf9, 0xcf9, "reset control"},
	{0xcfc, 0xcff, "PCI config data"},
};

/* Exceptions (Intel SDM 3, table 6-1). */
static const struct range_name vectors[] = {
	{0, 0, "#DE divide error"},
	{1, 1, "#DB debug"},
	{2, 2, "NMI"},
	{3, 3, "#BP breakpoint"},
	{4, 4, "#OF overflow"},
	{5, 5, "#BR bound range"},
	{6, 6, "#UD invalid opcode"},
	{7, 7, "#NM no device"},
	{8, 8, "#DF double fault"},
	{10, 10, "#TS invalid TSS"},
	{11, 11, "#NP not present"},
	{12, 12, "#SS stack fault"},
	{13, 13, "#GP general protection"},
	{14, 14, "#PF page fault"},
	{16, 16, "#MF x87 error"},
	{17, 17, "#AC alignment"},
	{18, 18, "#MC machine check"},
	{19, 19, "#XM SIMD error"},
	{20, 20, "#VE virtualization"},
	{21, 21, "#CP control protection"},
};

/* Interrupts of a Linux (irq_vectors.h); what lies below is given to devices. HOST_PREFIX is cut
 * off for guests. */
#define HOST_PREFIX "host: "
static const struct range_name host_vectors[] = {
	{0xec, 0xec, "host: local timer"},
	{0xf2, 0xf2, "host: posted interrupt"},
	{0xf6, 0xf6, "host: IRQ work"},
	{0xf7, 0xf7, "host: x86 platform IPI"},
	{0xf8, 0xf8, "host: reboot"},
	{0xfa, 0xfa, "host: thermal"},
	{0xfb, 0xfb, "host: call of a function, one CPU"},
	{0xfc, 0xfc, "host: call of a function"},
	{0xfd, 0xfd, "host: reschedule"},
	{0xfe, 0xfe, "host: APIC error"},
	{0xff, 0xff, "host: spurious"},
};

/* CPUID leaves (Intel SDM 2, CPUID; AMD APM 3, appendix E; KVM's cpuid.rst; our own). */
static const struct range_name leaves[] = {
	{0x0, 0, "vendor, highest leaf"},
	{0x1, 0x1, "family, features"},
	{0x2, 0x2, "caches, TLBs"},
	{0x4, 0x4, "cache parameters"},
	{0x5, 0x5, "MONITOR/MWAIT"},
	{0x6, 0x6, "power, thermal"},
	{0x7, 0x7, "extended features"},
	{0xa, 0xa, "performance monitoring"},
	{0xb, 0xb, "topology"},
	{0xd, 0xd, "XSAVE state"},
	{0xf, 0xf, "RDT monitoring"},
	{0x10, 0x10, "RDT allocation"},
	{0x12, 0x12, "SGX"},
	{0x14, 0x14, "processor trace"},
	{0x15, 0x15, "TSC frequency"},
	{0x16, 0x16, "CPU frequency"},
	{0x1d, 0x1e, "AMX tiles"},
	{0x1f, 0x1f, "topology, V2"},
	{0x40000000, 0x40000000, "hypervisor vendor"},
	{0x40000001, 0x400000ff, "hypervisor features"},
	{0x4ffffffc, 0x4ffffffc, "exitscope: cycles of a reason"},
	{0x4ffffffd, 0x4ffffffd, "exitscope: exits of a reason"},
	{0x4ffffffe, 0x4ffffffe, "exitscope: cycles"},
	{0x4fffffff, 0x4fffffff, "exitscope: exits"},
	{0x80000000, 0x80000000, "highest extended leaf"},
	{0x80000001, 0x80000001, "extended features"},
	{0x80000002, 0x80000004, "brand string"},
	{0x80000006, 0x80000006, "L2 cache"},
	{0x80000007, 0x80000007, "invariant TSC"},
	{0x80000008, 0x80000008, "address sizes"},
	{0x8000000a, 0x8000000a, "SVM"},
	{0x8000001d, 0x8000001d, "cache properties"},
	{0x8000001e, 0x8000001e, "topology"},
	{0x8000001f, 0x8000001f, "encrypted memory"},
};

/*
 * KVM's hypercalls (Documentation/virt/kvm/x86/hypercalls.rst), and those that Xen has for guests
 * like KVM's (include/xen/interface/xen.h). Both have their number in RAX; Hyper-V's is in RCX,
 * which is not recorded (hypercalls.h), and RAX is whatever the guest left there.
 */
#define OTHER_HYPERCALL "not KVM's or Xen's (Hyper-V's are in RCX)"

static const struct range_name hypercalls[] = {
	{1, 1, "KVM_HC_VAPIC_POLL_IRQ"},  {5, 5, "KVM_HC_KICK_CPU"},
	{9, 9, "KVM_HC_CLOCK_PAIRING"},	  {10, 10, "KVM_HC_SEND_IPI"},
	{11, 11, "KVM_HC_SCHED_YIELD"},	  {12, 12, "KVM_HC_MAP_GPA_RANGE, or Xen memory_op"},
	{15, 15, "Xen set_timer_op"},	  {17, 17, "Xen xen_version"},
	{18, 18, "Xen console_io"},	  {20, 20, "Xen grant_table_op"},
	{24, 24, "Xen vcpu_op"},	  {29, 29, "Xen sched_op"},
	{32, 32, "Xen event_channel_op"}, {33, 33, "Xen physdev_op"},
	{34, 34, "Xen hvm_op"},
};

/* Pages that a PC has at fixed addresses. */
static const struct range_name addresses[] = {
	{0xa0000, 0xbffff, "VGA memory"},	{0xfec00000, 0xfec00fff, "I/O APIC"},
	{0xfed00000, 0xfed003ff, "HPET"},	{0xfed40000, 0xfed44fff, "TPM"},
	{0xfee00000, 0xfee00fff, "local APIC"},
};

static const char *in_ranges(const struct range_name *range, size_t count, int64_t value)
{
	for (size_t i = 0; i < count; i++)
		if (value == range[i].low || (value > range[i].low && value <= range[i].high))
			return range[i].name;
	return NULL;
}

static const char *msr_name(int64_t number)
{
	size_t low = 0, high = COUNT(msr_names);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (msr_names[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < COUNT(msr_names) && msr_names[low].number == number)
		return msr_names[low].name;
	return in_ranges(other_msrs, COUNT(other_msrs), number);
}

/* What kind of key a reason has, whichever the architecture. */
enum key_kind {
	K_NONE,
	K_VECTOR,
	K_HOST_VECTOR,
	K_LEAF,
	K_HYPERCALL,
	K_CR,
	K_PORT,
	K_MSR,
	K_ADDRESS
};

static const struct {
	int64_t vmx, svm_low, svm_high; /* -1: not there */
	enum key_kind kind;
} kinds[] = {
	{0, 0x40, 0x5f, K_VECTOR},     {1, -1, -1, K_HOST_VECTOR}, {10, 0x72, 0x72, K_LEAF},
	{18, 0x81, 0x81, K_HYPERCALL}, {28, 0x00, 0x1f, K_CR},	   {30, 0x7b, 0x7b, K_PORT},
	{31, 0x7c, 0x7c, K_MSR},       {32, 0x7c, 0x7c, K_MSR},	   {48, 0x400, 0x400, K_ADDRESS},
	{49, 0x400, 0x400, K_ADDRESS}, {84, -1, -1, K_MSR},	   {85, -1, -1, K_MSR},
};

static enum key_kind kind_of(int isa, int64_t reason)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (isa == 1 ? reason == kinds[i].vmx
			     : reason >= kinds[i].svm_low && reason <= kinds[i].svm_high)
			return kinds[i].kind;
	return K_NONE;
}

/* CR registers: what a change of them is about (Intel SDM 3, 2.5). */
static const char *const control_registers[] = {
	[0] = "mode: PE, PG, CD, TS, WP",
	[3] = "page table, PCID",
	[4] = "features: PAE, PGE, SMEP, OSXSAVE",
	[8] = "task priority",
};

/* A key of @kind; NULL: none that is known. */
static const char *name_of_key(enum key_kind kind, int64_t key, int64_t aux)
{
	const char *name;

	switch (kind) {
	case K_VECTOR:
		return in_ranges(vectors, COUNT(vectors), key);
	case K_HOST_VECTOR:
		return in_ranges(host_vectors, COUNT(host_vectors), key);
	case K_LEAF:
		return in_ranges(leaves, COUNT(leaves), key);
	case K_HYPERCALL:
		name = in_ranges(hypercalls, COUNT(hypercalls), key);

		return name ? name : OTHER_HYPERCALL;
	case K_CR:
		if (key < 0 || key >= (int64_t)COUNT(control_registers) || aux >= 2)
			return NULL;
		return control_registers[key];
	case K_PORT:
		return in_ranges(ports, COUNT(ports), key);
	case K_MSR:
		return msr_name(key);
	case K_ADDRESS:
		return in_ranges(addresses, COUNT(addresses), key);
	case K_NONE:
		break;
	}

	return NULL;
}

const char *meaning_of_key(int isa, int64_t reason, int64_t key, int64_t aux, char *text,
			   size_t bytes)
{
	const char *name = name_of_key(kind_of(isa, reason), key, aux);

	if (!name)
		return NULL;
	snprintf(text, bytes, "%s", name);
	return text;
}

bool meaning_is_address(int isa, int64_t reason)
{
	return kind_of(isa, reason) == K_ADDRESS;
}

bool meaning_is_hypercall(int isa, int64_t reason)
{
	return kind_of(isa, reason) == K_HYPERCALL;
}

const char *meaning_of_address(uint64_t address, uint64_t *first, uint64_t *last)
{
	for (size_t i = 0; i < COUNT(addresses); i++) {
		*first = (uint64_t)addresses[i].low;
		*last = (uint64_t)addresses[i].high;
		if (address >= *first && address <= *last)
			return addresses[i].name;
	}
	return NULL;
}

const char *meaning_of_guest_vector(int vector)
{
	const char *name = in_ranges(vectors, COUNT(vectors), vector);

	if (name)
		return name;
	name = in_ranges(host_vectors, COUNT(host_vectors), vector);
	return name ? name + strlen(HOST_PREFIX) : NULL;
}
