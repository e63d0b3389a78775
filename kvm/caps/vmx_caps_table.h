/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmx_caps_table.h - what the VMX capability MSRs 0x480 to 0x493 say, bit by bit
 *
 * Data for the kernel module and for user space alike. Names and bits follow
 * Intel SDM 325462-091US (March 2026), volume 3: chapter "Virtual Machine Control
 * Structures" for the controls, appendix A for the MSRs, appendix C for the exit
 * reasons. Bits that only older editions name are marked "older". The controls
 * were compared with a text of that chapter, most bits of EPT, VPID and the
 * miscellaneous data with Xen; appendix A itself was not at hand.
 *
 * Include it in one .c file of a program: the tables are static.
 */
#ifndef VMX_CAPS_TABLE_H
#define VMX_CAPS_TABLE_H

#include <linux/types.h>

#define VMX_CAPS_SDM "Intel SDM 325462-091US (March 2026)"

/* The MSRs are numbered without a hole; index n of an array is 0x480 + n. */
#define VMX_CAPS_FIRST_MSR 0x480
#define VMX_CAPS_MSRS	   20

/* What one CPU answered. */
struct vmx_caps_cpu {
	__u64 value[VMX_CAPS_MSRS]; /* valid where the MSR's bit in @read is set, else 0 */
	__u32 read;		    /* bit n: RDMSR of 0x480 + n gave a value */
};

/* How the bits of a word are to be read. */
enum vmx_cap_kind {
	VMX_CAP_CONTROLS,   /* 32 controls. Bit X set: X can't be 0. Bit 32 + X set: X can be 1 */
	VMX_CAP_CONTROLS64, /* 64 controls. Bit X set: X can be 1. Every one can be 0 */
	VMX_CAP_FIXED,	    /* A control register: bit X set in this MSR: X can't be 0; clear in
			     * the next MSR: X can't be 1
			     */
	VMX_CAP_FACTS,	    /* No controls: yes or no per bit, or a number of several bits */
};

#define VMX_CAP_END 0xff /* ends a list of exit reasons */

/* One control, or one fact. */
struct vmx_cap_bit {
	__u8 bit;	     /* lowest bit in the word, 0 to 63 */
	__u8 width;	     /* number of bits; more than 1: it is a number */
	const char *name;    /* the SDM's name */
	const __u8 *brings;  /* basic exit reasons that it brings about, or NULL */
	const __u8 *enables; /* basic exit reasons that need it and another control, or NULL */
};

/* A vector of controls, or an MSR of facts. */
struct vmx_cap_word {
	const char *name;
	__u16 msr;	 /* the MSR that describes it; VMX_CAP_FIXED: this one and the next */
	__u16 true_msr;	 /* takes its place where IA32_VMX_BASIC bit 55 is set; 0: none */
	__u16 gate_msr;	 /* the MSR exists if this one (0: always) has ... */
	__u64 gate_mask; /* ... any of these bits */
	enum vmx_cap_kind kind;
	const struct vmx_cap_bit *bits;
	__u32 n_bits;
	__u64 reserved; /* bits that may be 0 and 1 and control nothing */
};

#define VMX_CAP_REASONS(...) ((const __u8[]){__VA_ARGS__, VMX_CAP_END})
#define VMX_CAP(nr, text)                                                                          \
	{                                                                                          \
		.bit = (nr), .width = 1, .name = (text)                                            \
	}
#define VMX_CAP_NUM(nr, n, text)                                                                   \
	{                                                                                          \
		.bit = (nr), .width = (n), .name = (text)                                          \
	}
#define VMX_CAP_EXITS(nr, text, ...)                                                               \
	{                                                                                          \
		.bit = (nr), .width = 1, .name = (text), .brings = VMX_CAP_REASONS(__VA_ARGS__)    \
	}
#define VMX_CAP_ENABLES(nr, text, ...)                                                             \
	{                                                                                          \
		.bit = (nr), .width = 1, .name = (text), .enables = VMX_CAP_REASONS(__VA_ARGS__)   \
	}

