// SPDX-License-Identifier: GPL-2.0-only
/* trace_instance.c - creates, reads and removes a tracefs instance */
#include "collector/events/trace_instance.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kbuffer.h>
#include <tracefs.h>

#define DEFAULT_BUFFER_KB 16384
#define INSTANCE_PREFIX	  "exitscope-"

/*
 * @last_ts: time of the last event that was read; 0: none
 */
struct cpu_buffer {
	struct tracefs_cpu *file;
	uint64_t last_ts;
};

/*
 * @kinds: of the events it has, as bits
 */
struct trace_instance {
	struct tracefs_instance *tracefs;
	uint32_t kinds;
	struct kvm_event_formats formats;
	struct kbuffer *kbuf;
	void *page;
	struct cpu_buffer *cpus;
	int cpu_count;
};

static int negative_errno(int otherwise)
{
	return errno ? -errno : otherwise;
}

static int write_file(struct trace_instance *t, const char *file, const char *text)
{
	errno = 0;
	return tracefs_instance_file_write(t->tracefs, file, text) < 0 ? negative_errno(-EIO) : 0;
}

/* Clock, buffer size and the table of the threads' processes. */
static int set_up(struct trace_instance *t, size_t buffer_kb)
{
	char kb[24];
	int rc;

	if (write_file(t, "tracing_on", "0"))
		return -EIO;
	if (write_file(t, "trace_clock", "x86-tsc"))
		return -ENOTSUP;
	snprintf(kb, sizeof(kb), "%zu", buffer_kb ? buffer_kb : DEFAULT_BUFFER_KB);
	rc = write_file(t, "buffer_size_kb", kb);
	if (rc)
		return rc;
	/* Nice to have: without it the process of a dead thread is unknown. */
	write_file(t, "options/record-tgid", "1");
	return 0;
}

static int load_format(struct trace_instance *t, const char *event)
{
	int size = 0;
	char *text = tracefs_event_file_read(NULL, "kvm", event, "format", &size);
	int rc = -ENOENT;

	if (text && size > 0)
		rc = kvm_event_formats_add(&t->formats, text, (size_t)size);
	free(text);
	return rc < 0 ? rc : 0;
}

/*
 * Of the kernel as a whole: an instance has the same ones. Of those with a key, one that this
 * kernel lacks is left out of @t->kinds.
 */
static int load_formats(struct trace_instance *t)
{
	int rc = 0;

	for (uint32_t kind = 0; kind < KVM_EVENT_KINDS && !rc; kind++) {
		if (!(t->kinds & 1U << kind))
			continue;
		rc = load_format(t, kvm_event_name((enum kvm_event_kind)kind));
		if (rc && !(TRACE_EXITS & 1U << kind)) {
			t->kinds &= ~(1U << kind);
			rc = 0;
		}
	}
	if (!(t->kinds & TRACE_EXITS))
		return t->kinds ? 0 : -ENOENT;

	if (!rc)
		rc = kvm_event_formats_check(&t->formats);
	if (rc)
		return rc == -ENOENT ? rc : -ENOTSUP;
	return kvm_event_formats_have_vcpu(&t->formats) ? 0 : -ENOTSUP;
}

/*
 * A command that the collector runs must not inherit the files: they would keep
 * the instance from being removed. So they are opened here, not by libtracefs.
 */
static int open_cpu(struct trace_instance *t, int cpu, int bytes)
{
	char file[48];
	char *path;
	int fd;

	snprintf(file, sizeof(file), "per_cpu/cpu%d/trace_pipe_raw", cpu);
	path = tracefs_instance_get_file(t->tracefs, file);
	if (!path)
		return -ENOMEM;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	tracefs_put_tracing_file(path);
	if (fd < 0)
		return -errno;
	t->cpus[cpu].file = tracefs_cpu_alloc_fd(fd, bytes, true);
	if (!t->cpus[cpu].file) {
		close(fd);
		return -ENOMEM;
	}
	return 0;
}

