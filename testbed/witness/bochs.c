// SPDX-License-Identifier: GPL-2.0-only
/*
 * bochs.c - the witness inside Bochs: LD_PRELOAD for bochs-bin
 *
 * HOW IT WORKS. Debian builds Bochs with instrumentation stubs, empty functions which Bochs
 * calls at certain points. Each is one RET, since Debian 13 after an ENDBR64, in 16 bytes of its
 * own; Bochs calls them directly, so that no library can take their place by name. Here three are
 * overwritten by a jump:
 *
 *   bx_instr_initialize(cpu)
 *	a CPU is made
 *   bx_instr_vmexit(cpu, reason, qualification)
 *	first act of VMexit(), through which every VM exit goes: the TSC, the guest's registers
 *   bx_instr_tlb_cntrl(cpu, CONTEXT_SWITCH, 0)
 *	last act of loading the host's state (an exit: the VMCS is complete) or the guest's
 *	(an entry)
 *
 * All else is read with Bochs' own exported functions; no offset of its structures is used.
 */
#include "testbed/witness/writer.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

/* A stub as the compiler made it: its code, then padding up to the next multiple of 16. */
#define STUB_ALIGN 16U
static const uint8_t ret[] = {0xc3};
static const uint8_t endbr64_ret[] = {0xf3, 0x0f, 0x1e, 0xfa, 0xc3};

/* VMCS fields, SDM vol. 3, appendix B */
#define MSR_BITMAP	       0x2004
#define GUEST_PHYSICAL_ADDRESS 0x2400
#define INTR_INFO	       0x4404
#define INTR_ERROR_CODE	       0x4406
#define IDT_VECTORING_INFO     0x4408
#define GUEST_CR3	       0x6802
#define GUEST_RIP	       0x681e

/* Numbers of bx_dbg_get_reg32_value() */
#define BX_EAX 0U
#define BX_ECX 1U

/* What Bochs calls the things that are used here, in all versions that were tried. */
#define INITIALIZE	 "_Z19bx_instr_initializej"
#define VMEXIT		 "_Z15bx_instr_vmexitjjm"
#define TLB_CNTRL	 "_Z18bx_instr_tlb_cntrljjm"
#define CONTEXT_SWITCH	 14 /* BX_INSTR_CONTEXT_SWITCH of instrument.h */
#define LOAD_GUEST_STATE "_ZN8BX_CPU_C26VMenterLoadCheckGuestStateEPm"
#define GET_TSC		 "_ZN8BX_CPU_C7get_TSCEv"
#define VMREAD32	 "_ZN8BX_CPU_C8VMread32Ej"
#define VMREAD64	 "_ZN8BX_CPU_C8VMread64Ej"
#define GET_REG32	 "_Z22bx_dbg_get_reg32_valuej"

/*
 * Bochs exports no version, but 3.0 alone links traces: it runs one of at most 32 instructions, and
 * then brings the TSC forward.
 */
#define LINK_TRACE "_ZN8BX_CPU_C9linkTraceEP15bxInstruction_c"
#define TRACE_MOST 32U

static void ***cpus;	      /* BX_CPU_C **bx_cpu_array */
static unsigned int *dbg_cpu; /* the CPU that get_reg32() reads */
static uint64_t (*get_tsc)(void *cpu);
static uint32_t (*vmread32)(void *cpu, unsigned int field);
static uint64_t (*vmread64)(void *cpu, unsigned int field);
static uint32_t (*get_reg32)(unsigned int reg);
static void *load_guest_state;

/* Of each CPU: its present stay in guest mode, and how far that is. */
static struct {
	enum { IN_HOST, IN_GUEST, EXITING } state;
	struct witness_exit exit;
} stays[WITNESS_MAX_CPUS];

/* Bochs makes its CPUs one by one, before the first instruction. */
static void on_initialize(unsigned int cpu)
{
	if (cpu >= WITNESS_MAX_CPUS)
		witness_fail("CPU %u: at most %u CPUs are observed", cpu, WITNESS_MAX_CPUS);

	witness_describe(true, dlsym(RTLD_DEFAULT, LINK_TRACE) ? TRACE_MOST : 0, cpu + 1);
}

