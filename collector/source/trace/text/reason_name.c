// SPDX-License-Identifier: GPL-2.0-only
/* reason_name.c - the names of the kernel's own headers, and those of trace-cmd's plugin */
#include "collector/source/trace/text/reason_name.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <asm/kvm.h>
#include <asm/svm.h>
#include <asm/vmx.h>

#include "kvm/uapi/kvm_exit_ring.h"

struct reason {
	uint32_t number;
	const char *name;
};

#define PLUGIN_PREFIX "EXIT_"

/* <asm/vmx.h> and <asm/svm.h> have these lists for the kernel's own "print fmt". */
static const struct reason vmx_kernel[] = {VMX_EXIT_REASONS};
static const struct reason svm_kernel[] = {SVM_EXIT_REASONS};

/* Names of later kernels (6.14 to 7.3), which these headers don't have. */
static const struct reason vmx_later[] = {
	{77, "TDCALL"},
	{84, "MSR_READ_IMM"},
	{85, "MSR_WRITE_IMM"},
};
static const struct reason svm_later[] = {
	{0x0a5, "buslock"},
	{0x0a6, "idle-halt"},
};

/* libtraceevent's plugins/plugin_kvm.c, where it differs. */
static const struct reason vmx_plugin[] = {
	{7, "PENDING_INTERRUPT"},
	{41, "MCE_DURING_VMENTRY"},
	{49, "EPT_MISCONFIG"},
	{60, "PML_FULL"},
};

static const struct reason svm_plugin[] = {
	{0x000, "READ_CR0"},
	{0x003, "READ_CR3"},
	{0x004, "READ_CR4"},
	{0x008, "READ_CR8"},
	{0x010, "WRITE_CR0"},
	{0x013, "WRITE_CR3"},
	{0x014, "WRITE_CR4"},
	{0x018, "WRITE_CR8"},
	{0x020, "READ_DR0"},
	{0x021, "READ_DR1"},
	{0x022, "READ_DR2"},
	{0x023, "READ_DR3"},
	{0x024, "READ_DR4"},
	{0x025, "READ_DR5"},
	{0x026, "READ_DR6"},
	{0x027, "READ_DR7"},
	{0x030, "WRITE_DR0"},
	{0x031, "WRITE_DR1"},
	{0x032, "WRITE_DR2"},
	{0x033, "WRITE_DR3"},
	{0x034, "WRITE_DR4"},
	{0x035, "WRITE_DR5"},
	{0x036, "WRITE_DR6"},
	{0x037, "WRITE_DR7"},
	{0x040, "EXCP_BASE"},
	{0x060, "INTR"},
	{0x061, "NMI"},
	{0x062, "SMI"},
	{0x063, "INIT"},
	{0x064, "VINTR"},
	{0x065, "CR0_SEL_WRITE"},
	{0x066, "IDTR_READ"},
	{0x067, "GDTR_READ"},
	{0x068, "LDTR_READ"},
	{0x069, "TR_READ"},
	{0x06a, "IDTR_WRITE"},
	{0x06b, "GDTR_WRITE"},
	{0x06c, "LDTR_WRITE"},
	{0x06d, "TR_WRITE"},
	{0x06e, "RDTSC"},
	{0x06f, "RDPMC"},
	{0x070, "PUSHF"},
	{0x071, "POPF"},
	{0x072, "CPUID"},
	{0x073, "RSM"},
	{0x074, "IRET"},
	{0x075, "SWINT"},
	{0x076, "INVD"},
	{0x077, "PAUSE"},
	{0x078, "HLT"},
	{0x079, "INVLPG"},
	{0x07a, "INVLPGA"},
	{0x07b, "IOIO"},
	{0x07c, "MSR"},
	{0x07d, "TASK_SWITCH"},
	{0x07e, "FERR_FREEZE"},
	{0x07f, "SHUTDOWN"},
	{0x080, "VMRUN"},
	{0x081, "VMMCALL"},
	{0x082, "VMLOAD"},
	{0x083, "VMSAVE"},
	{0x084, "STGI"},
	{0x085, "CLGI"},
	{0x086, "SKINIT"},
	{0x087, "RDTSCP"},
	{0x088, "ICEBP"},
	{0x089, "WBINVD"},
	{0x08a, "MONITOR"},
	{0x08b, "MWAIT"},
	{0x08c, "MWAIT_COND"},
	{0x08d, "XSETBV"},
	{0x400, "NPF"},
	{0x401, "AVIC_INCOMPLETE_IPI"},
	{0x402, "AVIC_UNACCELERATED_ACCESS"},
	{0xffffffff, "ERR"},
};

static bool find(const struct reason *list, size_t count, const char *name, uint32_t *reason)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(list[i].name, name)) {
			*reason = list[i].number;
			return true;
		}
	}
	return false;
}

#define FIND(list, name, reason) find(list, sizeof(list) / sizeof(*(list)), name, reason)

bool reason_from_name(const char *name, uint32_t *reason, uint32_t *isa)
{
	unsigned long number;
	char *end;

	if (isdigit((unsigned char)*name)) {
		number = strtoul(name, &end, 0);
		*reason = (uint32_t)number;
		return !*end && number <= UINT32_MAX;
	}
	if (FIND(vmx_kernel, name, reason) || FIND(vmx_later, name, reason) ||
	    FIND(vmx_plugin, name, reason)) {
		*isa = KVM_EXIT_ISA_VMX;
		return true;
	}
	if (FIND(svm_kernel, name, reason) || FIND(svm_later, name, reason)) {
		*isa = KVM_EXIT_ISA_SVM;
		return true;
	}
	if (strncmp(name, PLUGIN_PREFIX, strlen(PLUGIN_PREFIX)))
		return false;
	*isa = KVM_EXIT_ISA_SVM;
	return FIND(svm_plugin, name + strlen(PLUGIN_PREFIX), reason);
}
