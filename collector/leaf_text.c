// SPDX-License-Identifier: GPL-2.0-only
/* leaf_text.c - parses the lines of leaf_reader and cpuid */
#include "collector/leaf_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

bool leaf_text_line(const char *line, struct store_leaf *leaf)
{
	const char *at = strstr(line, "0x4ffffff");

	return at &&
	       sscanf(at, "%x %x: eax=%x ebx=%x ecx=%x edx=%x", &leaf->leaf, &leaf->reason,
		      &leaf->eax, &leaf->ebx, &leaf->ecx, &leaf->edx) == 6 &&
	       leaf->leaf >= 0x4ffffffc;
}

static int append(struct store_leaf **leaves, size_t *count, const struct store_leaf *leaf)
{
	struct store_leaf *more = array_reserve(*leaves, *count, 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	*leaves = more;
	more[(*count)++] = *leaf;
	return 0;
}

int leaf_text_read(const char *path, struct store_leaf **leaves, size_t *count)
{
	FILE *file = fopen(path, "re");
	struct store_leaf leaf;
	char *line = NULL;
	size_t room = 0;
	int rc = 0;

	*leaves = NULL;
	*count = 0;
	if (!file)
		return -errno;

	while (!rc && getline(&line, &room, file) > 0) {
		if (leaf_text_line(line, &leaf))
			rc = append(leaves, count, &leaf);
	}

	if (!rc && ferror(file))
		rc = -EIO;
	if (!rc && !*count)
		rc = -EPROTO;

	free(line);
	fclose(file);
	if (rc) {
		free(*leaves);
		*leaves = NULL;
	}
	return rc;
}
