/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmx_msrs.h - the VMX capability MSRs (0x480 to 0x493) of this machine's CPUs
 *
 * As text, they travel in a capture file; as rows, they go into table
 * vmx_capability. The text is that of /sys/kernel/vmx_caps/msrs, see
 * kvm/caps/vmx_caps.c: lines "CPU MSR VALUE", VALUE a number or "unreadable".
 */
#ifndef EXITSCOPE_COLLECTOR_HOST_VMX_MSRS_H
#define EXITSCOPE_COLLECTOR_HOST_VMX_MSRS_H

#include <stdint.h>
#include <stdio.h>

/* Fields as in table vmx_capability. */
struct vmx_caps_row {
	unsigned int cpu;
	unsigned int msr;
	uint64_t value; /* 0 if !valid */
	int valid;
};

/*
 * Reads the text from the module vmx_caps, or else from the msr devices
 * (/dev/cpu/N/msr). The caller frees *@text. Returns 0; -ENODEV: the CPU has no
 * VMX; -ENOENT: neither module is loaded; -EACCES, -EPERM...: no permission.
 */
int vmx_caps_read(char **text);

/* Calls @take for each line. Returns what it returns if not 0; -EPROTO for a
 * line that is not of the format.
 */
int vmx_caps_parse(const char *text, int (*take)(void *context, const struct vmx_caps_row *row),
		   void *context);

/*
 * Writes the lines of @cpu to @out. @rdmsr gets an MSR's value into *@value, or
 * returns -errno. MSRs that the CPU does not have, which the others show, are left
 * out; so is the CPU if nothing can be read, and the last error returned.
 */
int vmx_caps_write(FILE *out, unsigned int cpu,
		   int (*rdmsr)(void *context, unsigned int msr, uint64_t *value), void *context);

#endif
