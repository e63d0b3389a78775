// SPDX-License-Identifier: GPL-2.0-only
/* perf_file.c - reads the records of perf.data files, bounds-checked */
#include "collector/source/trace/perf/perf_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/perf_event.h>

#include "collector/source/trace/perf/perf_header.h"
#include "collector/source/trace/whole_file.h"

/* Newer than Debian 12's <linux/perf_event.h>, and perf's own types (tools/lib/perf). */
enum {
	RECORD_COMM = 3,
	RECORD_LOST = 2,
	RECORD_THROTTLE = 5,
	RECORD_UNTHROTTLE = 6,
	RECORD_SAMPLE = 9,
	RECORD_LOST_SAMPLES = 13,
	RECORD_HEADER_ATTR = 64,
	RECORD_TRACING_DATA = 66,
	RECORD_FINISHED_ROUND = 68,
	RECORD_ID_INDEX = 69,
	RECORD_AUXTRACE = 71,
	RECORD_FEATURE = 80,
	RECORD_COMPRESSED = 81,
	RECORD_COMPRESSED2 = 83
};

#define FORMAT_LOST (1U << 4)
#define NEEDED	    (PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_RAW)

static int damaged(const struct perf_file *f, struct fault *fault)
{
	return fault_set(fault, -EBADMSG, "%s: damaged or cut off", f->path);
}

const struct perf_attr *perf_file_find(const struct perf_file *file, enum kvm_event_kind kind)
{
	const struct kvm_event_layout *layout = &file->formats.layout[kind];

	for (size_t i = 0; i < file->attr_count && layout->known; i++) {
		const struct perf_attr *attr = &file->attrs[i];

		if (attr->type == PERF_TYPE_TRACEPOINT && attr->config == layout->id)
			return attr;
	}
	return NULL;
}

/* Whether the CPU of @arch (utsname.machine) has the exit reasons of x86; "": unknown. */
static bool is_x86(const char *arch)
{
	return strstr(arch, "86") != NULL;
}

static int no_exits(const struct perf_file *f, struct fault *fault)
{
	return fault_set(
		fault, -ENOENT,
		"%s: no kvm_exit was recorded (perf kvm stat record -a, or perf record -a -e kvm:kvm_exit -e kvm:kvm_entry)",
		f->path);
}

/* The samples of kvm_exit must have what a record is made from. */
static int check_samples(const struct perf_file *f, struct fault *fault)
{
	const struct perf_attr *exits = perf_file_find(f, KVM_EVENT_EXIT);

	if (!exits)
		return no_exits(f, fault);
	if ((exits->sample_type & NEEDED) != NEEDED)
		return fault_set(
			fault, -ENOTSUP,
			"%s: its samples lack the time, the thread or the raw data (perf record -T -R)",
			f->path);
	return 0;
}

/* Whether the file's exits can be read; else one line for the cause. */
static int check(const struct perf_file *f, struct fault *fault)
{
	const char *arch = f->features.arch ? f->features.arch : "";

	switch (kvm_event_formats_check(&f->formats)) {
	case 0:
		return check_samples(f, fault);
	case -EBADMSG:
		return fault_set(fault, -EBADMSG,
				 "%s: damaged: the format of kvm_exit has no field exit_reason",
				 f->path);
	case -ENOENT:
		/* kvm_exit of another architecture has another format. */
		if (!*arch || is_x86(arch))
			return no_exits(f, fault);
		break;
	}

	return fault_set(
		fault, -ENOEXEC,
		"%s: no x86 kvm_exit: it was recorded on %s, whose exit reasons are others",
		f->path, *arch && !is_x86(arch) ? arch : "an arm64 host or the like");
}

/* Of a pipe: all records before the first sample, which hold the headers. */
static int read_pipe_headers(struct perf_file *f, struct fault *fault)
{
	struct perf_record record;
	int rc = 1;

	while (rc > 0 &&
	       (kvm_event_formats_check(&f->formats) || !perf_file_find(f, KVM_EVENT_EXIT)))
		rc = perf_file_next(f, &record, fault);
	perf_header_end(f);
	perf_file_rewind(f);
	return rc < 0 ? rc : 0;
}

/* Where the file of another perf begins: a magic number, and the size of a header of either kind.
 */
static uint64_t find_next(const struct perf_file *f)
{
	static const char file[16] = "PERFILE2\x68", pipe[16] = "PERFILE2\x10";
	uint64_t at = whole_file_next(f->data, f->size, pipe, sizeof(pipe));

	return at ? at : whole_file_next(f->data, f->size, file, sizeof(file));
}

