/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vms.h - the VMs of a run: what they are called, and which of them --vm means
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_VMS_H
#define EXITSCOPE_ANALYZER_QUERY_VMS_H

#include "analyzer/query/app.h"
#include "analyzer/query/ranges.h"

/*
 * struct vm_ref - one VM
 * @id: vm.id of the database, the number that people see
 * @tgid: its process
 * @label: what to call it: its name, with its number where several of the run have that
 *	name; else its number. From elsewhere: clean it before it is printed
 * @name, @uuid, @comm: "": unknown
 * @uses_hyperv: set and read by hypercalls.c alone
 */
struct vm_ref {
	int64_t id;
	int64_t tgid;
	char *label;
	char *name;
	char *uuid;
	char *comm;
	bool uses_hyperv;
};

/* Read all VMs of run->id into run->vms. -1 with app->error. */
int vms_read(struct app *app, struct run *run);
void vms_free(struct run *run);

/* The VM with that number; NULL: the run has none. */
const struct vm_ref *vms_find(const struct run *run, int64_t id);

/* What to call a VM. The text lives as long as @run. */
const char *vms_label(const struct run *run, int64_t id);

/* --vm, read: its numbers and ranges, and its other words. */
struct vms_filter {
	struct ranges numbers;
	char *patterns; /* fnmatch(3), with commas between them; of the heap */
	bool is_all;
};

/*
 * Read the value of --vm: numbers of VMs or processes, ranges of them, names, UUIDs and
 * patterns (web-*), with commas between them; NULL: all. -1 with app->error.
 */
int vms_parse(struct app *app, const char *text, struct vms_filter *filter);

/* Whether a VM passes: by its number, its process id, or a pattern of its label, name or UUID. */
bool vms_pass(const struct vms_filter *filter, const struct vm_ref *vm);

#endif