static uint32_t guest_register(unsigned int cpu, unsigned int reg)
{
	unsigned int before = *dbg_cpu;
	uint32_t value;

	*dbg_cpu = cpu;
	value = get_reg32(reg);
	*dbg_cpu = before;
	return value;
}

/* At the head of VMexit(), before anything is saved: the general registers are the guest's. */
static void on_vmexit(unsigned int cpu, unsigned int reason, uint64_t qualification)
{
	struct witness_exit *exit = &stays[cpu].exit;
	bool refused = reason >> 31;

	/* A refused entry never was one: no stay has begun. */
	if (stays[cpu].state != (refused ? IN_HOST : IN_GUEST))
		witness_unpaired();

	exit->exit_tsc = get_tsc((*cpus)[cpu]);
	exit->cpu = cpu;
	exit->reason = reason;
	exit->info1 = qualification;
	exit->eax = guest_register(cpu, BX_EAX);
	exit->ecx = guest_register(cpu, BX_ECX);
	stays[cpu].state = EXITING;
}

/*
 * Is @caller in the function that loads the guest's state? The return from system management
 * mode reports a context switch, too.
 */
static bool is_entry(void *caller)
{
	static void *known; /* there is one such call in that function */
	Dl_info info;

	if (caller != known && dladdr(caller, &info) && info.dli_saddr == load_guest_state)
		known = caller;
	return caller == known;
}

static void on_entry(unsigned int cpu)
{
	if (stays[cpu].state == IN_GUEST)
		witness_unpaired();

	stays[cpu].exit.entry_tsc = get_tsc((*cpus)[cpu]);
	stays[cpu].state = IN_GUEST;
}

/* The host's state is loaded: the VMCS says all about the exit, and is still the current one. */
static void on_exit_complete(unsigned int cpu)
{
	struct witness_exit *exit = &stays[cpu].exit;
	void *bochs = (*cpus)[cpu];

	exit->vm = vmread64(bochs, MSR_BITMAP);
	exit->rip = vmread64(bochs, GUEST_RIP);
	exit->info2 = vmread32(bochs, IDT_VECTORING_INFO);
	exit->gpa = vmread64(bochs, GUEST_PHYSICAL_ADDRESS);
	exit->cr3 = vmread64(bochs, GUEST_CR3);
	exit->intr_info = vmread32(bochs, INTR_INFO);
	exit->error_code = vmread32(bochs, INTR_ERROR_CODE);
	witness_append(exit);

	memset(&stays[cpu], 0, sizeof(stays[cpu]));
}

static void on_tlb_cntrl(unsigned int cpu, unsigned int what, uint64_t new_cr3)
{
	(void)new_cr3;
	if (what != CONTEXT_SWITCH)
		return;

	if (stays[cpu].state == EXITING)
		on_exit_complete(cpu);
	else if (is_entry(__builtin_return_address(0)))
		on_entry(cpu);
}

static bool is_stub(const uint8_t *function)
{
	if ((uintptr_t)function % STUB_ALIGN)
		return false;
	return !memcmp(function, ret, sizeof(ret)) ||
	       !memcmp(function, endbr64_ret, sizeof(endbr64_ret));
}

static void replace_stub(const char *name, void *to)
{
	uint8_t *function = witness_symbol(name);

	if (!is_stub(function))
		witness_fail(
			"%s: not an empty instrumentation stub (this Bochs is built otherwise than Debian's)",
			name);
	witness_replace(function, to);
}

__attribute__((constructor)) static void start(void)
{
	if (!dlsym(RTLD_DEFAULT, "bx_cpu_array"))
		return; /* not Bochs, but a program that has inherited LD_PRELOAD */

	cpus = witness_symbol("bx_cpu_array");
	dbg_cpu = witness_symbol("dbg_cpu");
	get_tsc = witness_symbol(GET_TSC);
	vmread32 = witness_symbol(VMREAD32);
	vmread64 = witness_symbol(VMREAD64);
	get_reg32 = witness_symbol(GET_REG32);
	load_guest_state = witness_symbol(LOAD_GUEST_STATE);

	witness_create(WITNESS_VMX);
	replace_stub(INITIALIZE, on_initialize);
	replace_stub(VMEXIT, on_vmexit);
	replace_stub(TLB_CNTRL, on_tlb_cntrl);
}
