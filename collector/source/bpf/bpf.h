/* SPDX-License-Identifier: GPL-2.0-only */
/* bpf.h - records of a stock KVM, made by BPF programs */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_BPF_BPF_H
#define EXITSCOPE_COLLECTOR_SOURCE_BPF_BPF_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/source/filter.h"
#include "collector/source/source.h"

/* Limits of bpf_options.ring_records. */
#define BPF_RING_LEAST 1024U
#define BPF_RING_MOST  4194304U

/*
 * struct bpf_options - what to record
 * @tgid:	VMs of this process only; 0: all
 * @names:	VMs with these names only, as for names_match_process(); NULL: all
 * @cr3:	record guest CR3 (SVM only)
 * @counts_only: SOURCE_SUMS, no record
 * @counts_ms:	with it: how often, in ms; not 0
 * @ring_records: records per vCPU, a power of two from BPF_RING_LEAST to
 *		BPF_RING_MOST; 0: 65536, or fewer where
 *		memory is short
 * @filter:	which exits are recorded
 */
struct bpf_options {
	uint32_t tgid;
	const char *names;
	bool cr3;
	bool counts_only;
	uint32_t counts_ms;
	uint32_t ring_records;
	struct source_filter filter;
};

/*
 * Attaches to the KVM of this kernel: vCPUs that run already, from their next VM entry on,
 * and those to come.
 */
int source_bpf_open(const struct bpf_options *options, struct source **source, struct fault *fault);

/*
 * Why the programs can't run on this host, with the way out, as a text of its own; false:
 * nothing is known to be in the way. @root: "", or a folder that stands for /, for tests.
 */
bool source_bpf_lacks(const char *root, char *why, int bytes);

#endif