static const char *const vmx_cap_msr_names[VMX_CAPS_MSRS] = {
	"IA32_VMX_BASIC",	    "IA32_VMX_PINBASED_CTLS",	   "IA32_VMX_PROCBASED_CTLS",
	"IA32_VMX_EXIT_CTLS",	    "IA32_VMX_ENTRY_CTLS",	   "IA32_VMX_MISC",
	"IA32_VMX_CR0_FIXED0",	    "IA32_VMX_CR0_FIXED1",	   "IA32_VMX_CR4_FIXED0",
	"IA32_VMX_CR4_FIXED1",	    "IA32_VMX_VMCS_ENUM",	   "IA32_VMX_PROCBASED_CTLS2",
	"IA32_VMX_EPT_VPID_CAP",    "IA32_VMX_TRUE_PINBASED_CTLS", "IA32_VMX_TRUE_PROCBASED_CTLS",
	"IA32_VMX_TRUE_EXIT_CTLS",  "IA32_VMX_TRUE_ENTRY_CTLS",	   "IA32_VMX_VMFUNC",
	"IA32_VMX_PROCBASED_CTLS3", "IA32_VMX_EXIT_CTLS2",
};

/* A.1 */
static const struct vmx_cap_bit vmx_basic_bits[] = {
	VMX_CAP_NUM(0, 31, "VMCS revision identifier"),
	VMX_CAP_NUM(32, 13, "Bytes of a VMXON region or VMCS"),
	VMX_CAP(48, "Physical addresses limited to 32 bits"),
	VMX_CAP_EXITS(49, "Dual-monitor treatment of SMM", 5, 6, 17),
	VMX_CAP_NUM(50, 4, "Memory type of a VMCS (0 uncacheable, 6 write back)"),
	VMX_CAP(54, "Instruction information for INS and OUTS exits"),
	VMX_CAP(55, "True control MSRs"),
	VMX_CAP(56, "Exceptions injected with or without an error code"),
	VMX_CAP(58, "Nested exceptions (FRED)"),
};

/* A.3.1 */
static const struct vmx_cap_bit vmx_pin_bits[] = {
	VMX_CAP_EXITS(0, "External-interrupt exiting", 1),
	VMX_CAP(3, "NMI exiting"), /* reason 0, which exceptions bring about as well */
	VMX_CAP_ENABLES(5, "Virtual NMIs", 8),
	VMX_CAP_EXITS(6, "Activate VMX-preemption timer", 52),
	VMX_CAP(7, "Process posted interrupts"),
};

/*
 * A.3.2. Reasons that occur with any controls (0, 28, 31, 32, ...) stand
 * at the control that rules them, and in vmx_cap_unconditional below.
 */
static const struct vmx_cap_bit vmx_proc_bits[] = {
	VMX_CAP_EXITS(2, "Interrupt-window exiting", 7),
	VMX_CAP(3, "Use TSC offsetting"),
	VMX_CAP_EXITS(7, "HLT exiting", 12),
	VMX_CAP_EXITS(9, "INVLPG exiting", 14, 58),
	VMX_CAP_EXITS(10, "MWAIT exiting", 36),
	VMX_CAP_EXITS(11, "RDPMC exiting", 15),
	VMX_CAP_EXITS(12, "RDTSC exiting", 16, 51, 67, 68),
	VMX_CAP_EXITS(15, "CR3-load exiting", 28),
	VMX_CAP_EXITS(16, "CR3-store exiting", 28),
	VMX_CAP(17, "Activate tertiary controls"),
	VMX_CAP_EXITS(19, "CR8-load exiting", 28),
	VMX_CAP_EXITS(20, "CR8-store exiting", 28),
	VMX_CAP_EXITS(21, "Use TPR shadow", 43),
	VMX_CAP_EXITS(22, "NMI-window exiting", 8),
	VMX_CAP_EXITS(23, "MOV-DR exiting", 29),
	VMX_CAP_EXITS(24, "Unconditional I/O exiting", 30),
	VMX_CAP_EXITS(25, "Use I/O bitmaps", 30),
	VMX_CAP_EXITS(27, "Monitor trap flag", 37),
	VMX_CAP_EXITS(28, "Use MSR bitmaps", 31, 32),
	VMX_CAP_EXITS(29, "MONITOR exiting", 39),
	VMX_CAP_EXITS(30, "PAUSE exiting", 40),
	VMX_CAP(31, "Activate secondary controls"),
};

