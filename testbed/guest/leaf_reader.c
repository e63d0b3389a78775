// SPDX-License-Identifier: GPL-2.0-only
/*
 * leaf_reader.c - reads, inside of a guest, the exit statistics that KVM gives it in CPUID leaves
 * 0x4ffffffc to 0x4fffffff, for all exit reasons. CPUID needs no privilege.
 */
#include <cpuid.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testbed/guest/options.h"

#define LEAF_TOTAL	   0x4fffffffU
#define LEAF_TOTAL_CYCLES  0x4ffffffeU
#define LEAF_REASON	   0x4ffffffdU
#define LEAF_REASON_CYCLES 0x4ffffffcU
#define REASONS		   128U
#define NOT_DEFINED	   0xffffffffU
#define NO_REASON	   0xffffU /* neither SDM nor APM define it */

static const char *const usage =
	"usage: leaf_reader [--raw] [--reasons N] [--all]\n"
	"Prints how often this virtual machine left guest mode, by exit reason, and for how\n"
	"many cycles, as KVM with the exit ring shows its guests (CPUID 0x4ffffffc-0x4fffffff).\n"
	"Each reading is a CPUID exit itself, so the numbers grow while they are read.\n"
	"  --raw        one line per reading, like those of cpuid -r; collector import takes them\n"
	"  --reasons N  basic exit reasons 0 to N - 1 (default 128)\n"
	"  --all        also reasons that never occurred\n"
	"exit status: 1 when no leaf answers (another KVM, or cpuid_leaves=0)\n"
	"examples: leaf_reader\n"
	"          leaf_reader --raw >leaves.txt\n";

struct reading {
	unsigned int eax, ebx, ecx, edx;
};

static struct reading read_leaf(unsigned int leaf, unsigned int reason)
{
	struct reading r;

	__cpuid_count(leaf, reason, r.eax, r.ebx, r.ecx, r.edx);
	return r;
}

static uint64_t count_of(const struct reading *r)
{
	return (uint64_t)r->ebx << 32 | r->eax;
}

static uint64_t cycles_of(const struct reading *r)
{
	return (uint64_t)r->ebx << 32 | r->ecx;
}

static void print_reading(unsigned int leaf, unsigned int reason, const struct reading *r)
{
	printf("   0x%08x 0x%02x: eax=0x%08x ebx=0x%08x ecx=0x%08x edx=0x%08x\n", leaf, reason,
	       r->eax, r->ebx, r->ecx, r->edx);
}

static void print_raw(unsigned int leaf, unsigned int reason)
{
	const struct reading r = read_leaf(leaf, reason);

	print_reading(leaf, reason, &r);
}

/* Every reading that was taken, so that each can be found among the exits. */
static void print_all_raw(const struct reading *probe, unsigned int reasons)
{
	print_reading(LEAF_REASON, NO_REASON, probe);
	print_raw(LEAF_TOTAL, 0);
	print_raw(LEAF_TOTAL_CYCLES, 0);
	for (unsigned int reason = 0; reason < reasons; reason++) {
		print_raw(LEAF_REASON, reason);
		print_raw(LEAF_REASON_CYCLES, reason);
	}
	print_raw(LEAF_TOTAL, 0);
}

/* One line, from readings that were all taken before the first was printed. */
static void print_row(unsigned int reason, const struct reading *count,
		      const struct reading *cycles, bool all)
{
	if (count->edx == NOT_DEFINED) {
		if (all)
			printf("%6u %15s %20s\n", reason, "-", "not defined by SDM");
		return;
	}
	if (all || count_of(count))
		printf("%6u %15" PRIu64 " %20" PRIu64 "\n", reason, count_of(count),
		       cycles_of(cycles));
}

static int print_table(unsigned int reasons, bool all)
{
	struct reading *counts = calloc(2UL * reasons, sizeof(*counts));
	const struct reading total = read_leaf(LEAF_TOTAL, 0);
	const struct reading cycles = read_leaf(LEAF_TOTAL_CYCLES, 0);

	if (!counts) {
		fprintf(stderr, "leaf_reader: out of memory\n");
		return 1;
	}

	for (unsigned int reason = 0; reason < reasons; reason++) {
		counts[2 * reason] = read_leaf(LEAF_REASON, reason);
		counts[2 * reason + 1] = read_leaf(LEAF_REASON_CYCLES, reason);
	}

	printf("%6s %15s %20s\n", "REASON", "EXITS", "CYCLES");
	for (unsigned int reason = 0; reason < reasons; reason++)
		print_row(reason, &counts[2 * reason], &counts[2 * reason + 1], all);

	printf("%6s %15" PRIu64 " %20" PRIu64 "\n", "all", count_of(&total), cycles_of(&cycles));
	free(counts);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"raw", no_argument, NULL, 'r'},
						{"reasons", required_argument, NULL, 'n'},
						{"all", no_argument, NULL, 'a'},
						{"help", no_argument, NULL, 'h'},
						{0}};
	uint32_t reasons = REASONS;
	bool raw = false, all = false;
	struct reading probe;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, OPTIONS_SHORT, options, NULL)) != -1) {
		if (option == '?' || option == ':')
			return options_refuse("leaf_reader", option, argv);
		if (option == 'h')
			return fputs(usage, stdout) < 0;
		if (option == 'n' &&
		    options_number("leaf_reader", "reasons", optarg, 1, 65536, &reasons))
			return 1;
		raw |= option == 'r';
		all |= option == 'a';
	}

	/* An answer that no other hypervisor or CPU gives. */
	probe = read_leaf(LEAF_REASON, NO_REASON);
	if (probe.eax || probe.ebx || probe.ecx || probe.edx != NOT_DEFINED) {
		fputs("leaf_reader: CPUID 0x4ffffffd: no exit statistics (the host's KVM has no exit ring, or cpuid_leaves=0)\n",
		      stderr);
		return 1;
	}

	if (!raw)
		return print_table(reasons, all);
	print_all_raw(&probe, reasons);
	return fflush(stdout) ? 1 : 0;
}
