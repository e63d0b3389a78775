/* SPDX-License-Identifier: GPL-2.0-only */
/* load_fault.h - why BPF programs could not be loaded, in words */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_BPF_LOAD_FAULT_H
#define EXITSCOPE_COLLECTOR_SOURCE_BPF_LOAD_FAULT_H

struct fault;

/* Keeps the first warning that libbpf prints from now on, and prints none. */
void load_fault_watch(void);

/* Sets @fault to what -errno @rc of bpf() or of libbpf means, with that warning. Returns @rc. */
int load_fault(struct fault *fault, int rc);

#endif
