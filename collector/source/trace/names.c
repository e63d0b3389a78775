// SPDX-License-Identifier: GPL-2.0-only
/* names.c - a tree of names by thread id */
#include "collector/source/trace/names.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>

#define COMM_BYTES 16 /* TASK_COMM_LEN */

struct name {
	uint32_t tid;
	char comm[COMM_BYTES];
};

static int by_tid(const void *a, const void *b)
{
	const struct name *left = a, *right = b;

	return (left->tid > right->tid) - (left->tid < right->tid);
}

static const struct name *find(const struct names *names, uint32_t tid)
{
	const struct name key = {.tid = tid};
	struct name **found = tfind(&key, &names->tree, by_tid);

	return found ? *found : NULL;
}

int names_set(struct names *names, uint32_t tid, const char *comm)
{
	struct name *name = (struct name *)find(names, tid);

	if (!name) {
		name = calloc(1, sizeof(*name));
		if (!name)
			return -ENOMEM;
		name->tid = tid;
		if (!tsearch(name, &names->tree, by_tid)) {
			free(name);
			return -ENOMEM;
		}
	}
	snprintf(name->comm, sizeof(name->comm), "%s", comm);
	return 0;
}

void names_get(const struct names *names, uint32_t tgid, uint32_t tid, char *comm, size_t bytes)
{
	const struct name *name = tgid ? find(names, tgid) : NULL;

	if (!name)
		name = find(names, tid);
	snprintf(comm, bytes, "%s", name ? name->comm : "");
}

void names_free(struct names *names)
{
	tdestroy(names->tree, free);
	names->tree = NULL;
}
