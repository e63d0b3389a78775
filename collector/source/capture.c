// SPDX-License-Identifier: GPL-2.0-only
/*
 * capture.c - reads a capture file. Nothing in it is believed: sizes,
 * numbers and order are checked, memory does not depend on them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "collector/source/capture_file.h"

#define BUFFER_BYTES  (256 * 1024)
#define BATCH_RECORDS 4096U
#define TEXT_BYTES    (16U << 20) /* RUN_VMX_CAPS has 500 bytes for each CPU */
#define MAX_VCPUS     65536U

struct file_source {
	struct source source; /* first: the two are cast into each other */
	gzFile file;
	char *path;
	uint64_t offset; /* bytes read, uncompressed */
	struct capture_block block;
	uint64_t left;	/* bytes of a CAPTURE_RECORDS block not given yet */
	uint64_t last;	/* TSC when the last of the exits read so far had ended */
	bool cut;	/* the file ended in the middle of a block of records */
	uint32_t vcpus; /* announced */
	uint8_t *ended; /* one per vCPU */
	int finished;
	int stopped;
	struct capture_vcpu vcpu;
	struct kvm_exit_total totals[KVM_EXIT_TOTAL_SLOTS];
	struct kvm_exit_record records[BATCH_RECORDS];
};

static int corrupt(struct file_source *s, struct fault *fault, const char *what)
{
	return fault_set(fault, -EBADMSG, "%s: damaged at byte %llu: %s (record it again)", s->path,
			 (unsigned long long)s->offset, what);
}

/*
 * The file ends too early. All before that is good: the run ends with the last exit that was
 * read. Returns -ENODATA.
 */
static int cut_off(struct file_source *s, struct fault *fault)
{
	struct run_info *info = &s->source.info;
	double ns;

	if (s->last > info->tsc_start) {
		ns = (double)(s->last - info->tsc_start) * 1e6 / info->tsc_khz;
		info->tsc_end = s->last;
		/* A damaged TSC may be any number. */
		info->ended_ns = info->started_ns + (ns < 1e18 ? (int64_t)ns : 0);
	}
	return fault_set(fault, -ENODATA, "%s: cut off at byte %llu", s->path,
			 (unsigned long long)s->offset);
}

/* Exactly @bytes bytes, -ENODATA at the end of a file that was cut off, or -EBADMSG. */
static int get(struct file_source *s, void *data, size_t bytes, struct fault *fault)
{
	int n;
	int error;

	errno = 0;
	n = gzread(s->file, data, (unsigned int)bytes);
	if (n == (int)bytes) {
		s->offset += bytes;
		return 0;
	}
	gzerror(s->file, &error);
	if (error == Z_ERRNO && errno)
		return fault_set(fault, -errno, "%s: %s", s->path, strerror(errno));
	if (error == Z_DATA_ERROR)
		return corrupt(s, fault, "the compressed data are wrong");
	return cut_off(s, fault);
}

/* A block of known size. */
static int get_fixed(struct file_source *s, void *data, size_t bytes, struct fault *fault)
{
	if (s->block.bytes != bytes)
		return corrupt(s, fault, "a block has the wrong size");
	return get(s, data, bytes, fault);
}

static int get_text(struct file_source *s, struct fault *fault)
{
	char *line;
	char *value;
	int rc;
	int i;

	if (s->block.bytes > TEXT_BYTES || s->vcpus)
		return corrupt(s, fault, "a text is too long or too late");
	line = calloc(1, s->block.bytes + 1);
	if (!line)
		return fault_set(fault, -ENOMEM, "out of memory");
	rc = get(s, line, s->block.bytes, fault);
	value = rc ? NULL : strchr(line, '=');
	if (value) {
		*value++ = '\0';
		for (i = 0; i < RUN_TEXTS; i++)
			if (!strcmp(line, run_text_names[i]))
				run_info_set(&s->source.info, i, value);
	}
	free(line);
	return rc;
}

