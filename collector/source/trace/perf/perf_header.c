// SPDX-License-Identifier: GPL-2.0-only
/* perf_header.c - headers, events and feature sections of perf.data */
#include "collector/source/trace/perf/perf_header.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/perf_event.h>

#include "base/array.h"
#include "collector/source/trace/format_list.h"

#define MAGIC	      "PERFILE2"
#define MAGIC_SWAPPED "2ELIFREP"

/* Feature sections, tools/perf/util/header.h */
enum {
	FEATURE_TRACING_DATA = 1,
	FEATURE_HOSTNAME = 3,
	FEATURE_OSRELEASE = 4,
	FEATURE_ARCH = 6,
	FEATURE_NRCPUS = 7,
	FEATURE_CPUDESC = 8,
	FEATURE_CMDLINE = 11,
	FEATURE_SAMPLE_TIME = 21,
	FEATURE_CLOCK_DATA = 29,
	FEATURES = 256
};

struct section {
	uint64_t offset;
	uint64_t size;
};

struct file_header {
	char magic[8];
	uint64_t size;
	uint64_t attr_size;
	struct section attrs;
	struct section data;
	struct section event_types;
	uint64_t features[FEATURES / 64];
};

static struct cursor cursor_in(const struct perf_file *f, const struct section *s)
{
	return cursor_of(f->data, f->size, s->offset, s->size);
}

static int add_ids(struct perf_file *f, struct cursor ids)
{
	size_t count = cursor_left(&ids) / 8;
	struct perf_id *more;

	if (ids.bad || !count)
		return ids.bad ? -EBADMSG : 0;
	more = array_reserve(f->ids, f->id_count, count, sizeof(*more));
	if (!more)
		return -ENOMEM;
	f->ids = more;
	for (size_t i = 0; i < count; i++)
		more[f->id_count++] = (struct perf_id){cursor_u64(&ids), f->attr_count - 1};
	return 0;
}

int perf_header_add_attr(struct perf_file *f, struct cursor attr, struct cursor ids)
{
	struct perf_event_attr a = {0};
	uint64_t bytes = cursor_left(&attr);
	struct perf_attr *more;

	if (bytes < PERF_ATTR_SIZE_VER0)
		return -EBADMSG;
	memcpy(&a, attr.at, bytes < sizeof(a) ? bytes : sizeof(a));

	more = array_reserve(f->attrs, f->attr_count, 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	f->attrs = more;
	more[f->attr_count++] = (struct perf_attr){
		.type = a.type,
		.config = a.config,
		.sample_type = a.sample_type,
		.read_format = a.read_format,
		.period = a.sample_period,
		.is_frequency = a.freq,
		.overwrites = a.write_backward,
		.has_sideband = a.mmap || a.mmap2 || a.comm || a.task || a.context_switch ||
				a.namespaces || a.ksymbol || a.bpf_event || a.cgroup || a.text_poke,
		.sample_id_all = a.sample_id_all,
	};
	return add_ids(f, ids);
}

static int read_attrs(struct perf_file *f, const struct file_header *h)
{
	uint64_t bytes = h->attr_size - sizeof(struct section);
	struct cursor c = cursor_in(f, &h->attrs);

	if (h->attr_size < PERF_ATTR_SIZE_VER0 + sizeof(struct section) || c.bad)
		return -EBADMSG;
	while (cursor_left(&c) >= h->attr_size) {
		struct cursor attr = {c.at, c.at + bytes, false};
		struct section ids;
		int rc;

		cursor_take(&c, bytes);
		ids.offset = cursor_u64(&c);
		ids.size = cursor_u64(&c);
		rc = perf_header_add_attr(f, attr, cursor_in(f, &ids));
		if (rc)
			return rc;
	}
	return 0;
}

/* The same as in trace.dat up to the formats. */
int perf_header_add_formats(struct perf_file *f, struct cursor section)
{
	struct cursor c = section;
	const unsigned char *flags;

	cursor_take(&c, 10);	    /* magic and "tracing" */
	cursor_text(&c);	    /* version */
	flags = cursor_take(&c, 2); /* big endian?, bytes of a long */
	if (flags && flags[0])
		return -ENOTSUP;
	cursor_u32(&c); /* page size */

	for (int i = 0; i < 2; i++) { /* header_page, header_event */
		cursor_text(&c);
		cursor_take(&c, cursor_u64(&c));
	}

	format_list_skip_ftrace(&c);
	format_list_read(&c, &f->formats);
	return c.bad ? -EBADMSG : 0;
}

/* u32 length and a text; NULL if it is damaged. */
static char *feature_text(struct cursor *c)
{
	uint32_t bytes = cursor_u32(c);
	const char *text = cursor_take(c, bytes);

	return text ? strndup(text, bytes) : NULL;
}

static void set_text(char **text, struct cursor *c)
{
	free(*text);
	*text = feature_text(c);
	if (*text && !strcmp(*text, "(none)")) { /* a host without a name */
		free(*text);
		*text = NULL;
	}
}

/* The words of perf's command line, with blanks between them. */
static char *command_line(struct cursor *c)
{
	uint32_t count = cursor_u32(c);
	char *line = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&line, &bytes);

	if (!out)
		return NULL;
	for (uint32_t i = 0; i < count && !c->bad; i++) {
		char *word = feature_text(c);

		fprintf(out, "%s%s", i ? " " : "", word ? word : "");
		free(word);
	}
	fclose(out);
	return line;
}

