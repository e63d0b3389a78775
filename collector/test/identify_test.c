// SPDX-License-Identifier: GPL-2.0-only
/* identify_test.c - a VM keeps its name while its process ends, whose command line is gone then */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "collector/identify.h"
#include "sql/test/check.h"

static char root[PATH_MAX / 2];

static void put(uint32_t tgid, const char *name, const char *data, size_t bytes)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/proc/%u", root, tgid);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/proc/%u/%s", root, tgid, name);
	file = fopen(path, "w");
	CHECK(file && fwrite(data, 1, bytes, file) == bytes && !fclose(file));
}

/* A process without a program (the link exe), as one that ends; with a command line it runs. */
static void make_process(uint32_t tgid, bool runs)
{
	static const char command[] = "qemu-system-x86_64\0-name\0web-1";

	put(tgid, "comm", "qemu\n", 5);
	put(tgid, "cmdline", command, runs ? sizeof(command) : 0);
}

/* The name that an item brings, or "" if it brings none. */
static const char *name_at(struct identify *identify, int kind, int vcpu, uint32_t tgid)
{
	const struct source_item item = {
		.kind = kind, .vcpu = vcpu, .info = {.tgid = tgid, .vcpu_id = (uint32_t)vcpu}};
	struct source_item names;

	return identify_item(identify, &item, &names) ? names.names->name : "";
}

int main(void)
{
	struct identify identify = {.root = root};
	char path[PATH_MAX];

	snprintf(root, sizeof(root), "%s/identify", getenv("TEST_TMPDIR"));
	snprintf(path, sizeof(path), "%s/proc", root);
	CHECK(!mkdir(root, 0755) && !mkdir(path, 0755));

	make_process(7, true);
	CHECK(!strcmp(name_at(&identify, SOURCE_VCPU, 0, 7), "web-1"));
	make_process(7, false);
	CHECK(!strcmp(name_at(&identify, SOURCE_RECORDS, 0, 7), ""));
	CHECK(!strcmp(name_at(&identify, SOURCE_VCPU, 1, 7), ""));

	/* Nothing better was known of this one. */
	make_process(8, false);
	CHECK(!strcmp(name_at(&identify, SOURCE_VCPU, 2, 8), "qemu"));

	identify_free(&identify);
	return check_failures > 0;
}
