/* SPDX-License-Identifier: GPL-2.0-only */
/* made_root.h - a folder that stands for / of a host that is made up, for tests */
#ifndef EXITSCOPE_COLLECTOR_HOST_TEST_MADE_ROOT_H
#define EXITSCOPE_COLLECTOR_HOST_TEST_MADE_ROOT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kvm/test/common/check.h"

static char root[4096];

static inline void make_root(void)
{
	snprintf(root, sizeof(root), "%s/root_XXXXXX", getenv("TEST_TMPDIR") ?: "/tmp");
	CHECK(mkdtemp(root));
}

/* Makes a file below the root, with the folders that it needs. */
static inline void put_bytes(const char *path, const char *data, size_t bytes)
{
	char full[8192];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	file = fopen(full, "w");
	CHECK(file && fwrite(data, 1, bytes, file) == bytes && !fclose(file));
}

static inline void put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

#endif
