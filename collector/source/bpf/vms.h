/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vms.h - which VMs of this host are asked for
 *
 * The programs know processes. Of those that run VMs already, the ones that are not asked for are
 * denied before anything is attached. The name of a VM that comes later is not known in the
 * kernel: it is recorded until its name was read (a tick), and its process is denied then.
 *
 *	vms_find()		before the programs are loaded
 *	vms_set_map()		before they are attached
 *	vms_are_of(), vms_deny()	a vCPU is new
 *	vms_tick()		now and then
 *
 * RETURN VALUES: 0 or -errno.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_BPF_VMS_H
#define EXITSCOPE_COLLECTOR_SOURCE_BPF_VMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * struct vms - all 0 with these: every VM
 * @root:	"", or a folder that stands for /, for tests
 * @tgid:	VMs of this process only; 0: all
 * @names:	VMs with these names only, as for names_match_process(); NULL: all
 * @denied:	processes whose VMs are not asked for, @count of them
 * @denied_vcpus: those that they had when vms_find() was called
 * @map:	the programs' map of them; -1: not yet
 * @scan_start_ns: when the list was last searched for processes that are gone
 */
struct vms {
	const char *root;
	uint32_t tgid;
	const char *names;
	uint32_t *denied;
	size_t count;
	uint32_t denied_vcpus;
	int map;
	int64_t scan_start_ns;
};

/* Count the vCPUs that exist, of VMs that are asked for; with names, deny all other processes. */
int vms_find(struct vms *vms, uint32_t *vcpus);

/* Give the programs the processes that are denied now, and those to come. */
int vms_set_map(struct vms *vms, int map);

/* Whether VMs of process @tgid are asked for. */
bool vms_are_of(const struct vms *vms, uint32_t tgid);

/* Deny the VMs of a process. */
int vms_deny(struct vms *vms, uint32_t tgid);

/* Once a second: forget processes that are gone, as others may get their ids. */
void vms_tick(struct vms *vms, int64_t now_ns);

void vms_free(struct vms *vms);

#endif