/* A.3.3 */
static const struct vmx_cap_bit vmx_proc2_bits[] = {
	VMX_CAP_EXITS(0, "Virtualize APIC accesses", 44),
	VMX_CAP_EXITS(1, "Enable EPT", 48, 49),
	VMX_CAP_EXITS(2, "Descriptor-table exiting", 46, 47),
	VMX_CAP_ENABLES(3, "Enable RDTSCP", 51),
	VMX_CAP(4, "Virtualize x2APIC mode"),
	VMX_CAP(5, "Enable VPID"),
	VMX_CAP_EXITS(6, "WBINVD exiting", 54),
	VMX_CAP(7, "Unrestricted guest"),
	VMX_CAP_EXITS(8, "APIC-register virtualization", 56),
	VMX_CAP_EXITS(9, "Virtual-interrupt delivery", 45, 56),
	VMX_CAP_EXITS(10, "PAUSE-loop exiting", 40),
	VMX_CAP_EXITS(11, "RDRAND exiting", 57),
	VMX_CAP_ENABLES(12, "Enable INVPCID", 58),
	VMX_CAP_EXITS(13, "Enable VM functions", 59),
	VMX_CAP(14, "VMCS shadowing"),
	VMX_CAP_EXITS(15, "Enable ENCLS exiting", 60),
	VMX_CAP_EXITS(16, "RDSEED exiting", 61),
	VMX_CAP_EXITS(17, "Enable PML", 62),
	VMX_CAP(18, "EPT-violation #VE"),
	VMX_CAP(19, "Conceal VMX from PT"),
	VMX_CAP_EXITS(20, "Enable XSAVES/XRSTORS", 63, 64),
	VMX_CAP_EXITS(21, "PASID translation", 72, 73),
	VMX_CAP(22, "Mode-based execute control for EPT"),
	VMX_CAP_EXITS(23, "Sub-page write permissions for EPT", 66),
	VMX_CAP(24, "Intel PT uses guest physical addresses"),
	VMX_CAP(25, "Use TSC scaling"),
	VMX_CAP_ENABLES(26, "Enable user wait and pause", 67, 68),
	VMX_CAP_EXITS(27, "Enable PCONFIG", 65),
	VMX_CAP_EXITS(28, "Enable ENCLV exiting", 70), /* older */
	VMX_CAP_EXITS(30, "VMM bus-lock detection", 74),
	VMX_CAP_EXITS(31, "Instruction timeout", 75),
};

/* A.3.4 */
static const struct vmx_cap_bit vmx_proc3_bits[] = {
	VMX_CAP_EXITS(0, "LOADIWKEY exiting", 69),
	VMX_CAP(1, "Enable HLAT"),
	VMX_CAP(2, "EPT paging-write control"),
	VMX_CAP(3, "Guest-paging verification"),
	VMX_CAP(4, "IPI virtualization"),
	VMX_CAP(5, "SEAM guest-physical address width"),
	VMX_CAP_EXITS(6, "Enable MSR-list instructions", 78, 79),
	VMX_CAP(7, "Virtualize IA32_SPEC_CTRL"),
	VMX_CAP(8, "APIC-timer virtualization"),
	VMX_CAP(9, "Enable PBNDKB"),
	VMX_CAP(12, "PEBS uses guest physical addresses"),
};

