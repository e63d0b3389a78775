/* SPDX-License-Identifier: GPL-2.0-only */
/* device.h - records from the rings of the device */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_DEVICE_H
#define EXITSCOPE_COLLECTOR_SOURCE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/source/source.h"

/* What to take from the device. */
struct device_options {
	uint32_t tgid;	/* VMs of this process only; 0: all */
	const char *vm; /* VMs with these names only, as for names_match(); NULL: all */
	bool cr3;	/* record the guest's CR3 */
};

/*
 * The rings of KVM_EXIT_RING_DEVICE: vCPUs that exist and those to come. Returns 0 or -errno with
 * words in @fault.
 */
int source_device_open(const struct device_options *options, struct source **source,
		       struct fault *fault);

#endif
