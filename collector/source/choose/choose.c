// SPDX-License-Identifier: GPL-2.0-only
/* choose.c - finds out which sources this host has */
#include "collector/source/choose/choose.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collector/source/bpf/bpf.h"
#include "kvm/uapi/kvm_exit_ring.h"

#define WHY_BYTES     256
#define TRACED_EVENTS "/sys/kernel/tracing/events"
#define TRACED_EVENT  TRACED_EVENTS "/kvm/kvm_exit/enable"

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
	const char *lack = "no permission (run as root)";
	int rc = can_write(root, TRACED_EVENT);

	if (rc == -ENOENT && can_write(root, TRACED_EVENTS) == -ENOENT)
		lack = "not mounted (--source tracefs mounts it; or: mount -t tracefs tracefs /sys/kernel/tracing)";
	else if (rc == -ENOENT)
		lack = "no event kvm_exit (load KVM)";

	snprintf(why, (size_t)bytes, "%s", lack);
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
	enum source_choice best = SOURCE_RING;
	char missing[WHY_BYTES];
	int used = 0;

	while (best <= SOURCE_TRACEFS && source_lacks(best, root, missing, sizeof(missing)))
		best++;
	if (best == SOURCE_RING) {
		snprintf(why, (size_t)bytes, "kvm.ko has the exit ring");
		return best;
	}

	/* "not ring: ..." of a host that has another one, which is no error. */
	*why = '\0';
	for (enum source_choice i = SOURCE_RING; i < best && used < bytes; i++) {
		source_lacks(i, root, missing, sizeof(missing));
		used += snprintf(why + used, (size_t)(bytes - used), "%s%s%s: %s", used ? "; " : "",
				 best <= SOURCE_TRACEFS ? "not " : "", source_choice_names[i],
				 missing);
	}
	return best <= SOURCE_TRACEFS ? best : SOURCE_BEST;
}
