// SPDX-License-Identifier: GPL-2.0-only
/* import.c - which kind of recording a file is, and the source for it */
#include "collector/source/trace/import/import.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "collector/source/trace/dat/trace_dat.h"
#include "collector/source/trace/perf/perf_data.h"
#include "collector/source/trace/text/trace_text.h"

#define PIECE_BYTES (1 << 20)
#define PAGE_BYTES  4096

/* What programs that pack files begin theirs with, and what unpacks them. */
static const struct packed {
	const char *magic;
	size_t bytes;
	const char *unpack;
} packed[] = {
	{"\x1f\x8b", 2, "gunzip"},
	{"\x1f\x9d", 2, "uncompress"},
	{"\3757zXZ", 6, "unxz"},
	{"\x5d\0\0", 3, "unlzma"},
	{"LZIP", 4, "lzip -d"},
	{"\x28\xb5\x2f\xfd", 4, "unzstd"},
	{"\x50\x2a\x4d\x18", 4, "unzstd"}, /* a frame to skip, as pzstd writes it first */
	{"\x04\x22\x4d\x18", 4, "unlz4"},
	{"\x02\x21\x4c\x18", 4, "unlz4"},
	{"\x89LZO", 4, "lzop -d"},
	{"BZh", 3, "bunzip2"},
	{"PK\3\4", 4, "unzip"},
	{"7z\xbc\xaf", 4, "7z x"},
	{"\xff\6\0\0sNaPpY", 10, "snzip -d"},
	{"!<arch>\n", 8, "ar x"},
	{"070701", 6, "cpio -i"},
};

/* A tar archive has its magic in the first file's header. */
#define TAR_AT 257

/* The names of the events, and the number of a CPUID leaf, in UTF-16, either way round. */
static const char utf16_exit[] = "k\0v\0m\0_\0e\0x\0i\0t";
static const char utf16_entry[] = "k\0v\0m\0_\0e\0n\0t\0r\0y";
static const char utf16_leaf[] = "0\0x\0004\0f\0f\0f\0f\0f\0f";

/* What other tools print of exits, by words of it. */
static const struct foreign {
	const char *words;
	const char *what;
} foreign[] = {
	{"kvm_exit(",
	 "is a text of perf trace, whose events can't be read (perf record -e kvm:kvm_exit -e kvm:kvm_entry, and import its file)"},
	{"Performance counter stats for",
	 "has counts of perf stat, no events (perf record -e kvm:kvm_exit -e kvm:kvm_entry, and import its file)"},
	{"of event 'kvm:",
	 "is a report of perf, which has no single events (import the perf.data itself)"},
	{"kvm statistics - summary",
	 "has counts of kvm_stat, no events (perf record -e kvm:kvm_exit -e kvm:kvm_entry, and import its file)"},
	{"Analyze events for",
	 "has counts of perf kvm stat report, no events (import the file that perf kvm stat record wrote)"},
	{"KVM_EXIT_REASON",
	 "has counts of kvmexit, no events (perf record -e kvm:kvm_exit -e kvm:kvm_entry, and import its file)"},
	{"# event histogram",
	 "has counts of a histogram of ftrace, no events (import ftrace's file trace, or record with trace-cmd record -e kvm:kvm_exit -e kvm:kvm_entry)"},
	{"linux-perf-json-version",
	 "is a JSON file of perf data convert, which is not read (import the perf.data itself)"},
	{"kvm_x86_exit",
	 "is a text of LTTng, whose events can't be read (perf record -e kvm:kvm_exit -e kvm:kvm_entry, and import its file)"},
	{"# tracer: ",
	 "is a text of ftrace without events of KVM (echo 1 > /sys/kernel/tracing/events/kvm/enable before, or trace-cmd record -e kvm:kvm_exit -e kvm:kvm_entry)"},
};

static bool begins(const char *data, size_t bytes, const char *magic, size_t magic_bytes)
{
	return bytes >= magic_bytes && !memcmp(data, magic, magic_bytes);
}

