// SPDX-License-Identifier: GPL-2.0-only
/* trace_text.c - events from what ftrace, trace-cmd report or perf script printed */
#include "collector/source/trace/text/trace_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/source/trace/text/text_feed.h"
#include "collector/source/trace/trace.h"
#include "kvm/uapi/kvm_exit_ring.h"

#define FILL_LINES 65536

/* Fewer events of KVM don't show whether times go up and down. */
#define TURNS_MIN 8

/* Of intr_info: an error code was delivered. */
#define INTR_HAS_ERROR_CODE 0x800U

/* Its exits are not those of x86. */
int text_feed_refuse_foreign(const struct text_feed *f, struct fault *fault)
{
	return fault_set(
		fault, -ENOEXEC,
		"%s: no x86 kvm_exit: it was recorded on an arm64 host or the like, whose exit reasons are others",
		f->path);
}

/* What the whole text has shown to be no recording, though single lines could be one. */
static int check_whole(const struct text_feed *f, struct fault *fault)
{
	uint64_t turns = f->rises + f->falls;

	if (f->foreign && !f->exits)
		return text_feed_refuse_foreign(f, fault);
	if (f->unread && !f->exits)
		return fault_set(
			fault, -EBADMSG,
			"%s: its kvm_exit can't be read: the exit reason is missing, or in a form that is not known (print all fields of the event, or import the recording itself)",
			f->path);
	if (f->sampled)
		return fault_set(
			fault, -ENOTSUP,
			"%s: is the text of a sampled recording (import the perf.data itself)",
			f->path);
	if (turns >= TURNS_MIN && f->rises > turns / 4 && f->falls > turns / 4)
		return fault_set(
			fault, -EBADMSG,
			"%s: its times go up and down: they are not times, or those since the event before (perf script without --deltatime)",
			f->path);
	return 0;
}

/* The last number of an exit may be the beginning of another one: it is not known. */
static void forget_last(struct kvm_event *event, const char *name)
{
	if (!strcmp(name, "rip") || !strcmp(name, "guest_rip")) {
		event->guest_rip = 0;
		event->no_rip = true;
	} else if (!strcmp(name, "info1")) {
		event->info1 = event->info2 = 0;
		event->no_info = true;
	} else if (!strncmp(name, "info", 4)) {
		event->info2 = 0;
		event->no_info |= event->isa == KVM_EXIT_ISA_SVM; /* whose key it may be */
	} else if (!strcmp(name, "intr_info")) {
		event->intr_info = 0;
	} else if (!strcmp(name, "error_code")) {
		event->error_code = 0;
		event->intr_info &= ~INTR_HAS_ERROR_CODE;
	}
}

/* The line was cut off at a column. */
static void forget_end(struct text_feed *f, const char *text, struct kvm_event *event)
{
	struct text_shape shape = text_shape_of(text);
	bool has_info1 = !strcmp(shape.name, "info") && shape.words == 1;

	f->short_lines += f->surveying;
	forget_last(event, has_info1 ? "info1" : shape.name);
}

/* Whether the line is the last one and was cut off; notes the shape of whole ones. */
static bool is_cut(struct text_feed *f, const char *text, struct text_line *line)
{
	bool is_event = line->kind == TEXT_EVENT && line->event.kind <= KVM_EVENT_ENTRY;
	struct text_shape shape = text_shape_of(text);
	bool is_last = !f->left;

	if (is_event) {
		struct text_shapes *whole = &f->shapes[line->event.kind];

		if (!is_last)
			text_shapes_add(whole, &shape);
		else if (text_shape_is_cut(&shape, whole))
			return true;
		else if (text_shape_may_be_cut(whole))
			forget_last(&line->event, shape.name);
		return false;
	}
	if (line->kind != TEXT_NOTHING && line->kind != TEXT_UNREAD && line->kind != TEXT_OTHER)
		return false;
	return is_last && text_shape_is_begun(text, line->kind == TEXT_OTHER);
}

static int text_fill(void *self, const struct trace_sink *sink, uint64_t *horizon, bool *end,
		     struct fault *fault)
{
	struct text_feed *f = self;
	struct text_line line;
	char text[TEXT_LINE_BYTES];
	int rc = 0;

	*horizon = f->before;
	for (int i = 0; i < FILL_LINES && !rc && !*end; i++) {
		if (text_feed_next_line(f, text)) {
			text_line_parse(text, &line);
			if (line.ends_early)
				forget_end(f, text, &line.event);

			if (f->no_end && is_cut(f, text, &line))
				f->cut_at = f->size;
			else
				rc = text_feed_take(f, &line, sink);
		} else {
			*end = true;
			rc = text_feed_end(f, sink);
		}
	}
	f->before = f->newest;

