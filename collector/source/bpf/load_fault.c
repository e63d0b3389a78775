// SPDX-License-Identifier: GPL-2.0-only
/* load_fault.c - why BPF programs could not be loaded; see load_fault.h */
#include "collector/source/bpf/load_fault.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "collector/host/fault.h"

static char first_warning[256];

static int keep_warning(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_WARN && !*first_warning) {
		vsnprintf(first_warning, sizeof(first_warning), format, args);
		first_warning[strcspn(first_warning, "\n")] = '\0';
	}
	return 0;
}

void load_fault_watch(void)
{
	libbpf_set_print(keep_warning);
	*first_warning = '\0';
}

int load_fault(struct fault *fault, int rc)
{
	if (rc == -EPERM || rc == -EACCES)
		return fault_set(
			fault, rc,
			"bpf: the kernel refuses bpf() although the capabilities are there (in a container: run it outside, or with --privileged)");
	return fault_set(fault, rc, "bpf: can't load the programs: %s%s%s", strerror(-rc),
			 *first_warning ? ": " : "", first_warning);
}