/* What a part of a file shows: IMPORT_TRACE_TEXT, -EILSEQ for one in UTF-16, else IMPORT_OTHER. */
static int look_at(const char *data, size_t bytes)
{
	if (memmem(data, bytes, "kvm_exit:", 9) || memmem(data, bytes, "kvm_entry:", 10))
		return IMPORT_TRACE_TEXT;
	if (memmem(data, bytes, utf16_exit, sizeof(utf16_exit) - 1) ||
	    memmem(data, bytes, utf16_entry, sizeof(utf16_entry) - 1) ||
	    memmem(data, bytes, utf16_leaf, sizeof(utf16_leaf) - 1))
		return -EILSEQ;
	return IMPORT_OTHER;
}

/* "@[12]: 345" or "@exits[12]: 345" at the beginning of a line: a map of bpftrace. */
static bool has_map(const char *data, size_t bytes)
{
	const char *end = data + bytes;

	for (const char *at = data; (at = memchr(at, '@', (size_t)(end - at))); at++) {
		const char *line = memchr(at, '\n', (size_t)(end - at));
		const char *close = memmem(at, (size_t)((line ? line : end) - at), "]: ", 3);

		if ((at == data || at[-1] == '\n') && close && close + 3 < end &&
		    memchr(at, '[', (size_t)(close - at)) && isdigit((unsigned char)close[3]))
			return true;
	}
	return false;
}

/* What a part of a file shows of other tools' output, or NULL. */
static const char *find_foreign(const char *data, size_t bytes)
{
	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++) {
		if (memmem(data, bytes, foreign[i].words, strlen(foreign[i].words)))
			return foreign[i].what;
	}
	if (has_map(data, bytes))
		return "has counts of bpftrace, no events (perf record -e kvm:kvm_exit -e kvm:kvm_entry, and import its file)";
	return NULL;
}

/* What unpacks a file that begins so; NULL: it is not packed. */
static const char *find_unpack(const char *data, size_t bytes)
{
	for (size_t i = 0; i < sizeof(packed) / sizeof(*packed); i++) {
		if (begins(data, bytes, packed[i].magic, packed[i].bytes))
			return packed[i].unpack;
	}
	if (bytes > TAR_AT && begins(data + TAR_AT, bytes - TAR_AT, "ustar", 5))
		return "tar -xf";
	return NULL;
}

static int find_kind(const char *path, const char *data, size_t bytes, struct fault *fault)
{
	const char *unpack = find_unpack(data, bytes);

	if (unpack)
		return fault_set(fault, -EPROTO, "%s: is a packed file (unpack it first: %s)", path,
				 unpack);
	if (begins(data, bytes, "SQLite format 3", 16))
		return fault_set(
			fault, -EPROTO,
			"%s: is a database (analyzer --db reads one that a collector wrote)", path);
	if (begins(data, bytes, "\0KVEXCAP", 8))
		return fault_set(fault, -EPROTO,
				 "%s: is a capture of a collector (collector --from %s)", path,
				 path);
	if (begins(data, bytes, "PERFILE2", 8) || begins(data, bytes, "2ELIFREP", 8))
		return IMPORT_PERF_DATA;
	if (begins(data, bytes, "\x17\x08\x44tracing", 10))
		return IMPORT_TRACE_DAT;
	return IMPORT_OTHER;
}

/*
 * Read until a piece shows what the file is: comments of any length may stand first. The last
 * bytes of a piece are looked at with the next one too.
 */
static int find_in_file(const char *path, FILE *file, char *data, struct fault *fault)
{
	const size_t overlap = sizeof(utf16_entry);
	size_t kept = 0, bytes;
	const char *other = NULL;
	bool is_first = true;
	int found = IMPORT_OTHER;

	while (found == IMPORT_OTHER &&
	       (bytes = fread(data + kept, 1, PIECE_BYTES - kept, file)) > 0) {
		bytes += kept;
		if (is_first)
			found = find_kind(path, data, bytes, fault);
		if (found == IMPORT_OTHER)
			found = look_at(data, bytes);
		if (found == IMPORT_OTHER && !other)
			other = find_foreign(data, bytes);
		is_first = false;
		kept = bytes < overlap ? bytes : overlap;
		memmove(data, data + bytes - kept, kept);
	}

	if (ferror(file))
		return fault_set(fault, -EIO, "%s: can't be read to its end", path);
	if (is_first)
		return fault_set(fault, -EPROTO, "%s: is empty", path);
	if (found == -EILSEQ)
		return fault_set(
			fault, found,
			"%s: is a text in UTF-16 (iconv -f UTF-16 -t UTF-8 %s > FILE, then import FILE)",
			path, path);
	if (found == IMPORT_OTHER && other)
		return fault_set(fault, -EPROTO, "%s: %s", path, other);
	return found;
}

