// SPDX-License-Identifier: GPL-2.0-only
/* leaf_text.c - parses the lines of leaf_reader and cpuid */
#include "collector/leaf_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/lines.h"

/* A line of cpuid has 77 bytes; a console may have put a time and a name before it. */
#define LINE_BYTES 1024

/*
 * "eax=0x0001ed05" after blanks. Both programs print all eight digits: fewer are of a line that was
 * cut off, whose value would be another one.
 */
static bool take_register(const char **text, const char *name, uint32_t *value)
{
	const char *at = *text + strspn(*text, " \t");

	if (strncmp(at, name, strlen(name)))
		return false;
	at += strlen(name);
	if (strspn(at, "0123456789abcdefABCDEF") != 8)
		return false;

	*value = (uint32_t)strtoul(at, NULL, 16);
	*text = at + 8;
	return true;
}

bool leaf_text_line(const char *line, struct store_leaf *leaf)
{
	const char *at = strstr(line, "0x4ffffff");
	int head = 0;

	if (!at || sscanf(at, "%10x %10x:%n", &leaf->leaf, &leaf->reason, &head) != 2 || !head ||
	    leaf->leaf < 0x4ffffffc)
		return false;

	at += head;
	return take_register(&at, "eax=0x", &leaf->eax) &&
	       take_register(&at, "ebx=0x", &leaf->ebx) &&
	       take_register(&at, "ecx=0x", &leaf->ecx) && take_register(&at, "edx=0x", &leaf->edx);
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
	char line[LINE_BYTES];
	uint64_t left = UINT64_MAX;
	int rc = 0;

	*leaves = NULL;
	*count = 0;
	if (!file)
		return -errno;

	while (!rc && line_read(file, &left, line, sizeof(line))) {
		if (leaf_text_line(line, &leaf))
			rc = append(leaves, count, &leaf);
	}

	if (!rc && ferror(file))
		rc = -EIO;
	if (!rc && !*count)
		rc = -EPROTO;

	fclose(file);
	if (rc) {
		free(*leaves);
		*leaves = NULL;
	}
	return rc;
}
