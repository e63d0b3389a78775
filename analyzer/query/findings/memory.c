// SPDX-License-Identifier: GPL-2.0-only
/*
 * memory.c - rules about faults of guest memory: first touch, and the same pages again
 */
#include <stdio.h>

#include "analyzer/query/findings/rules.h"
#include "base/units.h"

#define FAULTS		1000
#define FAULT_SHARE	0.05 /* of the exits */
#define FIRST_TOUCH	0.80 /* different pages, of the faults */
#define PAGES_PER_2_MIB 16   /* at least this many of 512: huge pages would save faults */

static int find_first_touch(const struct findings_data *data, const struct findings_pages *pages,
			    double share, struct findings *findings)
{
	const char *name = data->run->isa == 1 ? "EPT violations" : "nested page faults";
	char count[UNITS_TEXT], regions[UNITS_TEXT];
	bool is_scattered = pages->pages < PAGES_PER_2_MIB * pages->regions;
	struct finding finding = {
		.rule = "first-touch",
		.vm = -1,
		.weight = share,
		.threshold = "1,000 faults, 5 % of the exits, 80 % of them of different pages",
		.remedy =
			"Huge pages for the VM's memory (hugetlbfs, or THP with madvise), or memory allocated before the start (QEMU: -mem-prealloc; memory backend with prealloc=on).",
		.source =
			"Linux: Documentation/admin-guide/mm/transhuge.rst; Intel SDM 3, 29.3 (EPT)",
	};

	snprintf(finding.title, sizeof(finding.title),
		 "Guest memory is touched for the first time: %s %s (%.1f %% of the exits)",
		 units_count((int64_t)pages->faults.n, count), name, 100 * share);

	/* Huge pages help only where many pages of one region are touched. */
	if (is_scattered)
		snprintf(finding.evidence, sizeof(finding.evidence),
			 "they are of %s different pages of 4 KiB",
			 units_count((int64_t)pages->pages, count));
	else
		snprintf(
			finding.evidence, sizeof(finding.evidence),
			"they are of %s different pages of 4 KiB, in %s regions of 2 MiB: with huge pages %s faults would do",
			units_count((int64_t)pages->pages, count),
			units_count((int64_t)pages->regions, regions), regions);
	return findings_add(findings, data->app, &finding);
}

static int find_repeated(const struct findings_data *data, const struct findings_pages *pages,
			 double share, struct findings *findings)
{
	const char *name = data->run->isa == 1 ? "EPT violations" : "nested page faults";
	char count[UNITS_TEXT];
	struct finding finding = {
		.rule = "repeated-faults",
		.vm = -1,
		.weight = share,
		.threshold =
			"1,000 faults, 5 % of the exits, less than 80 % of them of different pages",
		.remedy =
			"Something takes pages away or makes them read-only while the guest uses them: dirty logging (migration), swap, ballooning, KSM, NUMA balancing. Stop it, or give the host more memory.",
		.source = "Linux: Documentation/virt/kvm/x86/mmu.rst",
	};

	snprintf(finding.title, sizeof(finding.title),
		 "The same guest pages fault again and again: %s %s (%.1f %% of the exits)",
		 units_count((int64_t)pages->faults.n, count), name, 100 * share);
	snprintf(finding.evidence, sizeof(finding.evidence),
		 "they are of %s different pages of 4 KiB: each faulted %.1f times",
		 units_count((int64_t)pages->pages, count),
		 (double)pages->faults.n / (double)pages->pages);
	return findings_add(findings, data->app, &finding);
}

int findings_apply_memory(const struct findings_data *data, struct findings *findings)
{
	struct findings_pages pages;
	double share;

	if (!data->has_keys || !data->is_whole)
		return 0;
	if (findings_pages(data, &pages))
		return -1;

	share = findings_share(data, pages.faults.n);
	if (pages.faults.n < FAULTS || share < FAULT_SHARE)
		return 0;
	if (findings_pages_by_vm(data, &pages))
		return -1;
	if ((double)pages.pages >= FIRST_TOUCH * (double)pages.faults.n)
		return find_first_touch(data, &pages, share, findings);
	return find_repeated(data, &pages, share, findings);
}
