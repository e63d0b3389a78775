/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * perf.h - counts kvm:kvm_exit and kvm:kvm_entry by perf's counters
 *
 * One counter per event and CPU: exact, without a buffer that could overflow,
 * of all VMs of the host together and without reasons. Built on libperf.
 *
 * RETURN VALUES: 0 or -errno.
 */
#ifndef EXITSCOPE_COLLECTOR_XCHECK_PERF_H
#define EXITSCOPE_COLLECTOR_XCHECK_PERF_H

#include <stdint.h>

struct xcheck_perf;

/*
 * @exit_id, @entry_id: what tracefs shows as the events' id.
 * -EACCES, -EPERM: not allowed (kernel.perf_event_paranoid, lockdown).
 */
int xcheck_perf_open(struct xcheck_perf **perf, uint32_t exit_id, uint32_t entry_id);

/* Counting begins; the call returns when it does on every CPU. */
void xcheck_perf_start(struct xcheck_perf *perf);

void xcheck_perf_stop(struct xcheck_perf *perf);

/* What was counted, over all CPUs. */
int xcheck_perf_read(struct xcheck_perf *perf, uint64_t *exits, uint64_t *entries);

void xcheck_perf_close(struct xcheck_perf *perf);

#endif