/* version, clock id, CLOCK_REALTIME and that clock read together */
static void clock_data(struct perf_features *features, struct cursor *c)
{
	uint32_t version = cursor_u32(c);

	cursor_u32(c);
	features->wall_clock_ns = (int64_t)cursor_u64(c);
	features->clock_ns = cursor_u64(c);
	if (version != 1 || c->bad)
		features->wall_clock_ns = 0;
}

void perf_header_add_feature(struct perf_file *f, unsigned int bit, struct cursor c)
{
	struct perf_features *features = &f->features;

	switch (bit) {
	case FEATURE_HOSTNAME:
		set_text(&features->hostname, &c);
		break;
	case FEATURE_OSRELEASE:
		set_text(&features->kernel, &c);
		break;
	case FEATURE_ARCH:
		set_text(&features->arch, &c);
		break;
	case FEATURE_NRCPUS: /* those that the host can have, those that are online */
		cursor_u32(&c);
		features->cpus_online = cursor_u32(&c);
		break;
	case FEATURE_CPUDESC:
		set_text(&features->cpu, &c);
		break;
	case FEATURE_CMDLINE:
		free(features->command);
		features->command = command_line(&c);
		break;
	case FEATURE_SAMPLE_TIME:
		features->first_ns = cursor_u64(&c);
		features->last_ns = cursor_u64(&c);
		break;
	case FEATURE_CLOCK_DATA:
		clock_data(features, &c);
		break;
	}
}

/* The formats of all events stand after the data, so nothing can be said of what stands before. */
static int cut_off(const struct perf_file *f, struct fault *fault)
{
	return fault_set(
		fault, -EBADMSG,
		"%s: cut off at byte %llu, and the formats of its events stood after that (import the whole file; perf record -o - > FILE writes them first)",
		f->path, (unsigned long long)f->size);
}

/*
 * Feature sections follow the data; their places stand first, in the order of their bits. Of a file
 * that is cut off after the formats, the first of them, only names are missing.
 */
static int read_features(struct perf_file *f, const struct file_header *h, struct fault *fault)
{
	struct cursor table = cursor_of(f->data, f->size, h->data.offset + h->data.size,
					f->size - h->data.offset - h->data.size);

	for (unsigned int bit = 0; bit < FEATURES; bit++) {
		struct section s;
		int rc = 0;

		if (!(h->features[bit / 64] & 1ULL << bit % 64))
			continue;
		s.offset = cursor_u64(&table);
		s.size = cursor_u64(&table);
		if (table.bad)
			return cut_off(f, fault);
		if (cursor_in(f, &s).bad && s.offset >= h->data.offset + h->data.size) {
			if (bit == FEATURE_TRACING_DATA)
				return cut_off(f, fault);
			f->cut_at = f->size;
			return 0;
		}
		if (bit == FEATURE_TRACING_DATA)
			rc = perf_header_add_formats(f, cursor_in(f, &s));
		else
			perf_header_add_feature(f, bit, cursor_in(f, &s));
		if (rc)
			return rc;
	}
	return 0;
}

static int read_headers(struct perf_file *f, struct fault *fault)
{
	struct file_header h = {0};
	int rc;

	memcpy(&h, f->data, f->size < sizeof(h) ? f->size : sizeof(h));
	if (!memcmp(h.magic, MAGIC_SWAPPED, sizeof(h.magic)))
		return fault_set(
			fault, -ENOTSUP,
			"%s: is of a big-endian host: KVM's events there are not those of x86",
			f->path);
	if (memcmp(h.magic, MAGIC, sizeof(h.magic)) || f->size < PERF_FILE_PIPE_HEADER)
		return -EBADMSG;
	if (h.size == PERF_FILE_PIPE_HEADER) { /* the rest comes as records */
		f->begin = PERF_FILE_PIPE_HEADER;
		f->end = f->size;
		return 0;
	}
	if (h.size < sizeof(h) || f->size < sizeof(h))
		return -EBADMSG;
	if (!h.data.size)
		return fault_set(
			fault, -ENOTSUP,
			"%s: perf was killed before it wrote its headers (end perf record with Ctrl-C)",
			f->path);
	if (cursor_in(f, &h.data).bad)
		return h.data.offset < UINT64_MAX - h.data.size ? cut_off(f, fault) : -EBADMSG;

	rc = read_attrs(f, &h);
	f->begin = h.data.offset;
	f->end = h.data.offset + h.data.size;
	return rc ? rc : read_features(f, &h, fault);
}

static int by_id(const void *a, const void *b)
{
	const struct perf_id *left = a, *right = b;

	return (left->id > right->id) - (left->id < right->id);
}

void perf_header_end(struct perf_file *file)
{
	array_sort(file->ids, file->id_count, sizeof(*file->ids), by_id);
	file->has_headers = true;
}

int perf_header_read(struct perf_file *file, struct fault *fault)
{
	int rc = read_headers(file, fault);

	if (!rc && file->attr_count)
		perf_header_end(file);
	if (rc == -EBADMSG)
		return fault_set(fault, rc, "%s: damaged or cut off", file->path);
	return rc ? fault_set(fault, rc, "%s: %s", file->path, strerror(-rc)) : 0;
}