/* A.4.1 */
static const struct vmx_cap_bit vmx_exit_bits[] = {
	VMX_CAP(2, "Save debug controls"),
	VMX_CAP(9, "Host address-space size"),
	VMX_CAP(12, "Load IA32_PERF_GLOBAL_CTRL"),
	VMX_CAP(15, "Acknowledge interrupt on exit"),
	VMX_CAP(18, "Save IA32_PAT"),
	VMX_CAP(19, "Load IA32_PAT"),
	VMX_CAP(20, "Save IA32_EFER"),
	VMX_CAP(21, "Load IA32_EFER"),
	VMX_CAP(22, "Save VMX-preemption timer value"),
	VMX_CAP(23, "Clear IA32_BNDCFGS"),
	VMX_CAP(24, "Conceal VMX from PT"),
	VMX_CAP(25, "Clear IA32_RTIT_CTL"),
	VMX_CAP(26, "Clear IA32_LBR_CTL"),
	VMX_CAP(27, "Clear UINV"),
	VMX_CAP(28, "Load CET state"),
	VMX_CAP(29, "Load PKRS"),
	VMX_CAP(30, "Save IA32_PERF_GLOBAL_CTL"),
	VMX_CAP(31, "Activate secondary controls"),
};

/* A.4.2 */
static const struct vmx_cap_bit vmx_exit2_bits[] = {
	VMX_CAP(0, "Save FRED"),
	VMX_CAP(1, "Load FRED"),
	VMX_CAP(2, "Load IA32_SPEC_CTRL"),
	VMX_CAP(3, "Prematurely busy shadow stack"),
};

/* A.5 */
static const struct vmx_cap_bit vmx_entry_bits[] = {
	VMX_CAP(2, "Load debug controls"),
	VMX_CAP(9, "IA-32e mode guest"),
	VMX_CAP(10, "Entry to SMM"),
	VMX_CAP(11, "Deactivate dual-monitor treatment"),
	VMX_CAP(13, "Load IA32_PERF_GLOBAL_CTRL"),
	VMX_CAP(14, "Load IA32_PAT"),
	VMX_CAP(15, "Load IA32_EFER"),
	VMX_CAP(16, "Load IA32_BNDCFGS"),
	VMX_CAP(17, "Conceal VMX from PT"),
	VMX_CAP(18, "Load IA32_RTIT_CTL"),
	VMX_CAP(19, "Load UINV"),
	VMX_CAP(20, "Load CET state"),
	VMX_CAP(21, "Load guest IA32_LBR_CTL"),
	VMX_CAP(22, "Load PKRS"),
	VMX_CAP(23, "Load FRED"),
	VMX_CAP(24, "Load IA32_SPEC_CTRL"),
	VMX_CAP(25, "Allow SEAM-guest telemetry"),
};

/* A.6 */
static const struct vmx_cap_bit vmx_misc_bits[] = {
	VMX_CAP_NUM(0, 5, "VMX-preemption timer counts when this bit of the TSC changes"),
	VMX_CAP(5, "Exits store IA32_EFER.LMA in IA-32e mode guest"),
	VMX_CAP(6, "Activity state HLT"),
	VMX_CAP(7, "Activity state shutdown"),
	VMX_CAP_EXITS(8, "Activity state wait-for-SIPI", 4),
	VMX_CAP(14, "Intel PT in VMX operation"),
	VMX_CAP(15, "RDMSR reads IA32_SMBASE in SMM"),
	VMX_CAP_NUM(16, 9, "CR3-target values"),
	VMX_CAP_NUM(25, 3, "N: at most 512 * (N + 1) MSRs in an MSR list"),
	VMX_CAP(28, "IA32_SMM_MONITOR_CTL bit 2 (VMXOFF unblocks SMIs)"),
	VMX_CAP(29, "VMWRITE to read-only fields"),
	VMX_CAP(30, "Injection with instruction length 0"),
	VMX_CAP_NUM(32, 32, "MSEG revision identifier"),
};

