// SPDX-License-Identifier: GPL-2.0-only
/*
 * capture.c - reads a capture file
 *
 * Nothing in it is believed: sizes, numbers and order are checked, memory does not depend on them.
 */
#include "collector/source/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/array.h"
#include "collector/source/capture_file.h"

#define BUFFER_BYTES  (256 * 1024)
#define BATCH_RECORDS 4096U
#define TEXT_BYTES    (16U << 20) /* RUN_VMX_CAPS has 500 bytes for each CPU */
#define MAX_VCPUS     65536U

#define SECTOR_BYTES 512U /* disks write no less */

/*
 * struct file_source - a capture file as a source
 * @offset:	bytes read, uncompressed
 * @block:	the block that is read
 * @left:	bytes of a CAPTURE_RECORDS block not handed on yet
 * @last_tsc:	TSC when the last of the exits read so far had ended
 * @is_cut:	the file ended in the middle of a block of records
 * @vcpus:	vCPUs read so far
 * @is_ended:	is_ended[vcpus]: the end of the vCPU was read
 * @vcpu, @totals, @records: what the last item points to
 * @record_bytes: of each record in the file
 * @raw:	BATCH_RECORDS of them, if they are not as long as ours; else NULL
 */
struct file_source {
	struct source source; /* first: the two are cast into each other */
	gzFile file;
	char *path;
	uint64_t offset;

	struct capture_block block;
	uint64_t left;
	uint64_t last_tsc;
	bool is_cut;
	bool is_finished;
	bool is_stopped;

	uint32_t vcpus;
	bool *is_ended;

	struct capture_vcpu vcpu;
	struct store_identity names;
	struct kvm_exit_total totals[KVM_EXIT_TOTAL_SLOTS];
	struct kvm_exit_record records[BATCH_RECORDS];

	uint32_t record_bytes;
	char *raw;
};

static struct file_source *from_source(struct source *source)
{
	return (struct file_source *)source;
}

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

	if (s->last_tsc > info->tsc_start) {
		double ns = (double)(s->last_tsc - info->tsc_start) * 1e6 / info->tsc_khz;

		info->tsc_end = s->last_tsc;
		/* A damaged TSC, and a damaged time of the start, may be any number. */
		if (ns >= 1e18 ||
		    __builtin_add_overflow(info->started_ns, (int64_t)ns, &info->ended_ns))
			info->ended_ns = info->started_ns;
	}
	return fault_set(fault, -ENODATA, "%s: cut off at byte %llu", s->path,
			 (unsigned long long)s->offset);
}

/*
 * Whether nothing was written there: a host that crashes may leave the length of a file and lose
 * its last data, which read as zeros. No block and no record of a CPU is zeros alone.
 */
static bool is_unwritten(const void *data, size_t bytes)
{
	const unsigned char *byte = data;

	return !*byte && !memcmp(byte, byte + 1, bytes - 1);
}

/* Reads exactly @bytes bytes. -ENODATA: the file ends before them; -EBADMSG; -errno. */
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

/* Reads a block that must have @bytes bytes. */
static int get_fixed(struct file_source *s, void *data, size_t bytes, struct fault *fault)
{
	if (s->block.bytes != bytes)
		return corrupt(s, fault, "a block has the wrong size");
	return get(s, data, bytes, fault);
}

/* Notes a text of the run; one of an unknown name is from a later version, and left out. */
static void set_text(struct run_info *info, const char *name, const char *value)
{
	for (int i = 0; i < RUN_TEXTS; i++) {
		if (!strcmp(name, run_text_names[i]))
			run_info_set(info, i, value);
	}
}

static int get_text(struct file_source *s, struct fault *fault)
{
	char *line;
	char *value;
	int rc;

	if (s->block.bytes > TEXT_BYTES || s->vcpus)
		return corrupt(s, fault, "a text is too long or too late");
	line = calloc(1, s->block.bytes + 1);
	if (!line)
		return fault_set(fault, -ENOMEM, "out of memory");

	rc = get(s, line, s->block.bytes, fault);
	value = rc ? NULL : strchr(line, '=');
	if (value) {
		*value++ = '\0';
		set_text(&s->source.info, line, value);
	}
	free(line);
	return rc;
}

