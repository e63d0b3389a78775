// SPDX-License-Identifier: GPL-2.0-only
/* text_host.c - reads what a text says of the host's CPUs; see text_host.h */
#include "collector/source/trace/text/text_host.h"

#include <stdio.h>
#include <string.h>

#include "collector/source/trace/command_filter.h"

void text_host_take(struct text_host *host, const char *line)
{
	static const char *const forms[] = {"cpus=%u%n", "# entries-in-buffer/%*s %*s #P:%u%n",
					    "# nrcpus online : %u%n"};
	static const char cmdline[] = "# cmdline : ";

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		uint32_t cpus;
		int end;

		if (sscanf(line, forms[i], &cpus, &end) == 1)
			host->cpus = cpus;
	}
	if (strncmp(line, cmdline, strlen(cmdline)) != 0)
		return;
	line += strlen(cmdline);
	host->recorded = command_cpus(line, &host->first);
	host->filters_exits = command_filters(line, "kvm_exit");
	host->filters_entries = command_filters(line, "kvm_entry");
}

void text_host_see(struct text_host *host, const struct text_head *head, uint64_t ts)
{
	if (!host->seen || ts < host->from)
		host->from = ts;
	if (ts > host->to)
		host->to = ts;
	if (head->has_cpu && host->seen && host->cpu == head->cpu)
		return;
	host->seen = head->has_cpu && !host->seen ? 1 : 2;
	host->cpu = head->cpu;
}

bool text_host_span(const struct text_host *host, uint64_t *from, uint64_t *to)
{
	*from = host->from;
	*to = host->to;
	return host->seen;
}

static bool is_partial(const struct text_host *host)
{
	return host->recorded && host->recorded < host->cpus;
}

void text_host_set_time(struct text_host *host, struct trace_feed *feed)
{
	if (!is_partial(host) || feed->no_time)
		return;
	feed->no_time = cpus_missing(host->recorded, host->first, host->cpus, host->no_time);
	feed->no_time_way = CPUS_MISSING_WAY;
}

void text_host_report(const struct text_host *host, struct losses_reported *reported)
{
	reported->partial = is_partial(host);
	if (host->seen != 1 || host->cpus <= 1)
		return;
	reported->partial = true;
	reported->one_cpu_of = host->cpus;
	reported->one_cpu = host->cpu;
}
