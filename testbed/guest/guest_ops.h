/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guest_ops.h - guest programs: each repeats one operation ESI times, then writes a byte to
 * GUEST_DONE_PORT. Position-independent, in 16-bit real mode and in long mode.
 * EDI holds the address that mmio_read, mmio_write, touch and leaves use.
 */
#ifndef TESTBED_GUEST_GUEST_OPS_H
#define TESTBED_GUEST_GUEST_OPS_H

#define GUEST_DONE_PORT	    0xfe
#define GUEST_OUT_PORT	    0x10  /* op out: one byte */
#define GUEST_IN_PORT	    0x12  /* op in: four bytes */
#define GUEST_MSR	    0x277 /* ops rdmsr and wrmsr: IA32_PAT */
#define GUEST_CPUID_LEAF    1	  /* op cpuid */
#define GUEST_CPUID_SUBLEAF 5
#define GUEST_HYPERCALL	    0x7777 /* ops vmcall and vmmcall: none that exists */

#ifndef __ASSEMBLER__
#include <stdint.h>

/* One row of the table that guest_ops.S makes; the last has name NULL. */
struct guest_op {
	const char *name;
	const char *what; /* what it does and which exits that brings about */
	const uint8_t *real, *real_end;
	const uint8_t *long_mode, *long_mode_end;
};

extern const struct guest_op guest_ops[];

/* What op leaves works on, an array at EDI: it fills in the four results. */
struct guest_leaf {
	uint32_t leaf, subleaf;
	uint32_t eax, ebx, ecx, edx;
};

#endif
#endif
