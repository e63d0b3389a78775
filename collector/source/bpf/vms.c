// SPDX-License-Identifier: GPL-2.0-only
/* vms.c - which VMs of this host are asked for; see vms.h */
#include "collector/source/bpf/vms.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "collector/host/names.h"
#include "collector/source/bpf/kernel/shared.h"

#define SCAN_NS INT64_C(1000000000)

/* vCPUs among the open files of process @pid. */
static uint32_t count_vcpus_of(const char *root, const char *pid)
{
	static const char vcpu[] = "anon_inode:kvm-vcpu";
	char path[600];
	char target[64];
	uint32_t count = 0;
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "%s/proc/%s/fd", root, pid);
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		ssize_t n = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target));

		count += n >= (ssize_t)sizeof(vcpu) - 1 && !memcmp(target, vcpu, sizeof(vcpu) - 1);
	}
	if (folder)
		closedir(folder);
	return count;
}

bool vms_are_of(const struct vms *vms, uint32_t tgid)
{
	if (vms->tgid && tgid != vms->tgid)
		return false;
	return !vms->names || names_match_process(vms->root, tgid, vms->names);
}

/* Only with names: of one process the programs know it by its id. */
static int add_process(struct vms *vms, const char *pid, uint32_t *vcpus)
{
	uint32_t tgid = (uint32_t)strtoul(pid, NULL, 10);
	uint32_t count;

	if (vms->tgid && tgid != vms->tgid)
		return 0;
	count = count_vcpus_of(vms->root, pid);
	if (!count)
		return 0;
	if (!vms_are_of(vms, tgid)) {
		vms->denied_vcpus += count;
		return vms_deny(vms, tgid);
	}
	*vcpus += count;
	return 0;
}

int vms_find(struct vms *vms, uint32_t *vcpus)
{
	struct dirent *entry;
	char path[300];
	DIR *proc;
	int rc = 0;

	vms->map = -1;
	*vcpus = 0;
	snprintf(path, sizeof(path), "%s/proc", vms->root);
	proc = opendir(path);
	while (!rc && proc && (entry = readdir(proc))) {
		if (*entry->d_name >= '1' && *entry->d_name <= '9')
			rc = add_process(vms, entry->d_name, vcpus);
	}
	if (proc)
		closedir(proc);
	return rc;
}

static int add_to_map(const struct vms *vms, uint32_t tgid)
{
	const uint8_t yes = 1;

	return bpf_map_update_elem(vms->map, &tgid, &yes, BPF_ANY) ? -errno : 0;
}

int vms_set_map(struct vms *vms, int map)
{
	int rc = 0;

	vms->map = map;
	for (size_t i = 0; !rc && i < vms->count; i++)
		rc = add_to_map(vms, vms->denied[i]);
	return rc;
}

int vms_deny(struct vms *vms, uint32_t tgid)
{
	uint32_t *denied;

	for (size_t i = 0; i < vms->count; i++) {
		if (vms->denied[i] == tgid)
			return 0;
	}
	/* Those of more processes are ignored vCPU by vCPU. */
	if (vms->count == BPF_DENIED)
		return 0;

	denied = array_reserve(vms->denied, vms->count, 1, sizeof(*denied));
	if (!denied)
		return -ENOMEM;
	vms->denied = denied;
	denied[vms->count++] = tgid;
	return vms->map < 0 ? 0 : add_to_map(vms, tgid);
}

static bool is_gone(const struct vms *vms, uint32_t tgid)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/proc/%u", vms->root, tgid);
	return access(path, F_OK);
}

void vms_tick(struct vms *vms, int64_t now_ns)
{
	size_t kept = 0;

	if (now_ns - vms->scan_start_ns < SCAN_NS)
		return;
	vms->scan_start_ns = now_ns;

	for (size_t i = 0; i < vms->count; i++) {
		uint32_t tgid = vms->denied[i];

		if (!is_gone(vms, tgid))
			vms->denied[kept++] = tgid;
		else if (vms->map >= 0)
			bpf_map_delete_elem(vms->map, &tgid);
	}
	vms->count = kept;
}

void vms_free(struct vms *vms)
{
	free(vms->denied);
	vms->denied = NULL;
	vms->count = 0;
}