static int open_cpus(struct trace_instance *t)
{
	long count = sysconf(_SC_NPROCESSORS_CONF);
	struct tracefs_cpu *first;
	int bytes, rc;

	errno = 0;
	first = tracefs_cpu_open(t->tracefs, 0, true);
	if (!first)
		return negative_errno(-EIO);
	bytes = tracefs_cpu_read_size(first);
	tracefs_cpu_close(first);
	t->cpus = calloc((size_t)count, sizeof(*t->cpus));
	t->page = malloc((size_t)bytes);
	t->kbuf = kbuffer_alloc(KBUFFER_LSIZE_SAME_AS_HOST, KBUFFER_ENDIAN_SAME_AS_HOST);
	if (!t->cpus || !t->page || !t->kbuf)
		return -ENOMEM;
	for (t->cpu_count = 0; t->cpu_count < count; t->cpu_count++) {
		rc = open_cpu(t, t->cpu_count, bytes);
		if (rc)
			return rc;
	}
	return 0;
}

/* Removes the instances of collectors that were killed. */
static int remove_left_over(const char *name, void *user)
{
	struct tracefs_instance *instance;
	int pid;

	(void)user;
	if (sscanf(name, INSTANCE_PREFIX "%d", &pid) != 1 || !kill(pid, 0) || errno != ESRCH)
		return 0;
	instance = tracefs_instance_create(name);
	if (!instance)
		return 0;
	tracefs_instance_destroy(instance);
	tracefs_instance_free(instance);
	return 0;
}

int trace_instance_open(struct trace_instance **instance, size_t buffer_kb, uint32_t kinds)
{
	struct trace_instance *t = calloc(1, sizeof(*t));
	char name[40];
	int rc;

	if (!t)
		return -ENOMEM;

	t->kinds = kinds;
	tracefs_instances_walk(remove_left_over, NULL);
	snprintf(name, sizeof(name), INSTANCE_PREFIX "%d%s", (int)getpid(),
		 kinds & TRACE_EXITS ? "" : "-keys");
	errno = 0;
	t->tracefs = tracefs_tracing_dir() ? tracefs_instance_create(name) : NULL;
	rc = t->tracefs ? 0 : negative_errno(-ENODEV);
	if (!rc)
		rc = load_formats(t);
	if (!rc)
		rc = set_up(t, buffer_kb);
	if (!rc)
		rc = open_cpus(t);
	if (rc) {
		trace_instance_close(t);
		return rc;
	}
	*instance = t;
	return 0;
}

const char *trace_instance_strerror(int rc)
{
	switch (rc) {
	case -EPERM:
	case -EACCES:
		return "not allowed (run as root; kernel lockdown forbids it too)";
	case -ENODEV:
		return "not mounted, or not in this kernel (mount -t tracefs nodev /sys/kernel/tracing)";
	case -ENOENT:
		return "the kernel has no kvm events (load kvm)";
	case -ENOTSUP:
		return "the kernel lacks the clock x86-tsc or the events' vcpu_id";
	}
	return strerror(-rc);
}

static int switch_events(struct trace_instance *t, const char *on)
{
	char file[64];
	int rc = 0;

	for (uint32_t kind = 0; kind < KVM_EVENT_KINDS; kind++) {
		int one;

		if (!(t->kinds & 1U << kind))
			continue;
		snprintf(file, sizeof(file), "events/kvm/%s/enable",
			 kvm_event_name((enum kvm_event_kind)kind));
		one = write_file(t, file, on);
		rc = rc ? rc : one;
	}
	return rc;
}

/* One event is on before the other; what is written begins and ends at once. */
int trace_instance_start(struct trace_instance *instance)
{
	int rc = switch_events(instance, "1");

	return rc ? rc : write_file(instance, "tracing_on", "1");
}

int trace_instance_stop(struct trace_instance *instance)
{
	int rc = write_file(instance, "tracing_on", "0");
	int other = switch_events(instance, "0");

	return rc ? rc : other;
}

