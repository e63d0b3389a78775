// SPDX-License-Identifier: GPL-2.0-only
/*
 * lacks.c - what a host lacks to run the BPF programs
 *
 * Looked at before anything is loaded, because the kernel's own errors (EPERM, EINVAL, ESRCH)
 * do not say which of several reasons it was.
 */
#include <ctype.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/source/bpf/bpf.h"

/* A line of /proc/self/status: effective capabilities, hexadecimal. */
#define CAPABILITIES "CapEff:"

struct host_files {
	const char *root;
	char path[512];
};

static const char *at(struct host_files *h, const char *path)
{
	snprintf(h->path, sizeof(h->path), "%s%s", h->root, path);
	return h->path;
}

static bool there(struct host_files *h, const char *path)
{
	return !access(at(h, path), F_OK);
}

/* Reads the line of a small file that contains @word. */
static bool find_line(struct host_files *h, const char *path, const char *word, char *line,
		      int bytes)
{
	FILE *f = fopen(at(h, path), "re");
	bool found = false;

	while (f && !found && fgets(line, bytes, f))
		found = strstr(line, word) != NULL;
	if (f)
		fclose(f);
	return found;
}

/*
 * Whether this process may have the BTF of a module by its id, which takes CAP_SYS_ADMIN
 * (CAP_BPF and CAP_PERFMON, which do for the rest, are part of it).
 */
static bool has_capability(struct host_files *h)
{
	uint64_t effective = 0;
	char line[256];

	if (find_line(h, "/proc/self/status", CAPABILITIES, line, sizeof(line)))
		effective = strtoull(line + strlen(CAPABILITIES), NULL, 16);
	return effective >> CAP_SYS_ADMIN & 1;
}

bool source_bpf_lacks(const char *root, char *why, int bytes)
{
	struct host_files h = {.root = root};
	char line[256];

	if (!there(&h, "/sys/kernel/btf/vmlinux")) {
		snprintf(
			why, (size_t)bytes,
			"this kernel has no BTF (CONFIG_DEBUG_INFO_BTF; Debian's kernels have it)");
		return true;
	}
	if (!there(&h, "/sys/module/kvm_intel") && !there(&h, "/sys/module/kvm_amd")) {
		snprintf(why, (size_t)bytes, "KVM is not loaded (modprobe kvm_intel, or kvm_amd)");
		return true;
	}
	if (!there(&h, "/sys/kernel/btf/kvm")) {
		snprintf(why, (size_t)bytes,
			 "the loaded kvm.ko has no BTF (load the distribution's own, or build it "
			 "with "
			 "BTF)");
		return true;
	}
	if (!has_capability(&h)) {
		snprintf(
			why, (size_t)bytes,
			"CAP_SYS_ADMIN missing (run it as root, or: setcap cap_sys_admin,cap_dac_read_search+ep collector)");
		return true;
	}
	if (find_line(&h, "/sys/kernel/security/lockdown", "[confidentiality]", line,
		      sizeof(line))) {
		snprintf(why, (size_t)bytes,
			 "lockdown=confidentiality: the kernel lets no BPF program read its memory "
			 "(boot with lockdown=integrity or without)");
		return true;
	}
	return false;
}
