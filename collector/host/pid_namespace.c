// SPDX-License-Identifier: GPL-2.0-only
/* pid_namespace.c - whose process ids /proc has; see names.h */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collector/host/names.h"

/* PROC_PID_INIT_INO of the kernel's include/linux/proc_ns.h: the same on every host. */
#define INITIAL_NAMESPACE "pid:[4026531836]"

bool names_have_host_ids(const char *root)
{
	static const char *const processes[] = {"1", "self"};
	char path[4096], target[64];

	for (int i = 0; i < 2; i++) {
		ssize_t length;

		snprintf(path, sizeof(path), "%s/proc/%s/ns/pid", root, processes[i]);
		length = readlink(path, target, sizeof(target) - 1);
		if (length < 0)
			continue; /* another user's process 1 */
		target[length] = '\0';
		return !strcmp(target, INITIAL_NAMESPACE);
	}
	return true;
}