/* A.7; names of the bits: volume 3, section "Control Registers" */
static const struct vmx_cap_bit vmx_cr0_bits[] = {
	VMX_CAP(0, "CR0.PE"),  VMX_CAP(1, "CR0.MP"),  VMX_CAP(2, "CR0.EM"),  VMX_CAP(3, "CR0.TS"),
	VMX_CAP(4, "CR0.ET"),  VMX_CAP(5, "CR0.NE"),  VMX_CAP(16, "CR0.WP"), VMX_CAP(18, "CR0.AM"),
	VMX_CAP(29, "CR0.NW"), VMX_CAP(30, "CR0.CD"), VMX_CAP(31, "CR0.PG"),
};

/* A.8 */
static const struct vmx_cap_bit vmx_cr4_bits[] = {
	VMX_CAP(0, "CR4.VME"),	       VMX_CAP(1, "CR4.PVI"),	 VMX_CAP(2, "CR4.TSD"),
	VMX_CAP(3, "CR4.DE"),	       VMX_CAP(4, "CR4.PSE"),	 VMX_CAP(5, "CR4.PAE"),
	VMX_CAP(6, "CR4.MCE"),	       VMX_CAP(7, "CR4.PGE"),	 VMX_CAP(8, "CR4.PCE"),
	VMX_CAP(9, "CR4.OSFXSR"),      VMX_CAP(11, "CR4.UMIP"),	 VMX_CAP(12, "CR4.LA57"),
	VMX_CAP(10, "CR4.OSXMMEXCPT"), VMX_CAP(13, "CR4.VMXE"),	 VMX_CAP(14, "CR4.SMXE"),
	VMX_CAP(16, "CR4.FSGSBASE"),   VMX_CAP(17, "CR4.PCIDE"), VMX_CAP(18, "CR4.OSXSAVE"),
	VMX_CAP(19, "CR4.KL"),	       VMX_CAP(20, "CR4.SMEP"),	 VMX_CAP(21, "CR4.SMAP"),
	VMX_CAP(22, "CR4.PKE"),	       VMX_CAP(23, "CR4.CET"),	 VMX_CAP(24, "CR4.PKS"),
	VMX_CAP(25, "CR4.UINTR"),      VMX_CAP(27, "CR4.LASS"),	 VMX_CAP(28, "CR4.LAM_SUP"),
	VMX_CAP(32, "CR4.FRED"),
};

/* A.9 */
static const struct vmx_cap_bit vmx_enum_bits[] = {
	VMX_CAP_NUM(1, 9, "Highest index of a VMCS field"),
};

/* A.10 */
static const struct vmx_cap_bit vmx_ept_vpid_bits[] = {
	VMX_CAP(0, "EPT execute-only translations"),
	VMX_CAP(6, "EPT page-walk length 4"),
	VMX_CAP(7, "EPT page-walk length 5"),
	VMX_CAP(8, "EPT structures uncacheable"),
	VMX_CAP(14, "EPT structures write back"),
	VMX_CAP(16, "EPT 2-MByte pages"),
	VMX_CAP(17, "EPT 1-GByte pages"),
	VMX_CAP(20, "INVEPT"),
	VMX_CAP(21, "EPT accessed and dirty flags"),
	VMX_CAP(22, "Advanced exit information for EPT violations"),
	VMX_CAP(23, "EPT supervisor shadow-stack control"),
	VMX_CAP(25, "INVEPT single-context"),
	VMX_CAP(26, "INVEPT all-context"),
	VMX_CAP(32, "INVVPID"),
	VMX_CAP(40, "INVVPID individual-address"),
	VMX_CAP(41, "INVVPID single-context"),
	VMX_CAP(42, "INVVPID all-context"),
	VMX_CAP(43, "INVVPID single-context-retaining-globals"),
	VMX_CAP_NUM(48, 6, "Largest HLAT prefix size"),
};

