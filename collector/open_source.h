/* SPDX-License-Identifier: GPL-2.0-only */
/* open_source.h - opens the source of records that the command line chose */
#ifndef EXITSCOPE_COLLECTOR_OPEN_SOURCE_H
#define EXITSCOPE_COLLECTOR_OPEN_SOURCE_H

#include "collector/host/fault.h"
#include "collector/options.h"
#include "collector/source/source.h"

/*
 * Opens a file, /dev/kvm_exit_ring, the BPF programs or tracefs; source_close() closes it.
 * Returns 0, or -errno with words in @fault, also for a --vm that this source can't find.
 */
int open_source(const struct options *o, struct source **source, struct fault *fault);

#endif