/* The events of one page of a CPU's buffer. */
static int read_page(struct trace_instance *t, int cpu, const struct trace_sink *sink)
{
	struct cpu_buffer *buffer = &t->cpus[cpu];
	struct kvm_event event;
	unsigned long long ts;
	void *data;
	int rc = 0;

	kbuffer_load_subbuffer(t->kbuf, t->page);
	for (data = kbuffer_read_event(t->kbuf, &ts); data && !rc;
	     data = kbuffer_next_event(t->kbuf, &ts)) {
		if (kbuffer_missed_events(t->kbuf))
			rc = sink->lost(sink->user, (uint32_t)cpu, buffer->last_ts, ts);
		buffer->last_ts = ts;
		if (rc || !kvm_event_parse(&t->formats, data, (size_t)kbuffer_event_size(t->kbuf),
					   &event))
			continue;
		event.ts = ts;
		event.cpu = (uint32_t)cpu;
		rc = sink->event(sink->user, &event);
	}
	return rc;
}

int trace_instance_drain(struct trace_instance *instance, const struct trace_sink *sink)
{
	int rc = 0;

	for (int cpu = 0; cpu < instance->cpu_count && !rc; cpu++) {
		while (!rc && tracefs_cpu_read(instance->cpus[cpu].file, instance->page, true) > 0)
			rc = read_page(instance, cpu, sink);
	}
	return rc;
}

/* Adds the number after "@key" in the text of a stats file. */
static void add_number(const char *text, const char *key, uint64_t *sum)
{
	const char *at = strstr(text, key);

	if (at)
		*sum += strtoull(at + strlen(key), NULL, 10);
}

int trace_instance_lost(struct trace_instance *instance, uint64_t *lost)
{
	char file[40];
	char *text;

	*lost = 0;
	for (int cpu = 0; cpu < instance->cpu_count; cpu++) {
		snprintf(file, sizeof(file), "per_cpu/cpu%d/stats", cpu);
		text = tracefs_instance_file_read(instance->tracefs, file, NULL);
		if (!text)
			return -EIO;
		/* "commit overrun:" must not be taken for "overrun:". */
		add_number(text, "\noverrun: ", lost);
		add_number(text, "commit overrun: ", lost);
		add_number(text, "dropped events: ", lost);
		free(text);
	}
	return 0;
}

void trace_instance_ids(const struct trace_instance *instance, uint32_t *exit_id,
			uint32_t *entry_id)
{
	*exit_id = (uint32_t)instance->formats.layout[KVM_EVENT_EXIT].id;
	*entry_id = (uint32_t)instance->formats.layout[KVM_EVENT_ENTRY].id;
}

static uint32_t living_tgid(uint32_t tid)
{
	char line[128];
	uint32_t tgid = 0;
	FILE *file;

	snprintf(line, sizeof(line), "/proc/%u/status", tid);
	file = fopen(line, "re");
	if (!file)
		return 0;
	while (!tgid && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Tgid: %u", &tgid) != 1)
			tgid = 0;
	}
	fclose(file);
	return tgid;
}

uint32_t trace_instance_tgid(struct trace_instance *instance, uint32_t tid)
{
	uint32_t tgid = living_tgid(tid);
	char *text, *line, *rest;
	unsigned int a, b;

	if (tgid)
		return tgid;
	text = tracefs_instance_file_read(instance->tracefs, "saved_tgids", NULL);
	if (!text)
		text = tracefs_instance_file_read(NULL, "saved_tgids", NULL);
	if (!text)
		return 0;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (sscanf(line, "%u %u", &a, &b) == 2 && a == tid)
			tgid = b;
	}
	free(text);
	return tgid;
}

void trace_instance_close(struct trace_instance *instance)
{
	if (instance->tracefs)
		trace_instance_stop(instance);
	for (int cpu = 0; cpu < instance->cpu_count; cpu++)
		tracefs_cpu_close(instance->cpus[cpu].file);
	free(instance->cpus);
	free(instance->page);
	if (instance->kbuf)
		kbuffer_free(instance->kbuf);
	if (instance->tracefs) {
		tracefs_instance_destroy(instance->tracefs);
		tracefs_instance_free(instance->tracefs);
	}
	free(instance);
}
