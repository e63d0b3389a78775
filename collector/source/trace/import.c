// SPDX-License-Identifier: GPL-2.0-only
/* import.c - which kind of recording a file is, and the source for it */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/source/trace/trace.h"

/* A text is one of ours if it has an event of KVM in its first bytes. */
#define LOOK_BYTES (1 << 20)

static bool begins(const char *data, size_t bytes, const char *magic)
{
	return bytes >= strlen(magic) && !memcmp(data, magic, strlen(magic));
}

static bool has_events(const char *text, size_t bytes)
{
	return memmem(text, bytes, "kvm_exit:", 9) || memmem(text, bytes, "kvm_entry:", 10);
}

static int kind_of(const char *path, const char *data, size_t bytes, enum import_kind *kind,
		   struct fault *fault)
{
	static const char *const compressed[] = {"\x1f\x8b", "\3757zXZ", "\x28\xb5\x2f\xfd", "BZh"};

	for (size_t i = 0; i < sizeof(compressed) / sizeof(*compressed); i++) {
		if (begins(data, bytes, compressed[i]))
			return fault_set(
				fault, -EPROTO,
				"%s: is a compressed file (unpack it first: gunzip, unxz, unzstd or bunzip2)",
				path);
	}

	*kind = IMPORT_OTHER;
	if (begins(data, bytes, "PERFILE2") || begins(data, bytes, "2ELIFREP"))
		*kind = IMPORT_PERF_DATA;
	else if (begins(data, bytes, "\x17\x08\x44tracing"))
		*kind = IMPORT_TRACE_DAT;
	else if (has_events(data, bytes))
		*kind = IMPORT_TRACE_TEXT;
	return 0;
}

int import_kind(const char *path, enum import_kind *kind, struct fault *fault)
{
	FILE *file = fopen(path, "re");
	char *data = malloc(LOOK_BYTES);
	size_t bytes = 0;
	int rc = 0;

	if (!file)
		rc = -errno;
	else if (!data)
		rc = -ENOMEM;
	if (!rc) {
		errno = 0;
		bytes = fread(data, 1, LOOK_BYTES, file);
		rc = !bytes && errno ? -errno : 0;
	}
	if (file)
		fclose(file);

	if (rc)
		fault_set(fault, rc, "%s: %s", path, strerror(-rc));
	else if (!bytes)
		rc = fault_set(fault, -EPROTO, "%s: is empty", path);
	else
		rc = kind_of(path, data, bytes, kind, fault);
	free(data);
	return rc;
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
