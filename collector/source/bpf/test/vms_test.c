// SPDX-License-Identifier: GPL-2.0-only
/* vms_test.c - which processes' VMs are asked for, in a made-up /proc */
#include "collector/source/bpf/vms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/host/test/made_root.h"
#include "kvm/test/common/check.h"

static void make_process(unsigned int pid, const char *name, int vcpus)
{
	char path[8192];

	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	put(path, name);
	snprintf(path, sizeof(path), "/proc/%u/cmdline", pid);
	put(path, name);
	snprintf(path, sizeof(path), "/proc/%u/fd/none", pid);
	put(path, "");
	for (int i = 0; i < vcpus; i++) {
		snprintf(path, sizeof(path), "%s/proc/%u/fd/%d", root, pid, i);
		CHECK(!symlink("anon_inode:kvm-vcpu:0", path));
	}
}

static bool is_denied(const struct vms *vms, uint32_t tgid)
{
	for (size_t i = 0; i < vms->count; i++) {
		if (vms->denied[i] == tgid)
			return true;
	}
	return false;
}

static void test_find(void)
{
	struct vms vms = {.root = root};
	uint32_t vcpus;

	CHECK(!vms_find(&vms, &vcpus) && vcpus == 7 && !vms.count);
	CHECK(vms_are_of(&vms, 100) && vms_are_of(&vms, 999));
	vms_free(&vms);

	vms = (struct vms){.root = root, .tgid = 200};
	CHECK(!vms_find(&vms, &vcpus) && vcpus == 4 && !vms.count);
	CHECK(vms_are_of(&vms, 200) && !vms_are_of(&vms, 100));
	vms_free(&vms);

	/* The shell has no VM: nobody has to deny it. */
	vms = (struct vms){.root = root, .names = "web-*,300"};
	CHECK(!vms_find(&vms, &vcpus) && vcpus == 3 && vms.count == 1 && vms.denied_vcpus == 4);
	CHECK(is_denied(&vms, 200) && vms_are_of(&vms, 100) && !vms_are_of(&vms, 200));

	CHECK(!vms_deny(&vms, 400) && !vms_deny(&vms, 400) && vms.count == 2);
	vms_free(&vms);
	vms_free(&vms);
}

/* A process that is gone leaves its id to others. */
static void test_gone(void)
{
	struct vms vms = {.root = root, .names = "other"};
	char path[8192], gone[8192];
	uint32_t vcpus;

	CHECK(!vms_find(&vms, &vcpus) && !vcpus && vms.count == 3);
	snprintf(path, sizeof(path), "%s/proc/200", root);
	snprintf(gone, sizeof(gone), "%s/gone", root);
	CHECK(!rename(path, gone));
	vms_tick(&vms, 500000000);
	CHECK(vms.count == 3);
	vms_tick(&vms, 1000000000);
	CHECK(vms.count == 2 && !is_denied(&vms, 200) && is_denied(&vms, 300));
	vms_free(&vms);
}

int main(void)
{
	make_root();
	put("/proc/stat", "btime 1700000000\n");
	make_process(100, "web-1", 2);
	make_process(200, "db-1", 4);
	make_process(300, "exit_loop", 1);
	make_process(400, "sh", 0);

	test_find();
	test_gone();
	return 0;
}