static int get_vcpu(struct file_source *s, struct source_item *item, struct fault *fault)
{
	uint8_t *ended;
	int rc = get_fixed(s, &s->vcpu, sizeof(s->vcpu), fault);

	if (rc)
		return rc;
	if (s->block.vcpu != s->vcpus || s->vcpus == MAX_VCPUS)
		return corrupt(s, fault, "a vCPU has the wrong number");
	ended = realloc(s->ended, s->vcpus + 1);
	if (!ended)
		return fault_set(fault, -ENOMEM, "out of memory");
	s->ended = ended;
	ended[s->vcpus++] = 0;
	s->vcpu.comm[sizeof(s->vcpu.comm) - 1] = '\0';
	item->kind = SOURCE_VCPU;
	item->info = (struct store_vcpu){
		.comm = s->vcpu.comm,
		.vm_id = s->vcpu.vm_id,
		.ring_id = s->vcpu.ring_id,
		.tgid = s->vcpu.tgid,
		.vcpu_id = s->vcpu.vcpu_id,
		.first_seq = s->vcpu.first_seq,
	};
	return 0;
}

static int get_records(struct file_source *s, struct source_item *item, struct fault *fault)
{
	size_t count = s->left / sizeof(s->records[0]);
	size_t bytes;
	uint64_t end;
	int n;

	if (count > BATCH_RECORDS)
		count = BATCH_RECORDS;
	bytes = count * sizeof(s->records[0]);

	n = gzread(s->file, s->records, (unsigned int)bytes);
	if (n >= 0 && n < (int)bytes) {
		/* The whole records before the cut are given first. */
		s->cut = true;
		count = (size_t)n / sizeof(s->records[0]);
	}
	if (n < 0 || !count)
		return n < 0 ? get(s, s->records, bytes, fault) : cut_off(s, fault);

	s->offset += (uint64_t)n;
	s->left -= bytes;
	end = s->records[count - 1].tsc + s->records[count - 1].cycles;
	if (end > s->last)
		s->last = end;
	item->kind = SOURCE_RECORDS;
	item->records = s->records;
	item->count = count;
	return 0;
}

static int get_end(struct file_source *s, struct source_item *item, struct fault *fault)
{
	struct capture_end end;
	struct capture_slot slot;
	uint32_t i;
	int rc;

	if (s->block.bytes < sizeof(end))
		return corrupt(s, fault, "a block has the wrong size");
	rc = get(s, &end, sizeof(end), fault);
	if (!rc && (end.slots > KVM_EXIT_TOTAL_SLOTS ||
		    s->block.bytes != sizeof(end) + end.slots * sizeof(slot)))
		rc = corrupt(s, fault, "a block has the wrong size");
	memset(s->totals, 0, sizeof(s->totals));
	for (i = 0; !rc && i < end.slots; i++) {
		rc = get(s, &slot, sizeof(slot), fault);
		if (!rc && slot.slot >= KVM_EXIT_TOTAL_SLOTS)
			rc = corrupt(s, fault, "totals of a slot that does not exist");
		if (!rc)
			s->totals[slot.slot] = slot.total;
	}
	if (rc)
		return rc;
	s->ended[s->block.vcpu] = 1;
	item->kind = SOURCE_END_VCPU;
	item->end = (struct store_vcpu_end){
		.totals = s->totals,
		.end_seq = end.end_seq,
		.filtered = end.filtered,
		.unread = end.unread,
		.vmfail = end.vmfail,
		.open_exits = end.open_exits,
		.ended = end.ended,
	};
	return 0;
}

static int get_finish(struct file_source *s, struct fault *fault)
{
	struct capture_finish finish;
	char more;
	int rc = get_fixed(s, &finish, sizeof(finish), fault);

	if (rc)
		return rc;
	if (gzread(s->file, &more, 1) != 0)
		return corrupt(s, fault, "there is something after the end");
	s->source.info.tsc_end = finish.tsc_end;
	s->source.info.ended_ns = finish.ended_ns;
	s->finished = 1;
	return 0;
}

/* One block (or a part of a large one); item->kind stays SOURCE_NOTHING where
 * there is nothing to hand on.
 */
