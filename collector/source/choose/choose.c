// SPDX-License-Identifier: GPL-2.0-only
/* choose.c - finds out which sources this host has */
#include "collector/source/choose/choose.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collector/source/bpf/bpf.h"
#include "kvm/uapi/kvm_exit_ring.h"

#define WHY_BYTES    256
#define TRACED_EVENT "/sys/kernel/tracing/events/kvm/kvm_exit/enable"

const char *const source_choice_names[] = {
	[SOURCE_BEST] = "best",
	[SOURCE_RING] = "ring",
	[SOURCE_BPF] = "bpf",
	[SOURCE_TRACEFS] = "tracefs",
};

/* Whether a file can be read and written; -errno if not. */
static int can_write(const char *root, const char *path)
{
	char full[512];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return access(full, R_OK | W_OK) ? -errno : 0;
}

static bool ring_lacks(const char *root, char *why, int bytes)
{
	int rc = can_write(root, KVM_EXIT_RING_DEVICE);

	snprintf(why, (size_t)bytes,
		 rc == -ENOENT ? "no " KVM_EXIT_RING_DEVICE " (it comes with kvm/install)"
			       : KVM_EXIT_RING_DEVICE ": no permission (run as root)");
	return rc;
}

static bool tracefs_lacks(const char *root, char *why, int bytes)
{
	int rc = can_write(root, TRACED_EVENT);

	snprintf(why, (size_t)bytes,
		 rc == -ENOENT ? "no event kvm_exit (mount tracefs, load KVM)"
			       : "no permission (run as root)");
	return rc;
}

static bool lacks(enum source_choice choice, const char *root, char *why, int bytes)
{
	switch (choice) {
	case SOURCE_RING:
		return ring_lacks(root, why, bytes);
	case SOURCE_BPF:
		return source_bpf_lacks(root, why, bytes);
	case SOURCE_TRACEFS:
		return tracefs_lacks(root, why, bytes);
	case SOURCE_BEST:
		break;
	}
	return true;
}

bool source_lacks(enum source_choice choice, const char *root, char *why, int bytes)
{
	bool is_lacking;

	*why = '\0';
	is_lacking = lacks(choice, root, why, bytes);
	if (!is_lacking)
		*why = '\0';
	return is_lacking;
}

enum source_choice source_choose(const char *root, char *why, int bytes)
{
	char missing[WHY_BYTES];
	int used = 0;

	*why = '\0';
	for (int i = SOURCE_RING; i <= SOURCE_TRACEFS; i++) {
		if (!source_lacks((enum source_choice)i, root, missing, sizeof(missing))) {
			if (i == SOURCE_RING)
				snprintf(why, (size_t)bytes, "kvm.ko has the exit ring");
			return (enum source_choice)i;
		}
		if (used < bytes)
			used += snprintf(why + used, (size_t)(bytes - used), "%s%s: %s",
					 used ? "; " : "", source_choice_names[i], missing);
	}
	return SOURCE_BEST;
}
