// SPDX-License-Identifier: GPL-2.0-only
/*
 * fake_emulator.c - what the libraries must refuse: programs that export part of an emulator
 *
 * FAKE_BOCHS_BARE has nothing but bx_cpu_array, FAKE_BOCHS_OTHER all symbols, but instrumentation
 * functions that do something. FAKE_QEMU_BARE has no version, FAKE_QEMU_NEW one that was not
 * tried. FAKE_NOTHING is another program.
 */
#include <stdint.h>
#include <stdio.h>

#if defined(FAKE_BOCHS_BARE) || defined(FAKE_BOCHS_OTHER)
void *bx_cpu_array;
#endif

#ifdef FAKE_BOCHS_OTHER
unsigned int dbg_cpu;
volatile int calls;

#define FUNCTION(name)                                                                             \
	void name(void)                                                                            \
	{                                                                                          \
		calls++;                                                                           \
	}
FUNCTION(_Z19bx_instr_initializej)
FUNCTION(_Z15bx_instr_vmexitjjm)
FUNCTION(_Z18bx_instr_tlb_cntrljjm)
FUNCTION(_ZN8BX_CPU_C26VMenterLoadCheckGuestStateEPm)
FUNCTION(_ZN8BX_CPU_C7get_TSCEv)
FUNCTION(_ZN8BX_CPU_C8VMread32Ej)
FUNCTION(_ZN8BX_CPU_C8VMread64Ej)
FUNCTION(_Z22bx_dbg_get_reg32_valuej)
#endif

#if defined(FAKE_QEMU_BARE) || defined(FAKE_QEMU_NEW)
void *qemu_get_cpu(int index)
{
	(void)index;
	return NULL;
}
#endif

#ifdef FAKE_QEMU_NEW
void *qmp_query_version(void *error)
{
	static int64_t triple[] = {99, 1, 0};
	static void *info[] = {triple};

	(void)error;
	return info;
}
#endif

int main(void)
{
	puts("runs");
	return 0;
}