static int get_block(struct file_source *s, struct source_item *item, struct fault *fault)
{
	int rc = get(s, &s->block, sizeof(s->block), fault);

	if (rc)
		return rc;
	item->vcpu = (int)s->block.vcpu;
	if ((s->block.kind == CAPTURE_RECORDS || s->block.kind == CAPTURE_END_VCPU) &&
	    (s->block.vcpu >= s->vcpus || s->ended[s->block.vcpu]))
		return corrupt(s, fault, "a block of a vCPU that is not there");
	switch (s->block.kind) {
	case CAPTURE_TEXT:
		return get_text(s, fault);
	case CAPTURE_VCPU:
		return get_vcpu(s, item, fault);
	case CAPTURE_RECORDS:
		if (s->block.bytes % sizeof(s->records[0]))
			return corrupt(s, fault, "a block has the wrong size");
		s->left = s->block.bytes;
		return s->left ? get_records(s, item, fault) : 0;
	case CAPTURE_END_VCPU:
		return get_end(s, item, fault);
	case CAPTURE_FINISH:
		return get_finish(s, fault);
	}
	return corrupt(s, fault, "a block of unknown kind");
}

static int file_next(struct source *source, struct source_item *item, struct fault *fault)
{
	struct file_source *s = (struct file_source *)source;
	int rc = 0;

	item->kind = SOURCE_NOTHING;
	/* Half a file is no recording. */
	if (s->stopped)
		return fault_set(fault, -EINTR, "%s: stopped before its end", s->path);
	if (s->cut)
		return cut_off(s, fault);
	if (s->left) {
		item->vcpu = (int)s->block.vcpu;
		return get_records(s, item, fault);
	}
	while (!rc && !s->finished && item->kind == SOURCE_NOTHING)
		rc = get_block(s, item, fault);
	if (!rc && item->kind == SOURCE_NOTHING)
		item->kind = SOURCE_FINISHED;
	return rc;
}

static void file_stop(struct source *source)
{
	((struct file_source *)source)->stopped = 1;
}

static void file_close(struct source *source)
{
	struct file_source *s = (struct file_source *)source;

	if (s->file)
		gzclose(s->file);
	run_info_free(&s->source.info);
	free(s->ended);
	free(s->path);
	free(s);
}

static int get_header(struct file_source *s, struct fault *fault)
{
	struct capture_header header;
	int n = gzread(s->file, &header, sizeof(header));

	if (n != (int)sizeof(header) || header.magic != CAPTURE_MAGIC)
		return fault_set(fault, -EBADMSG, "%s: is not a capture file", s->path);
	if (header.version != CAPTURE_VERSION || header.record_bytes != sizeof(s->records[0]))
		return fault_set(fault, -EPROTO, "%s: version %u of the format is unknown", s->path,
				 header.version);
	s->offset = sizeof(header);
	if (!header.tsc_khz || header.isa < KVM_EXIT_ISA_VMX || header.isa > KVM_EXIT_ISA_SVM)
		return corrupt(s, fault, "the header makes no sense");
	s->source.info.isa = header.isa;
	s->source.info.tsc_khz = header.tsc_khz;
	s->source.info.tsc_start = header.tsc_start;
	s->source.info.started_ns = header.started_ns;
	return 0;
}

int source_capture_open(const char *path, struct source **result, struct fault *fault)
{
	static const struct source_ops ops = {
		.name = "capture",
		.next = file_next,
		.stop = file_stop,
		.close = file_close,
	};
	struct file_source *s;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = 0;

	*result = NULL;
	if (fd < 0 || fstat(fd, &st))
		rc = fault_set(fault, -errno, "%s: %s", path, strerror(errno));
	else if (S_ISDIR(st.st_mode))
		rc = fault_set(fault, -EISDIR, "%s: is a folder", path);
	s = rc ? NULL : calloc(1, sizeof(*s));
	if (s)
		s->file = gzdopen(fd, "rb");
	if (!s || !s->file) {
		if (fd >= 0)
			close(fd);
		free(s);
		return rc ? rc : fault_set(fault, -ENOMEM, "out of memory");
	}
	gzbuffer(s->file, BUFFER_BYTES);
	s->path = strdup(path);
	s->source.ops = &ops;
	s->source.fd = -1;
	rc = get_header(s, fault);
	if (rc) {
		file_close(&s->source);
		return rc;
	}
	*result = &s->source;
	return 0;
}
