// SPDX-License-Identifier: GPL-2.0-only
/* perf_file.c - reads perf.data files, bounds-checked */
#include "collector/source/trace/perf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event-parse.h>
#include <linux/perf_event.h>

#define PERF_MAGIC	      "PERFILE2"
#define FEATURE_TRACING_DATA  1
#define RECORD_FINISHED_ROUND 68
#define RECORD_COMPRESSED     81
#define KNOWN_SAMPLE_TYPES                                                                         \
	(PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |            \
	 PERF_SAMPLE_ADDR | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU |             \
	 PERF_SAMPLE_PERIOD | PERF_SAMPLE_RAW)

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
	uint64_t features[4];
};

/* A place in the file that moves on; @bad: it would have left the file. */
struct cursor {
	const unsigned char *at;
	const unsigned char *end;
	bool bad;
};

static bool inside(const struct perf_file *f, const struct section *s)
{
	return s->offset <= f->size && s->size <= f->size - s->offset;
}

static const void *take(struct cursor *c, uint64_t bytes)
{
	const void *at = c->at;

	if (c->bad || bytes > (uint64_t)(c->end - c->at)) {
		c->bad = true;
		return NULL;
	}
	c->at += bytes;
	return at;
}

static uint64_t take_u64(struct cursor *c)
{
	const void *at = take(c, 8);
	uint64_t value = 0;

	if (at)
		memcpy(&value, at, 8);
	return value;
}

static uint32_t take_u32(struct cursor *c)
{
	const void *at = take(c, 4);
	uint32_t value = 0;

	if (at)
		memcpy(&value, at, 4);
	return value;
}

/* A text that ends with a 0. */
static const char *take_text(struct cursor *c)
{
	const unsigned char *end = c->bad ? NULL : memchr(c->at, 0, (size_t)(c->end - c->at));

	if (!end) {
		c->bad = true;
		return "";
	}
	return take(c, (uint64_t)(end - c->at) + 1);
}

/* All events must have the same layout of samples: perf kvm's have. */
static int read_attrs(struct perf_file *f, const struct file_header *h)
{
	struct perf_event_attr attr;
	bool first = true;

	if (!inside(f, &h->attrs) || h->attr_size < PERF_ATTR_SIZE_VER0 + sizeof(struct section))
		return -EBADMSG;
	for (uint64_t at = 0; at + h->attr_size <= h->attrs.size; at += h->attr_size) {
		uint64_t bytes = h->attr_size - sizeof(struct section);

		memset(&attr, 0, sizeof(attr));
		memcpy(&attr, f->data + h->attrs.offset + at,
		       bytes < sizeof(attr) ? bytes : sizeof(attr));
		if (attr.type != PERF_TYPE_TRACEPOINT)
			continue;
		if (attr.sample_type & ~(uint64_t)KNOWN_SAMPLE_TYPES ||
		    (!first && attr.sample_type != f->sample_type))
			return -ENOTSUP;
		f->sample_type = attr.sample_type;
		f->sample_id_all = attr.sample_id_all;
		first = false;
	}
	if (first)
		return -ENOENT;
	return f->sample_type & PERF_SAMPLE_RAW && f->sample_type & PERF_SAMPLE_TID &&
			       f->sample_type & PERF_SAMPLE_TIME && f->sample_type & PERF_SAMPLE_CPU
		       ? 0
		       : -ENOTSUP;
}

/* The formats of one system's events. */
static void read_system(struct perf_file *f, struct cursor *c)
{
	const char *system = take_text(c);
	uint32_t count = take_u32(c);
	uint64_t size;
	const char *text;

	for (uint32_t i = 0; i < count && !c->bad; i++) {
		size = take_u64(c);
		text = take(c, size);
		if (text && !strcmp(system, "kvm"))
			tep_parse_event(f->tep, text, size, system);
	}
}

/* Section tracing data: what trace-cmd's format has in front, too. */
static int read_formats(struct perf_file *f, const struct section *s)
{
	struct cursor c = {f->data + s->offset, f->data + s->offset + s->size, false};
	const unsigned char *flags;
	uint32_t count;

	take(&c, 10);	     /* magic and "tracing" */
	take_text(&c);	     /* version */
	flags = take(&c, 2); /* big endian?, bytes of a long */
	if (flags && flags[0])
		return -ENOTSUP;
	take_u32(&c);		      /* page size */
	for (int i = 0; i < 2; i++) { /* header_page, header_event */
		take_text(&c);
		take(&c, take_u64(&c));
	}
	count = take_u32(&c); /* ftrace's own events */
	for (uint32_t i = 0; i < count && !c.bad; i++)
		take(&c, take_u64(&c));
	count = take_u32(&c);
	for (uint32_t i = 0; i < count && !c.bad; i++)
		read_system(f, &c);
	return c.bad ? -EBADMSG : 0;
}

