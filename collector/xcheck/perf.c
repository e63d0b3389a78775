// SPDX-License-Identifier: GPL-2.0-only
/* perf.c - opens and reads the perf counters of kvm_exit and kvm_entry */
#include "collector/xcheck/perf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include <linux/perf_event.h>
#include <perf/core.h>
#include <perf/cpumap.h>
#include <perf/evlist.h>
#include <perf/evsel.h>
#include <perf/threadmap.h>

struct xcheck_perf {
	struct perf_cpu_map *cpus;
	struct perf_thread_map *threads;
	struct perf_evlist *evlist;
	struct perf_evsel *exit;
	struct perf_evsel *entry;
};

static int silent(enum libperf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static struct perf_evsel *add_counter(struct xcheck_perf *p, uint32_t id)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = id,
		.disabled = 1,
	};
	struct perf_evsel *evsel = perf_evsel__new(&attr);

	if (evsel)
		perf_evlist__add(p->evlist, evsel);
	return evsel;
}

static int open_counters(struct xcheck_perf *p, uint32_t exit_id, uint32_t entry_id)
{
	p->cpus = perf_cpu_map__new(NULL);
	p->threads = perf_thread_map__new_dummy();
	p->evlist = perf_evlist__new();
	if (!p->cpus || !p->threads || !p->evlist)
		return -ENOMEM;
	perf_thread_map__set_pid(p->threads, 0, -1);
	p->exit = add_counter(p, exit_id);
	p->entry = add_counter(p, entry_id);
	if (!p->exit || !p->entry)
		return -ENOMEM;
	perf_evlist__set_maps(p->evlist, p->cpus, p->threads);
	return perf_evlist__open(p->evlist);
}

int xcheck_perf_open(struct xcheck_perf **perf, uint32_t exit_id, uint32_t entry_id)
{
	struct xcheck_perf *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return -ENOMEM;
	libperf_init(silent);
	rc = open_counters(p, exit_id, entry_id);
	if (rc) {
		xcheck_perf_close(p);
		return rc;
	}
	*perf = p;
	return 0;
}

void xcheck_perf_start(struct xcheck_perf *perf)
{
	perf_evlist__enable(perf->evlist);
}

void xcheck_perf_stop(struct xcheck_perf *perf)
{
	perf_evlist__disable(perf->evlist);
}

static int sum_up(struct xcheck_perf *p, struct perf_evsel *evsel, uint64_t *sum)
{
	struct perf_counts_values values;
	int rc;

	*sum = 0;
	for (int i = 0; i < perf_cpu_map__nr(p->cpus); i++) {
		rc = perf_evsel__read(evsel, i, 0, &values);
		if (rc)
			return rc;
		*sum += values.val;
	}
	return 0;
}

int xcheck_perf_read(struct xcheck_perf *perf, uint64_t *exits, uint64_t *entries)
{
	int rc = sum_up(perf, perf->exit, exits);

	return rc ? rc : sum_up(perf, perf->entry, entries);
}

void xcheck_perf_close(struct xcheck_perf *perf)
{
	if (perf->evlist) {
		perf_evlist__close(perf->evlist);
		perf_evlist__delete(perf->evlist);
	}
	perf_cpu_map__put(perf->cpus);
	perf_thread_map__put(perf->threads);
	free(perf);
}