int perf_file_open(struct perf_file *file, const char *path, struct fault *fault)
{
	int rc;

	memset(file, 0, sizeof(*file));
	file->path = path;

	rc = whole_file_map(path, &file->data, &file->size);
	if (rc == -EBADMSG)
		damaged(file, fault);
	else if (rc)
		fault_set(fault, rc, "%s: %s", path, strerror(-rc));
	if (!rc)
		rc = perf_header_read(file, fault);

	if (!rc) {
		file->at = file->begin;
		file->next_at = find_next(file);
		if (file->begin == PERF_FILE_PIPE_HEADER && file->next_at)
			file->end = file->next_at;
		if (!file->attr_count)
			rc = read_pipe_headers(file, fault);
	}

	if (!rc)
		rc = check(file, fault);
	if (rc)
		perf_file_close(file);
	return rc;
}

void perf_file_rewind(struct perf_file *file)
{
	file->at = file->begin;
	perf_unpack_reset(&file->unpack);
}

static const struct perf_attr *attr_of(const struct perf_file *f, uint64_t id)
{
	size_t low = 0, high = f->id_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (f->ids[middle].id == id)
			return &f->attrs[f->ids[middle].attr];
		if (f->ids[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* PERF_SAMPLE_READ, as in perf_event_open(2). */
static void skip_read(struct cursor *c, uint64_t format)
{
	uint64_t times = !!(format & PERF_FORMAT_TOTAL_TIME_ENABLED) +
			 !!(format & PERF_FORMAT_TOTAL_TIME_RUNNING);
	uint64_t each = 1 + !!(format & PERF_FORMAT_ID) + !!(format & FORMAT_LOST);
	uint64_t count = format & PERF_FORMAT_GROUP ? cursor_u64(c) : 1;

	if (count > cursor_left(c))
		c->bad = true;
	else
		cursor_take(c, 8 * (times + count * each));
}

static void skip_if(struct cursor *c, const struct perf_attr *attr, uint64_t field)
{
	if (attr->sample_type & field)
		cursor_u64(c);
}

/* The event of a sample: by its id, or the only one. */
static const struct perf_attr *sample_attr(const struct perf_file *f, struct cursor c)
{
	const struct perf_attr *attr = f->attrs;
	uint64_t before = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR;

	if (attr->sample_type & PERF_SAMPLE_IDENTIFIER)
		return attr_of(f, cursor_u64(&c));
	if (!(attr->sample_type & PERF_SAMPLE_ID))
		return f->attr_count == 1 ? attr : NULL;
	for (uint64_t bit = 1; bit <= PERF_SAMPLE_ADDR; bit <<= 1) {
		if (before & bit)
			skip_if(&c, attr, bit);
	}
	return attr_of(f, cursor_u64(&c));
}

/*
 * Fields of a sample stand in the order of perf_event_open(2). What follows the raw
 * data (branches, registers, weights, the data's source) is of no interest here.
 */
static int take_sample(const struct perf_file *f, struct cursor *c, struct perf_record *r)
{
	const struct perf_attr *attr = f->attr_count ? sample_attr(f, *c) : NULL;

	/* Of an event that the file doesn't describe. */
	if (!attr)
		return 1;
	r->kind = PERF_FILE_SAMPLE;
	r->attr = attr;
	skip_if(c, attr, PERF_SAMPLE_IDENTIFIER);
	skip_if(c, attr, PERF_SAMPLE_IP);
	if (attr->sample_type & PERF_SAMPLE_TID) {
		r->pid = cursor_u32(c);
		r->tid = cursor_u32(c);
	}
	if (attr->sample_type & PERF_SAMPLE_TIME)
		r->time = cursor_u64(c);
	skip_if(c, attr, PERF_SAMPLE_ADDR);
	skip_if(c, attr, PERF_SAMPLE_ID);
	skip_if(c, attr, PERF_SAMPLE_STREAM_ID);
	if (attr->sample_type & PERF_SAMPLE_CPU) {
		r->cpu = cursor_u32(c);
		cursor_u32(c);
	}
	if (attr->sample_type & PERF_SAMPLE_PERIOD)
		r->period = cursor_u64(c);
	if (attr->sample_type & PERF_SAMPLE_READ)
		skip_read(c, attr->read_format);
	if (attr->sample_type & PERF_SAMPLE_CALLCHAIN) {
		uint64_t count = cursor_u64(c);

		cursor_take(c, count <= cursor_left(c) ? 8 * count : UINT64_MAX);
	}
	if (attr->sample_type & PERF_SAMPLE_RAW) {
		r->raw_size = cursor_u32(c);
		r->raw = cursor_take(c, r->raw_size);
	}
	return c->bad ? -EBADMSG : 1;
}

/* Who and when, at the end of records that are not samples. */
static void take_sample_id(const struct perf_file *f, struct cursor *c, struct perf_record *r)
{
	const struct perf_attr *attr = f->attrs;

	if (!f->attr_count || !attr->sample_id_all)
		return;
	if (attr->sample_type & PERF_SAMPLE_TID) {
		r->pid = cursor_u32(c);
		r->tid = cursor_u32(c);
	}
	if (attr->sample_type & PERF_SAMPLE_TIME)
		r->time = cursor_u64(c);
	skip_if(c, attr, PERF_SAMPLE_ID);
	skip_if(c, attr, PERF_SAMPLE_STREAM_ID);
	if (attr->sample_type & PERF_SAMPLE_CPU)
		r->cpu = cursor_u32(c);
}

/* id, number; then who and when. */
static int take_lost(const struct perf_file *f, struct cursor *c, struct perf_record *r)
{
	r->kind = PERF_FILE_LOST;
	cursor_u64(c);
	r->lost = cursor_u64(c);
	take_sample_id(f, c, r);
	return c->bad ? -EBADMSG : 1;
}

/* number; the event's id is what the record ends with (PERF_SAMPLE_IDENTIFIER). */
static int take_lost_samples(const struct perf_file *f, struct cursor *c, struct perf_record *r)
{
	r->kind = PERF_FILE_LOST_SAMPLES;
	r->lost = cursor_u64(c);
	if (cursor_left(c) >= 8) {
		uint64_t id;

		memcpy(&id, c->end - 8, 8);
		r->attr = attr_of(f, id);
	}
	return c->bad ? -EBADMSG : 1;
}

/* time, id, stream id; then who and when. */
static int take_throttling(const struct perf_file *f, enum perf_record_kind kind, struct cursor *c,
			   struct perf_record *r)
{
	uint64_t time = cursor_u64(c);

	r->kind = kind;
	r->attr = attr_of(f, cursor_u64(c));
	cursor_u64(c);
	take_sample_id(f, c, r);
	r->time = time;
	return c->bad ? -EBADMSG : 1;
}

static int take_comm(struct cursor *c, struct perf_record *r)
{
	r->kind = PERF_FILE_COMM;
	r->pid = cursor_u32(c);
	r->tid = cursor_u32(c);
	r->comm = cursor_text(c);
	return c->bad ? -EBADMSG : 1;
}

static void add_cpu(struct perf_cpus *cpus, uint64_t cpu)
{
	uint64_t bit = 1ULL << cpu % 64;

	if (cpu >= 64 * sizeof(cpus->seen) / sizeof(*cpus->seen)) {
		cpus->any = true;
		return;
	}
	if (!cpus->count || cpu < cpus->first)
		cpus->first = (uint32_t)cpu;
	cpus->count += !(cpus->seen[cpu / 64] & bit);
	cpus->seen[cpu / 64] |= bit;
}

/* number; for each id: the id, its place, CPU (-1: any) and thread. */
static int take_id_index(struct perf_file *f, struct cursor c)
{
	const struct perf_attr *exits = perf_file_find(f, KVM_EVENT_EXIT);

	if (!f->has_headers)
		return 1;
	for (uint64_t left = cursor_u64(&c); left && cursor_left(&c) >= 32; left--) {
		const struct perf_attr *attr = attr_of(f, cursor_u64(&c));
		uint64_t cpu;

		cursor_u64(&c);
		cpu = cursor_u64(&c);
		cursor_u64(&c);
		if (attr && attr->type == exits->type && attr->config == exits->config)
			add_cpu(&f->cpus, cpu);
	}
	return 1;
}

/* Records that perf itself wrote: of a pipe they are the headers. */
static int take_header_record(struct perf_file *f, uint32_t type, struct cursor c)
{
	struct cursor attr;
	uint32_t bytes;
	uint64_t bit;
	int rc;

	if (f->has_headers)
		return 1;

	switch (type) {
	case RECORD_HEADER_ATTR:
		/* struct perf_event_attr, whose second field is its size; then ids. */
		attr = c;
		memcpy(&bytes, cursor_left(&c) >= 8 ? c.at + 4 : (const unsigned char *)"\0\0\0",
		       4);
		if (!cursor_take(&c, bytes))
			return -EBADMSG;
		attr.end = c.at;

		rc = perf_header_add_attr(f, attr, c);
		return rc ? rc : 1;
	case RECORD_FEATURE:
		bit = cursor_u64(&c);
		if (!c.bad && bit < 256)
			perf_header_add_feature(f, (unsigned int)bit, c);
		return 1;
	}
	return 1;
}

/* The formats follow the record. */
static int take_formats(struct perf_file *f, struct cursor c)
{
	uint64_t bytes = cursor_u32(&c);
	struct cursor section = cursor_of(f->data, f->size, f->at, bytes);
	int rc;

	if (c.bad || section.bad)
		return -EBADMSG;
	rc = f->has_headers ? 0 : perf_header_add_formats(f, section);
	f->at += (bytes + 7) & ~7ULL;
	if (f->at > f->end)
		f->at = f->end;
	return rc ? rc : 1;
}

/* A trace of the CPU's (Intel PT), whose size is the record's first field, follows the record. */
static int skip_auxtrace(struct perf_file *f, struct cursor c)
{
	uint64_t bytes = cursor_u64(&c);

	if (c.bad || bytes > f->end - f->at)
		return -EBADMSG;
	f->at += bytes;
	return 1;
}

static int take_compressed(struct perf_file *f, uint32_t type, struct cursor c)
{
	uint64_t bytes = type == RECORD_COMPRESSED2 ? cursor_u64(&c) : cursor_left(&c);
	const void *piece = cursor_take(&c, bytes);
	int rc = piece ? perf_unpack_add(&f->unpack, piece, bytes) : -EBADMSG;

	return rc ? rc : 1;
}

/* A record that was read from the file or unpacked. */
static int take_record(struct perf_file *f, uint32_t type, struct cursor c, struct perf_record *r)
{
	switch (type) {
	case RECORD_SAMPLE:
		return take_sample(f, &c, r);
	case RECORD_LOST:
		return take_lost(f, &c, r);
	case RECORD_LOST_SAMPLES:
		return take_lost_samples(f, &c, r);
	case RECORD_COMM:
		return take_comm(&c, r);
	case RECORD_THROTTLE:
		return take_throttling(f, PERF_FILE_THROTTLED, &c, r);
	case RECORD_UNTHROTTLE:
		return take_throttling(f, PERF_FILE_UNTHROTTLED, &c, r);
	case RECORD_FINISHED_ROUND:
		r->kind = PERF_FILE_ROUND;
		return 1;
	}
	return 1;
}

/* The next record of @bytes bytes at @data: 0 if they hold no whole one. */
static uint64_t next_record(const unsigned char *data, uint64_t bytes, struct cursor *body,
			    uint32_t *type)
{
	struct perf_event_header header;

	if (bytes < sizeof(header))
		return 0;
	memcpy(&header, data, sizeof(header));
	if (header.size < sizeof(header) || header.size > bytes)
		return 0;
	*body = (struct cursor){data + sizeof(header), data + header.size, false};
	*type = header.type;
	return header.size;
}

/*
 * Whether the file of a pipe ends within the record that begins here: perf or the pipe was killed.
 * A file that is not a pipe's has its headers at its end.
 */
static bool is_cut_off(const struct perf_file *f)
{
	struct perf_event_header header;
	uint64_t left = f->end - f->at;

	if (f->begin != PERF_FILE_PIPE_HEADER || !f->has_headers)
		return false;
	if (left < sizeof(header))
		return true;
	memcpy(&header, f->data + f->at, sizeof(header));
	return header.size >= sizeof(header) && header.size > left;
}

static int next_in_file(struct perf_file *f, struct perf_record *record)
{
	struct cursor body;
	uint32_t type;
	uint64_t bytes;

	if (f->at == f->end)
		return f->unpack.end > f->unpack.first ? -EBADMSG : 0;
	bytes = next_record(f->data + f->at, f->end - f->at, &body, &type);
	if (!bytes && is_cut_off(f)) {
		f->cut_at = f->size;
		return 0;
	}
	if (!bytes)
		return -EBADMSG;
	f->at += bytes;

	if (type == RECORD_COMPRESSED || type == RECORD_COMPRESSED2)
		return take_compressed(f, type, body);
	if (type == RECORD_TRACING_DATA)
		return take_formats(f, body);
	if (type == RECORD_ID_INDEX)
		return take_id_index(f, body);
	if (type == RECORD_AUXTRACE)
		return skip_auxtrace(f, body);
	if (type >= RECORD_HEADER_ATTR && type != RECORD_FINISHED_ROUND)
		return take_header_record(f, type, body);
	return take_record(f, type, body, record);
}

int perf_file_next(struct perf_file *file, struct perf_record *record, struct fault *fault)
{
	struct perf_unpack *u = &file->unpack;
	struct cursor body;
	uint32_t type;
	uint64_t bytes;
	int rc;

	memset(record, 0, sizeof(*record));
	bytes = 0;
	if (u->end > u->first)
		bytes = next_record(u->data + u->first, u->end - u->first, &body, &type);
	u->first += bytes;
	rc = bytes ? take_record(file, type, body, record) : next_in_file(file, record);
	if (rc == -EBADMSG)
		return damaged(file, fault);
	return rc < 0 ? fault_set(fault, rc, "%s: %s", file->path, strerror(-rc)) : rc;
}

void perf_file_close(struct perf_file *file)
{
	struct perf_features *features = &file->features;

	whole_file_unmap(file->data, file->size);
	free(file->attrs);
	free(file->ids);
	free(features->hostname);
	free(features->kernel);
	free(features->cpu);
	free(features->arch);
	free(features->command);
	perf_unpack_free(&file->unpack);
	memset(file, 0, sizeof(*file));
}