/* Feature sections stand behind the data, in the order of their bits. */
static int find_formats(struct perf_file *f, const struct file_header *h)
{
	struct section s, table = {h->data.offset + h->data.size, sizeof(s)};

	if (!(h->features[0] & 1ULL << FEATURE_TRACING_DATA))
		return -ENOENT;
	if (h->features[0] & 1)
		table.offset += sizeof(s);
	if (!inside(f, &table))
		return -EBADMSG;
	memcpy(&s, f->data + table.offset, sizeof(s));
	return inside(f, &s) ? read_formats(f, &s) : -EBADMSG;
}

static int read_headers(struct perf_file *f)
{
	struct file_header h;
	int rc;

	if (f->size < sizeof(h))
		return -EBADMSG;
	memcpy(&h, f->data, sizeof(h));
	if (memcmp(h.magic, PERF_MAGIC, sizeof(h.magic)))
		return -EPROTO;
	if (h.size < sizeof(h) || !h.data.size)
		return -ENOTSUP; /* piped, or perf was killed before it wrote the header */
	if (!inside(f, &h.data))
		return -EBADMSG;
	rc = read_attrs(f, &h);
	if (rc)
		return rc;
	f->at = h.data.offset;
	f->end = h.data.offset + h.data.size;
	return find_formats(f, &h);
}

int perf_file_open(struct perf_file *file, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	memset(file, 0, sizeof(*file));
	if (fd < 0 || fstat(fd, &st)) {
		rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	file->size = (uint64_t)st.st_size;
	file->data = file->size ? mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
	close(fd);
	if (!file->data || file->data == MAP_FAILED) {
		file->data = NULL;
		return file->size ? -ENOMEM : -EBADMSG;
	}
	file->tep = tep_alloc();
	rc = file->tep ? 0 : -ENOMEM;
	if (!rc) {
		tep_set_long_size(file->tep, 8);
		tep_set_file_bigendian(file->tep, TEP_LITTLE_ENDIAN);
		tep_set_local_bigendian(file->tep, TEP_LITTLE_ENDIAN);
		rc = read_headers(file);
	}
	if (rc)
		perf_file_close(file);
	return rc;
}

static int take_sample(const struct perf_file *f, struct cursor *c, struct perf_record *r)
{
	const uint64_t skipped[] = {PERF_SAMPLE_ADDR, PERF_SAMPLE_ID, PERF_SAMPLE_STREAM_ID};

	take(c, f->sample_type & PERF_SAMPLE_IDENTIFIER ? 8 : 0);
	take(c, f->sample_type & PERF_SAMPLE_IP ? 8 : 0);
	r->pid = take_u32(c);
	r->tid = take_u32(c);
	r->time = take_u64(c);
	for (size_t i = 0; i < sizeof(skipped) / sizeof(*skipped); i++)
		take(c, f->sample_type & skipped[i] ? 8 : 0);
	r->cpu = take_u32(c);
	take_u32(c);
	take(c, f->sample_type & PERF_SAMPLE_PERIOD ? 8 : 0);
	r->raw_size = take_u32(c);
	r->raw = take(c, r->raw_size);
	return c->bad ? -EBADMSG : 1;
}

/* id, number; then who and when, in the order of a sample's fields. */
static int take_lost(const struct perf_file *f, struct cursor *c, struct perf_record *r)
{
	take_u64(c);
	r->lost = take_u64(c);
	if (!f->sample_id_all)
		return c->bad ? -EBADMSG : 1;
	r->pid = take_u32(c);
	r->tid = take_u32(c);
	r->time = take_u64(c);
	take(c, f->sample_type & PERF_SAMPLE_ID ? 8 : 0);
	take(c, f->sample_type & PERF_SAMPLE_STREAM_ID ? 8 : 0);
	r->cpu = take_u32(c);
	return c->bad ? -EBADMSG : 1;
}

int perf_file_next(struct perf_file *file, struct perf_record *record)
{
	struct perf_event_header header;
	struct cursor c;

	memset(record, 0, sizeof(*record));
	if (file->at == file->end)
		return 0;
	if (file->end - file->at < sizeof(header))
		return -EBADMSG;
	memcpy(&header, file->data + file->at, sizeof(header));
	if (header.size < sizeof(header) || header.size > file->end - file->at)
		return -EBADMSG;
	c = (struct cursor){file->data + file->at + sizeof(header),
			    file->data + file->at + header.size, false};
	file->at += header.size;
	switch (header.type) {
	case PERF_RECORD_SAMPLE:
		record->kind = PERF_FILE_SAMPLE;
		return take_sample(file, &c, record);
	case PERF_RECORD_LOST:
		record->kind = PERF_FILE_LOST;
		return take_lost(file, &c, record);
	case RECORD_FINISHED_ROUND:
		record->kind = PERF_FILE_ROUND;
		return 1;
	case RECORD_COMPRESSED:
		return -ENOTSUP;
	default:
		return 1;
	}
}

void perf_file_close(struct perf_file *file)
{
	if (file->tep)
		tep_free(file->tep);
	if (file->data)
		munmap((void *)file->data, file->size);
	memset(file, 0, sizeof(*file));
}
