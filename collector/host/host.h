/* SPDX-License-Identifier: GPL-2.0-only */
/* host.h - describes this machine for table run */
#ifndef EXITSCOPE_COLLECTOR_HOST_HOST_H
#define EXITSCOPE_COLLECTOR_HOST_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/host/run_info.h"

/* Fills in all texts but label and command, the ISA and the start (TSC and clock). */
void host_describe(struct run_info *info);

/*
 * KVM_EXIT_ISA_VMX or _SVM, by the CPU (CPUID 0x80000001, ECX bit 2): a kernel with KVM built in
 * shows both vendors in /sys/module.
 */
uint32_t host_isa(void);

/* CLOCK_REALTIME in ns since 1970. */
int64_t host_realtime_ns(void);

/* CLOCK_MONOTONIC in ns. */
int64_t host_monotonic_ns(void);

/* The TSC now, in cycles. */
uint64_t host_tsc(void);

/*
 * The TSC's frequency in kHz, measured against CLOCK_MONOTONIC_RAW for 20 ms
 * (good to about 0.1 %): for runs in which no ring has the kernel's value.
 */
uint32_t host_measure_tsc_khz(void);

/*
 * Whether a stock kvm-intel.ko or kvm-amd.ko has made vCPUs on a kvm.ko with the exit
 * ring, which are then neither counted nor recorded (parameter stock_vendor of kvm.ko).
 */
bool host_stock_vendor(void);

/* Whether kvm.ko was loaded with hooks=0: it counts and records nothing, and has no device. */
bool host_hooks_off(void);

/* Whether a thread runs or waits for a CPU (state R of proc(5)); false: it sleeps, or is gone. */
bool host_thread_runs(uint32_t tid);

/* Reads the name of process @pid into @comm; empty when it is gone. */
void host_comm(uint32_t pid, char *comm, int bytes);

#endif
