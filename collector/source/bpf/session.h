/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session.h - the BPF programs in the kernel, their rings and their clock
 *
 *	bpf_session_open()	loads and attaches: exits are recorded from now on
 *	bpf_session_tick()	many times a second: clock, rings for new vCPUs
 *	bpf_session_close()	nothing is left in the kernel, nor after SIGKILL
 *
 * RETURN VALUES: 0 or -errno with words in @fault.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_BPF_SESSION_H
#define EXITSCOPE_COLLECTOR_SOURCE_BPF_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/host/fault.h"
#include "collector/source/bpf/bpf.h"
#include "collector/source/bpf/kernel/hists.h"
#include "kvm/uapi/kvm_exit_ring.h"

/* BPF_TICK_NS: time between two ticks. */
#define BPF_TICK_NS 10000000

struct bpf_session;

int bpf_session_open(const struct bpf_options *options, struct bpf_session **session,
		     struct fault *fault);

/* @now_ns: CLOCK_MONOTONIC */
void bpf_session_tick(struct bpf_session *session, int64_t now_ns);

/* Becomes readable when a vCPU is created: it is time for a tick. */
int bpf_session_fd(const struct bpf_session *session);

/* Rings that were made so far: their indices are 0 to that minus 1. */
uint32_t bpf_session_rings(const struct bpf_session *session);

/* The head of ring @index; its ring_id is not 0 once a vCPU has taken it. */
const struct kvm_exit_ring_meta *bpf_session_meta(const struct bpf_session *session,
						  uint32_t index);

/* The descriptor to map ring @index with; the session's. */
int bpf_session_ring_fd(const struct bpf_session *session, uint32_t index);

/* Whether the VM whose vCPU has taken ring @index is asked for. */
bool bpf_session_selects(const struct bpf_session *session, uint32_t index);

/* It is not: its vCPU is ignored from now on, and the ring, as if nobody had it, used again. */
int bpf_session_ignore(struct bpf_session *session, uint32_t index);

/* With counts_only: the histograms of ring @index, which its vCPU writes at any time; else NULL. */
const struct bpf_hists *bpf_session_hists(const struct bpf_session *session, uint32_t index);

/* Nothing is recorded any more: totals and histograms stand still, with the last exit open. */
void bpf_session_stop(struct bpf_session *session);

/* Gives a ring back whose vCPU is gone and which is read; nobody has it mapped any more. */
void bpf_session_recycle(struct bpf_session *session, uint32_t index);

/* What was not seen so far; see struct bpf_losses. */
struct bpf_session_losses {
	uint64_t no_place;
	uint64_t no_ring;
	uint64_t no_thread;
	uint64_t no_entry;
	uint64_t missed_runs; /* of BPF programs that the kernel skipped (recursion_misses) */
};

void bpf_session_losses(const struct bpf_session *session, struct bpf_session_losses *losses);

/* Memory of all rings, in bytes, and the most that they may have. */
uint64_t bpf_session_ring_bytes(const struct bpf_session *session, uint64_t *most);

/* Whether a vCPU had to wait for a ring because all of them take @limit bytes already. */
bool bpf_session_is_full(const struct bpf_session *session, uint64_t *limit);

void bpf_session_close(struct bpf_session *session);

#endif