/* A.11 */
static const struct vmx_cap_bit vmx_func_bits[] = {
	VMX_CAP(0, "EPTP switching"),
};

#define VMX_CAP_BITS(array) .bits = (array), .n_bits = sizeof(array) / sizeof((array)[0])

static const struct vmx_cap_word vmx_cap_words[] = {
	{"basic information", 0x480, 0, 0, 0, VMX_CAP_FACTS, VMX_CAP_BITS(vmx_basic_bits)},
	{"pin-based VM-execution controls", 0x481, 0x48d, 0, 0, VMX_CAP_CONTROLS,
	 VMX_CAP_BITS(vmx_pin_bits)},
	{"primary processor-based VM-execution controls", 0x482, 0x48e, 0, 0, VMX_CAP_CONTROLS,
	 VMX_CAP_BITS(vmx_proc_bits)},
	{"secondary processor-based VM-execution controls", 0x48b, 0, 0x482, 1ULL << 63,
	 VMX_CAP_CONTROLS, VMX_CAP_BITS(vmx_proc2_bits)},
	{"tertiary processor-based VM-execution controls", 0x492, 0, 0x482, 1ULL << 49,
	 VMX_CAP_CONTROLS64, VMX_CAP_BITS(vmx_proc3_bits)},
	{"VM functions", 0x491, 0, 0x48b, 1ULL << 45, VMX_CAP_CONTROLS64,
	 VMX_CAP_BITS(vmx_func_bits)},
	{"primary VM-exit controls", 0x483, 0x48f, 0, 0, VMX_CAP_CONTROLS,
	 VMX_CAP_BITS(vmx_exit_bits)},
	{"secondary VM-exit controls", 0x493, 0, 0x483, 1ULL << 63, VMX_CAP_CONTROLS64,
	 VMX_CAP_BITS(vmx_exit2_bits)},
	{"VM-entry controls", 0x484, 0x490, 0, 0, VMX_CAP_CONTROLS, VMX_CAP_BITS(vmx_entry_bits)},
	{"EPT and VPID capabilities", 0x48c, 0, 0x48b, 1ULL << 33 | 1ULL << 37, VMX_CAP_FACTS,
	 VMX_CAP_BITS(vmx_ept_vpid_bits)},
	{"miscellaneous data", 0x485, 0, 0, 0, VMX_CAP_FACTS, VMX_CAP_BITS(vmx_misc_bits)},
	{"CR0 in VMX operation", 0x486, 0, 0, 0, VMX_CAP_FIXED, VMX_CAP_BITS(vmx_cr0_bits),
	 .reserved = 0x1ffaffc0},
	{"CR4 in VMX operation", 0x488, 0, 0, 0, VMX_CAP_FIXED, VMX_CAP_BITS(vmx_cr4_bits)},
	{"VMCS enumeration", 0x48a, 0, 0, 0, VMX_CAP_FACTS, VMX_CAP_BITS(vmx_enum_bits)},
};

#define VMX_CAP_WORDS (sizeof(vmx_cap_words) / sizeof(vmx_cap_words[0]))

/*
 * Basic exit reasons that no control turns off (SDM volume 3, "Instructions That
 * Cause VM Exits Unconditionally" and "Other Causes of VM Exits"): exceptions by
 * the exception bitmap, CR0 and CR4 by their masks, MSRs outside the bitmaps.
 */
static const __u8 vmx_cap_unconditional[] = {
	0,  2,	3,  9,	10, 11, 13, 18, 19, 20, 21, 22, 23,	     24,
	25, 26, 27, 28, 31, 32, 33, 34, 41, 50, 53, 55, VMX_CAP_END,
};

/*
 * Those that no control turns off where the instruction exists (SEAMCALL, TDCALL,
 * URDMSR, UWRMSR, RDMSR and WRMSRNS with an immediate), about which the capability
 * MSRs say nothing.
 */
static const __u8 vmx_cap_instruction[] = {76, 77, 80, 81, 84, 85, VMX_CAP_END};

#endif
