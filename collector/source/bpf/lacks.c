// SPDX-License-Identifier: GPL-2.0-only
/*
 * lacks.c - what a host lacks to run the BPF programs
 *
 * Checked before anything is loaded, because the kernel's own errors (EPERM, EINVAL, ESRCH) do
 * not say which of several reasons it was.
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

static const char *path_under_root(struct host_files *h, const char *path)
{
	snprintf(h->path, sizeof(h->path), "%s%s", h->root, path);
	return h->path;
}

static bool exists(struct host_files *h, const char *path)
{
	return !access(path_under_root(h, path), F_OK);
}

/* Reads the line of a small file that contains @word. */
static bool find_line(struct host_files *h, const char *path, const char *word, char *line,
		      int bytes)
{
	FILE *f = fopen(path_under_root(h, path), "re");
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

/*
 * Whether the types of @module can be had: of one that is built in (it has no state) they are
 * among the kernel's own.
 */
static bool has_types(struct host_files *h, const char *module)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/%s/initstate", module);
	if (!exists(h, path))
		return true;
	snprintf(path, sizeof(path), "/sys/kernel/btf/%s", module);
	return exists(h, path);
}

#define NO_BTF(module)                                                                             \
	"the loaded " module                                                                       \
	" has no BTF (load the distribution's own, or build it with BTF; before Linux 5.11 no module has it)"

/* What is missing first, and the way out; NULL: nothing. */
static const char *find_lack(struct host_files *h)
{
	char line[256];

	if (!exists(h, "/sys/kernel/btf/vmlinux"))
		return "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF; Debian's kernels have it)";

	if (!exists(h, "/sys/module/kvm_intel") && !exists(h, "/sys/module/kvm_amd"))
		return exists(h, "/sys/module/kvm")
			       ? "no vendor part of KVM is active (line cpu of collector --check-host; modprobe kvm_intel, or kvm_amd)"
			       : "KVM is not loaded (modprobe kvm_intel, or kvm_amd)";
	if (!has_types(h, "kvm"))
		return NO_BTF("kvm.ko");
	if (!has_types(h, "kvm_intel"))
		return NO_BTF("kvm-intel.ko");
	if (!has_types(h, "kvm_amd"))
		return NO_BTF("kvm-amd.ko");

	if (!has_capability(h))
		return "CAP_SYS_ADMIN missing (run it as root, or: setcap cap_sys_admin,cap_dac_read_search+ep collector)";
	if (find_line(h, "/sys/kernel/security/lockdown", "[confidentiality]", line, sizeof(line)))
		return "lockdown=confidentiality: the kernel lets no BPF program read its memory (boot with lockdown=integrity or without)";

	return NULL;
}

bool source_bpf_lacks(const char *root, char *why, int bytes)
{
	struct host_files h = {.root = root};
	const char *lack = find_lack(&h);

	if (lack)
		snprintf(why, (size_t)bytes, "%s", lack);
	return lack != NULL;
}