/*
 * Whether the file is the pages of one CPU, FILE.cpuN, which trace-cmd collects before it writes
 * FILE: u64 time, u64 bytes of events with flags in bits 30 and 31, events.
 */
static bool is_pages(FILE *file)
{
	uint64_t head[2], bytes;
	off_t size;

	if (fseeko(file, 0, SEEK_END))
		return false;
	size = ftello(file);
	rewind(file);
	if (size <= 0 || size % PAGE_BYTES || fread(head, sizeof(head), 1, file) != 1)
		return false;
	bytes = head[1] & ~(UINT64_C(3) << 30);
	return head[0] && bytes && bytes <= PAGE_BYTES - sizeof(head);
}

/* What the kernel makes up while it is read differs each time; such a file has no size. */
static int check_size(const char *path, FILE *file, struct fault *fault)
{
	struct stat st;

	if (fstat(fileno(file), &st) || st.st_size || getc(file) == EOF)
		return 0;
	return fault_set(
		fault, -ESPIPE,
		"%s: is a file of tracefs or the like, and has to be read twice (save what it has: cat %s > FILE)",
		path, path);
}

/* A pipe can't be read twice. */
static int open_file(const char *path, FILE **file, struct fault *fault)
{
	struct stat st;
	int rc = 0;

	/* Before it is opened: that would wait for somebody who writes to the pipe. */
	if (stat(path, &st))
		rc = -errno;
	else if (S_ISDIR(st.st_mode))
		return fault_set(
			fault, -EISDIR,
			"%s: is a folder (of one that perf record --threads made: perf script -i %s > FILE, then import FILE)",
			path, path);
	else if (!S_ISREG(st.st_mode))
		return fault_set(
			fault, -ESPIPE,
			"%s: is not a regular file, and has to be read twice (save it as one: cat %s > FILE)",
			path, path);
	if (!rc) {
		*file = fopen(path, "re");
		rc = *file ? 0 : -errno;
	}
	return rc ? fault_set(fault, rc, "%s: %s", path, strerror(-rc)) : 0;
}

int import_kind(const char *path, enum import_kind *kind, struct fault *fault)
{
	char *data = malloc(PIECE_BYTES);
	FILE *file = NULL;
	int rc = data ? open_file(path, &file, fault) : fault_set(fault, -ENOMEM, "out of memory");

	if (!rc)
		rc = check_size(path, file, fault);
	if (!rc)
		rc = find_in_file(path, file, data, fault);
	if (rc == IMPORT_OTHER && is_pages(file))
		rc = fault_set(
			fault, -EPROTO,
			"%s: is the events of one CPU, without the names and formats of a trace.dat: trace-cmd did not end (trace-cmd restore -o FILE, with those of all CPUs; then import FILE)",
			path);
	if (file)
		fclose(file);
	free(data);
	if (rc < 0)
		return rc;
	*kind = (enum import_kind)rc;
	return 0;
}

int source_import_open(const char *path, enum import_kind kind, uint32_t tsc_khz,
		       struct source **source, struct fault *fault)
{
	switch (kind) {
	case IMPORT_PERF_DATA:
		if (tsc_khz)
			return fault_set(
				fault, -EINVAL,
				"%s: times of perf.data are ns, not TSC cycles (leave --tsc-khz out)",
				path);
		return source_perf_data_open(path, source, fault);
	case IMPORT_TRACE_DAT:
		return source_trace_dat_open(path, tsc_khz, source, fault);
	case IMPORT_TRACE_TEXT:
		return source_trace_text_open(path, tsc_khz, source, fault);
	case IMPORT_OTHER:
		break;
	}
	return fault_set(fault, -EPROTO,
			 "%s: no recording of perf or trace-cmd, and no text of one", path);
}