static int get_vcpu(struct file_source *s, struct source_item *item, struct fault *fault)
{
	bool *is_ended;
	int rc = get_fixed(s, &s->vcpu, sizeof(s->vcpu), fault);

	if (rc)
		return rc;
	if (s->block.vcpu != s->vcpus || s->vcpus == MAX_VCPUS)
		return corrupt(s, fault, "a vCPU has the wrong number");

	is_ended = array_reserve(s->is_ended, s->vcpus, 1, sizeof(*is_ended));
	if (!is_ended)
		return fault_set(fault, -ENOMEM, "out of memory");
	s->is_ended = is_ended;
	is_ended[s->vcpus++] = false;

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

/* Texts of the file end within their fields; readers escape what they show. */
static int get_names(struct file_source *s, struct source_item *item, struct fault *fault)
{
	struct store_identity *names = &s->names;
	int rc = get_fixed(s, names, sizeof(*names), fault);

	if (rc)
		return rc;
	names->name[sizeof(names->name) - 1] = '\0';
	names->name_source[sizeof(names->name_source) - 1] = '\0';
	names->vmm[sizeof(names->vmm) - 1] = '\0';
	names->uuid[sizeof(names->uuid) - 1] = '\0';
	names->unit[sizeof(names->unit) - 1] = '\0';
	names->container[sizeof(names->container) - 1] = '\0';
	names->thread[sizeof(names->thread) - 1] = '\0';

	item->kind = SOURCE_NAMES;
	item->names = names;
	return 0;
}

/* The first @count records that were read, in the struct of today. */
static void convert_records(struct file_source *s, size_t count)
{
	size_t known =
		s->record_bytes < sizeof(s->records[0]) ? s->record_bytes : sizeof(s->records[0]);

	for (size_t i = 0; s->raw && i < count; i++) {
		memset(&s->records[i], 0, sizeof(s->records[i]));
		memcpy(&s->records[i], s->raw + i * s->record_bytes, known);
	}
}

/*
 * Of @count records that were read those before the first that was never written. What was written
 * ends with a sector of the disk, which may be within a record.
 */
static size_t written_records(struct file_source *s, size_t count)
{
	const char *records = s->raw ? s->raw : (const char *)s->records;
	size_t bytes = s->record_bytes;

	for (size_t i = 0; i < count; i++) {
		size_t in_sector = (s->offset + i * bytes) % SECTOR_BYTES;

		if (!is_unwritten(records + i * bytes, bytes))
			continue;
		s->is_cut = true;
		return i && in_sector && in_sector < bytes &&
				       is_unwritten(records + i * bytes - in_sector, in_sector)
			       ? i - 1
			       : i;
	}
	return count;
}

static int get_records(struct file_source *s, struct source_item *item, struct fault *fault)
{
	size_t count = s->left / s->record_bytes;
	size_t bytes;
	uint64_t end;
	int n;

	if (count > BATCH_RECORDS)
		count = BATCH_RECORDS;
	bytes = count * s->record_bytes;

	n = gzread(s->file, s->raw ? s->raw : (char *)s->records, (unsigned int)bytes);
	if (n >= 0 && n < (int)bytes) {
		/* The whole records before the cut are given first. */
		s->is_cut = true;
		count = (size_t)n / s->record_bytes;
	}
	if (n > 0)
		count = written_records(s, count);
	if (n < 0 || !count)
		return n < 0 ? get(s, s->raw ? s->raw : (char *)s->records, bytes, fault)
			     : cut_off(s, fault);

	convert_records(s, count);
	s->offset += s->is_cut && n == (int)bytes ? count * s->record_bytes : (uint64_t)n;
	s->left -= bytes;
	end = s->records[count - 1].tsc + s->records[count - 1].cycles;
	if (end > s->last_tsc)
		s->last_tsc = end;

	item->kind = SOURCE_RECORDS;
	item->records = s->records;
	item->count = count;
	return 0;
}

/* Reads @slots slots into s->totals; those that the file leaves out are 0. */
static int get_totals(struct file_source *s, uint32_t slots, struct fault *fault)
{
	memset(s->totals, 0, sizeof(s->totals));
	for (uint32_t i = 0; i < slots; i++) {
		struct capture_slot slot;
		int rc = get(s, &slot, sizeof(slot), fault);

		if (rc)
			return rc;
		if (slot.slot >= KVM_EXIT_TOTAL_SLOTS)
			return corrupt(s, fault, "totals of a slot that does not exist");
		s->totals[slot.slot] = slot.total;
	}
	return 0;
}

static int get_end(struct file_source *s, struct source_item *item, struct fault *fault)
{
	struct capture_end end;
	int rc;

	if (s->block.bytes < sizeof(end))
		return corrupt(s, fault, "a block has the wrong size");
	rc = get(s, &end, sizeof(end), fault);
	if (rc)
		return rc;

	if (end.slots > KVM_EXIT_TOTAL_SLOTS ||
	    s->block.bytes != sizeof(end) + end.slots * sizeof(struct capture_slot))
		return corrupt(s, fault, "a block has the wrong size");
	rc = get_totals(s, end.slots, fault);
	if (rc)
		return rc;

	s->is_ended[s->block.vcpu] = true;
	item->kind = SOURCE_END_VCPU;
	item->end = (struct store_vcpu_end){
		.totals = s->totals,
		.end_seq = end.end_seq,
		.filtered = end.filtered,
		.unread = end.unread,
		.vmfail = end.vmfail,
		.open_exits = end.open_exits,
		.ended = end.ended,
		.tid = end.tid,
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
	s->is_finished = 1;
	return 0;
}

/* Begins a block of records: they may be handed on in several parts. */
static int begin_records(struct file_source *s, struct source_item *item, struct fault *fault)
{
	if (s->block.bytes % s->record_bytes)
		return corrupt(s, fault, "a block has the wrong size");
	s->left = s->block.bytes;
	return s->left ? get_records(s, item, fault) : 0;
}

static bool is_open_vcpu(const struct file_source *s, uint32_t vcpu)
{
	return vcpu < s->vcpus && !s->is_ended[vcpu];
}

/* Reads a block, or the first part of a large one. @item stays SOURCE_NOTHING for a text. */
static int get_block(struct file_source *s, struct source_item *item, struct fault *fault)
{
	int rc = get(s, &s->block, sizeof(s->block), fault);

	if (rc)
		return rc;
	if (is_unwritten(&s->block, sizeof(s->block))) {
		s->offset -= sizeof(s->block);
		return cut_off(s, fault);
	}

	item->vcpu = (int)s->block.vcpu;
	if ((s->block.kind == CAPTURE_RECORDS || s->block.kind == CAPTURE_END_VCPU ||
	     s->block.kind == CAPTURE_NAMES) &&
	    !is_open_vcpu(s, s->block.vcpu))
		return corrupt(s, fault, "a block of a vCPU that is not there");

	switch (s->block.kind) {
	case CAPTURE_TEXT:
		return get_text(s, fault);
	case CAPTURE_VCPU:
		return get_vcpu(s, item, fault);
	case CAPTURE_NAMES:
		return get_names(s, item, fault);
	case CAPTURE_RECORDS:
		return begin_records(s, item, fault);
	case CAPTURE_END_VCPU:
		return get_end(s, item, fault);
	case CAPTURE_FINISH:
		return get_finish(s, fault);
	}
	return corrupt(s, fault, "a block of unknown kind");
}

static int file_next(struct source *source, struct source_item *item, struct fault *fault)
{
	struct file_source *s = from_source(source);
	int rc = 0;

	item->kind = SOURCE_NOTHING;
	/* Half a file is not a recording. */
	if (s->is_stopped)
		return fault_set(fault, -EINTR, "%s: stopped before its end", s->path);
	if (s->is_cut)
		return cut_off(s, fault);

	if (s->left) {
		item->vcpu = (int)s->block.vcpu;
		return get_records(s, item, fault);
	}

	while (!rc && !s->is_finished && item->kind == SOURCE_NOTHING)
		rc = get_block(s, item, fault);
	if (!rc && item->kind == SOURCE_NOTHING)
		item->kind = SOURCE_FINISHED;
	return rc;
}

static void file_stop(struct source *source)
{
	from_source(source)->is_stopped = true;
}

static void file_close(struct source *source)
{
	struct file_source *s = from_source(source);

	if (s->file)
		gzclose(s->file);
	run_info_free(&s->source.info);
	free(s->is_ended);
	free(s->raw);
	free(s->path);
	free(s);
}

/* How long the file's records are, and memory for them where they are not as ours. */
static int set_record_bytes(struct file_source *s, const struct capture_header *header,
			    struct fault *fault)
{
	uint32_t bytes = header->record_bytes;
	bool is_valid = header->version == 1 ? bytes == CAPTURE_VERSION_1_RECORD_BYTES
					     : bytes >= sizeof(s->records[0]) &&
						       bytes <= CAPTURE_RECORD_BYTES_MAX;

	if (!is_valid)
		return corrupt(s, fault, "records of a wrong size");
	s->record_bytes = bytes;
	if (bytes == sizeof(s->records[0]))
		return 0;
	s->raw = malloc((size_t)BATCH_RECORDS * bytes);
	return s->raw ? 0 : fault_set(fault, -ENOMEM, "out of memory");
}

static int get_header(struct file_source *s, struct fault *fault)
{
	struct capture_header header;
	int n = gzread(s->file, &header, sizeof(header));
	int rc;

	if (n != (int)sizeof(header) || header.magic != CAPTURE_MAGIC)
		return fault_set(
			fault, -EBADMSG,
			"%s: is not a capture file (files of perf and trace-cmd: collector import)",
			s->path);
	if (!header.version || header.version > CAPTURE_VERSION)
		return fault_set(fault, -EPROTO, "%s: version %u of the format is unknown", s->path,
				 header.version);

	rc = set_record_bytes(s, &header, fault);
	if (rc)
		return rc;

	s->offset = sizeof(header);
	if (!header.tsc_khz || header.isa < KVM_EXIT_ISA_VMX || header.isa > KVM_EXIT_ISA_SVM)
		return corrupt(s, fault, "the header makes no sense");

	s->source.info.isa = header.isa;
	s->source.info.tsc_khz = header.tsc_khz;
	s->source.info.tsc_start = header.tsc_start;
	s->source.info.started_ns = header.started_ns;
	return 0;
}

/* Opens @path, which may be anything but a folder. -errno with words. */
static int open_file(const char *path, struct fault *fault)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0 || fstat(fd, &st))
		rc = fault_set(fault, -errno, "%s: %s", path, strerror(errno));
	else if (S_ISDIR(st.st_mode))
		rc = fault_set(fault, -EISDIR, "%s: is a folder", path);

	if (rc && fd >= 0)
		close(fd);
	return rc ? rc : fd;
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
	int fd = open_file(path, fault);
	int rc;

	*result = NULL;
	if (fd < 0)
		return fd;

	s = calloc(1, sizeof(*s));
	if (s) {
		s->source.ops = &ops;
		s->source.fd = -1;
		s->path = strdup(path);
		s->file = gzdopen(fd, "rb");
	}
	if (!s || !s->path || !s->file) {
		if (!s || !s->file)
			close(fd);
		if (s)
			file_close(&s->source);
		return fault_set(fault, -ENOMEM, "out of memory");
	}

	gzbuffer(s->file, BUFFER_BYTES);
	rc = get_header(s, fault);
	if (rc) {
		file_close(&s->source);
		return rc;
	}
	*result = &s->source;
	return 0;
}