	if (ferror(f->file))
		return fault_set(fault, -EIO, "%s: can't be read to its end", f->path);
	if (*end && f->left)
		return fault_set(
			fault, -EIO,
			"%s: has become shorter while it was read (import a copy that nobody writes to)",
			f->path);
	return !rc && *end ? check_whole(f, fault) : rc;
}

static void text_rewind(void *self)
{
	text_feed_rewind(self);
}

static void text_losses(void *self, struct losses_reported *reported)
{
	const struct text_feed *f = self;

	*reported = (struct losses_reported){
		.events = f->overwritten + f->lost,
		.others = f->others,
		.more = f->gaps || f->filtered || (f->lost && text_instances_share(&f->instances)),
		.unread = f->unread,
		.cut_at = f->cut_at,
	};
	text_host_report(&f->host, reported);
}

static bool text_span(void *self, uint64_t *from, uint64_t *to)
{
	return text_host_span(&((struct text_feed *)self)->host, from, to);
}

static void text_comm(void *self, uint32_t tgid, uint32_t tid, char *comm, size_t bytes)
{
	names_get(&((struct text_feed *)self)->names, tgid, tid, comm, bytes);
}

static void text_close(void *self)
{
	struct text_feed *f = self;

	if (f->file) {
		text_feed_rewind(f);
		fclose(f->file);
	}
	for (size_t i = 0; f->notes[i]; i++)
		free(f->notes[i]);
	names_free(&f->names);
	text_parts_free(&f->parts);
	text_threads_free(&f->threads);
	free(f);
}

/* Notes how long the text is, and whether it ends within a line. */
static void note_end(struct text_feed *f)
{
	int last = EOF;

	if (!fseeko(f->file, -1, SEEK_END))
		last = getc(f->file);
	f->no_end = last != '\n' && last != '\r';
	f->size = f->left = (uint64_t)ftello(f->file);
	rewind(f->file);
}

static int open_file(struct text_feed *f, const char *path, struct fault *fault)
{
	int rc;

	f->path = path;
	f->file = fopen(path, "re");
	if (!f->file)
		return fault_set(fault, -errno, "%s: %s", path, strerror(errno));
	note_end(f);
	rc = text_feed_read_first(f, fault);
	f->surveying = true;
	return rc;
}

/* What the whole text has shown. */
static int text_decide(void *self, struct trace_feed *feed, struct fault *fault)
{
	struct text_feed *f = self;
	int rc = text_feed_decide(f);

	if (rc < 0)
		return fault_set(fault, rc, "out of memory");
	if (!f->is_count && !f->has_ns)
		feed->coarse =
			"times are whole us: durations are +-1 us (perf script --ns, trace-cmd report -t, or import the recording itself)";
	if (!feed->no_time && f->are_processes && f->lacks_vcpus) {
		feed->no_time =
			"the number before the CPU is the process, as it is in two guests at once, and kvm_exit does not say of which vCPU it is";
		feed->no_time_way = "perf script -F +tid";
	}
	text_host_set_time(&f->host, feed);
	if (f->instances.hosts > 1)
		feed->thread_bits = TEXT_THREAD_BITS;
	return rc;
}

int source_trace_text_open(const char *path, uint32_t tsc_khz, struct source **source,
			   struct fault *fault)
{
	struct text_feed *f = calloc(1, sizeof(*f));
	struct trace_feed feed = {
		.self = f,
		.fill = text_fill,
		.rewind = text_rewind,
		.decide = text_decide,
		.losses = text_losses,
		.span = text_span,
		.comm = text_comm,
		.close = text_close,
		.no_entry_way = "print kvm_exit and kvm_entry",
		.quiet_loss = ", or perf script without --show-lost-events",
		.notes = f->notes,
	};
	struct run_info info = {.tsc_khz = 1000000};
	int rc;

	if (!f)
		return fault_set(fault, -ENOMEM, "out of memory");
	rc = open_file(f, path, fault);
	if (!rc && tsc_khz && !f->is_count)
		rc = fault_set(fault, -EINVAL,
			       "%s: its times are seconds, not TSC cycles (leave --tsc-khz out)",
			       path);
	if (rc) {
		text_close(f);
		return rc;
	}

	if (f->is_count && tsc_khz) {
		info.tsc_khz = tsc_khz;
	} else if (f->is_count) {
		feed.no_time =
			"its times are whole numbers: cycles of the TSC, or the order of events";
		feed.no_time_way =
			"of TSC cycles give --tsc-khz N, of ns --tsc-khz 1000000; else record with the clock local";
	}
	run_info_set(&info, RUN_LABEL, path);
	return source_trace_open(&feed, "text", &info, source, fault);
}
