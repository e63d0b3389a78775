/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * names.h - what this host calls a VM: from /proc of the process that made it
 *
 * Read while the VM runs, on the host that runs it. A recording that comes from elsewhere
 * has the names that it brought along, or none: a process id of another host is another
 * process here.
 */
#ifndef EXITSCOPE_COLLECTOR_HOST_NAMES_H
#define EXITSCOPE_COLLECTOR_HOST_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sql/store/store.h"

/*
 * Whether process ids in /proc are those that the kernel and its records have: of the initial
 * pid namespace. In a container they seldom are, and the same number is another process there.
 * Asked of the namespace of /proc's process 1, so that the host's /proc in a container is the
 * host's. True if /proc does not say.
 */
bool names_have_host_ids(const char *root);

/**
 * names_read - who the VM of a process is
 * @root: "" except in tests: the folder that /proc, /sys and /run are in
 * @tgid: the process that made the VM
 * @identity: filled in; all texts are UTF-8 without control characters
 *
 * The name is, in this order: the VMM's own (QEMU -name, --id, ...), libvirt's domain, the
 * container, the systemd unit, the process's name. Unknown: "" or 0.
 *
 * Return: 0; 1 if the process is ending, whose command line is gone: its VM may have a better name;
 * -errno when there is no such process (any more).
 */
int names_read(const char *root, uint32_t tgid, struct store_identity *identity);

/**
 * names_read_thread - find the thread that runs a vCPU
 * @root, @tgid: as in names_read()
 * @vcpu_id: id given to KVM_CREATE_VCPU
 * @identity: @tid and @thread are set if the thread is known for certain; a tid that is
 *	there already is taken as it is
 *
 * KVM's debugfs says it (vcpuN/pid, Linux 5.19 and newer) where the process has one VM;
 * otherwise the names that Firecracker, crosvm and kvmtool give to their threads. QEMU
 * numbers its threads in another way than KVM its vCPUs, so its thread names prove nothing.
 */
void names_read_thread(const char *root, uint32_t tgid, uint32_t vcpu_id,
		       struct store_identity *identity);

/* Whether one of the patterns in @list (fnmatch(3), with commas between them) is @name. */
bool names_match(const char *list, const char *name);

/* Whether the VM of process @tgid is one of @list: patterns of names, process ids. */
bool names_match_process(const char *root, uint32_t tgid, const char *list);

#endif
