// SPDX-License-Identifier: GPL-2.0-only
/* verify_equations.c - the table of the equations; each is a file of equations/ */
#include "analyzer/verify/equations.h"
#include "analyzer/verify/verify.h"

const struct equation verify_equations[] = {
	{"records", "records in the file", "totals page", "the device", equation_records},
	{"reasons", "records by reason", "totals page", "the device", equation_reasons},
	{"cycles", "cycles of the records", "cycles of the totals", "the device, no loss",
	 equation_cycles},
	{"synthesized", "synthesized records", "totals page", "shadow paging",
	 equation_synthesized},
	{"losses", "gaps in the sequence", "dropped by the ring", "the device", equation_losses},
	{"store", "records read", "roll-ups, histograms, rows", "a run", equation_store},
	{"tracefs", "real exits (totals)", "kvm_exit events", "--cross-check, tracefs",
	 equation_tracefs},
	{"match", "records of real exits", "matched with kvm_exit", "--cross-check, tracefs",
	 equation_match},
	{"open", "exits not re-entered", "kvm_exit without a record", "--cross-check, tracefs",
	 equation_open},
	{"time", "matched exits", "record >= traced interval", "--cross-check, tracefs",
	 equation_time},
	{"entries", "kvm_entry events", "kvm_exit events + VMfail", "--cross-check, tracefs",
	 equation_entries},
	{"perf_exit", "perf counter kvm_exit", "kvm_exit events", "--cross-check, perf",
	 equation_perf},
	{"perf_entry", "perf counter kvm_entry", "kvm_entry events", "--cross-check, perf",
	 equation_perf},
	{"kvm_stat", "KVM statistic exits", "totals of the VM", "--cross-check, debugfs",
	 equation_kvm_stat},
	{"kvm_stat_run", "KVM statistic exits", "real + synthesized + VMfail",
	 "--cross-check, a VM seen from its start", equation_kvm_stat_run},
	{"cpu", "exits of the CPU", "real exits (totals)", "testbed/run --judge", equation_cpu},
	{"cpu_fields", "fields that the CPU knows", "equal to the CPU's", "testbed/run --judge",
	 equation_cpu_fields},
	{"leaf", "CPUID leaf in the guest", "records up to that read", "leaf readings, all rows",
	 NULL},
	{"shape", "exits of the reason", "none", "ept=0", equation_shape},
};

const int verify_equation_count = sizeof(verify_equations) / sizeof(verify_equations[0]);
