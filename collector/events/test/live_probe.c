// SPDX-License-Identifier: GPL-2.0-only
/*
 * live_probe.c - live_probe BUFFER_KB COMMAND...
 *
 * Runs COMMAND while an instance and the perf counters see its exits, and prints what
 * both counted. Status 0 only if events read + lost = perf's counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/events/trace_instance.h"
#include "collector/xcheck/perf.h"

struct seen {
	uint64_t exits;
	uint64_t entries;
	uint64_t backwards;
	uint64_t windows;
	uint64_t last_ts;
	uint32_t tid;
};

static int on_event(void *user, const struct kvm_event *event)
{
	struct seen *seen = user;

	if (event->kind == KVM_EVENT_EXIT)
		seen->exits++;
	else
		seen->entries++;
	seen->backwards += event->ts < seen->last_ts;
	seen->last_ts = event->ts;
	seen->tid = event->tid;
	return 0;
}

static int on_lost(void *user, uint32_t cpu, uint64_t from, uint64_t to)
{
	(void)cpu;
	((struct seen *)user)->windows += to > from;
	return 0;
}

static int check(int rc, const char *what)
{
	if (rc)
		fprintf(stderr, "live_probe: %s: %s\n", what, strerror(-rc));
	return rc;
}

int main(int argc, char **argv)
{
	struct seen seen = {0};
	const struct trace_sink sink = {on_event, on_lost, &seen};
	uint64_t exits, entries, lost;
	struct trace_instance *trace;
	struct xcheck_perf *perf;
	uint32_t exit_id, entry_id;
	pid_t pid;

	if (argc < 3)
		return 2;
	if (check(trace_instance_open(&trace, strtoul(argv[1], NULL, 10), TRACE_EXITS), "tracefs"))
		return 1;
	trace_instance_ids(trace, &exit_id, &entry_id);
	if (check(xcheck_perf_open(&perf, exit_id, entry_id), "perf") ||
	    check(trace_instance_start(trace), "start"))
		return 1;
	xcheck_perf_start(perf);
	pid = fork();
	if (!pid) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	xcheck_perf_stop(perf);
	trace_instance_stop(trace);
	if (check(trace_instance_drain(trace, &sink), "drain") ||
	    check(trace_instance_lost(trace, &lost), "lost") ||
	    check(xcheck_perf_read(perf, &exits, &entries), "counters"))
		return 1;
	printf("tracefs exits=%lu entries=%lu lost=%lu windows=%lu backwards=%lu perf exits=%lu "
	       "entries=%lu command=%d thread=%u tgid=%u\n",
	       seen.exits, seen.entries, lost, seen.windows, seen.backwards, exits, entries, pid,
	       seen.tid, trace_instance_tgid(trace, seen.tid));
	xcheck_perf_close(perf);
	trace_instance_close(trace);
	return seen.exits + seen.entries + lost == exits + entries ? 0 : 1;
}
