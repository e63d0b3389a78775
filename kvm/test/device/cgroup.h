/* SPDX-License-Identifier: GPL-2.0-only */
/* cgroup.h - a memory cgroup for a test's processes, and numbers of the kernel as text */
#ifndef KVM_TEST_DEVICE_CGROUP_H
#define KVM_TEST_DEVICE_CGROUP_H

#include "kvm/test/common/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static inline void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* The number after key in a file of "key number" lines, in the file's unit; false: no such key. */
static inline bool number_in(const char *path, const char *key, unsigned long *n)
{
	FILE *file = fopen(path, "re");
	bool found = false;
	char word[64];

	CHECK(file);
	while (!found && fscanf(file, "%63s %lu%*[^\n]", word, n) == 2)
		found = !strcmp(word, key);
	fclose(file);
	return found;
}

/*
 * Mounts cgroup2 at @root, unless an earlier test has, and makes @group, a path below it; false:
 * @test has said why not.
 */
static inline bool make_cgroup(const char *test, const char *root, const char *group)
{
	char control[64];

	mkdir(root, 0755);
	if (mount("none", root, "cgroup2", 0, NULL) && errno != EBUSY) {
		printf("%s: skipped, needs cgroup2: %s\n", test, strerror(errno));
		return false;
	}
	snprintf(control, sizeof(control), "%s/cgroup.subtree_control", root);
	write_text(control, "+memory");
	CHECK(!mkdir(group, 0755) || errno == EEXIST);
	return true;
}

#endif
