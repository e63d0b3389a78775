// SPDX-License-Identifier: GPL-2.0-only
/* choose_test.c - the best source of hosts that have one thing or another */
#include "collector/source/choose/choose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/host/test/made_root.h"
#include "kvm/test/common/check.h"

static void expect(enum source_choice choice, const char *words)
{
	char why[1024];

	CHECK(source_choose(root, why, sizeof(why)) == choice);
	if (!strstr(why, words)) {
		fprintf(stderr, "'%s' does not say '%s'\n", why, words);
		exit(1);
	}
}

int main(void)
{
	char why[1024];

	make_root();
	expect(SOURCE_BEST,
	       "ring: no /dev/kvm_exit_ring (it comes with kvm/install); bpf: this kernel has no BTF");
	expect(SOURCE_BEST,
	       "; tracefs: not mounted (--source tracefs mounts it; or: mount -t tracefs ");
	put("/sys/kernel/tracing/events/enable", "0\n");
	expect(SOURCE_BEST, "; tracefs: no event kvm_exit (load KVM)");
	put("/sys/kernel/tracing/events/kvm/kvm_exit/enable", "0\n");
	CHECK(!source_lacks(SOURCE_TRACEFS, root, why, sizeof(why)) && !*why);
	CHECK(source_lacks(SOURCE_RING, root, why, sizeof(why)) && *why);
	expect(SOURCE_TRACEFS,
	       "not ring: no /dev/kvm_exit_ring (it comes with kvm/install); not bpf: this kernel has no BTF");
	put("/sys/kernel/btf/vmlinux", "");
	put("/sys/kernel/btf/kvm", "");
	put("/sys/module/kvm_intel/refcnt", "0\n");
	put("/proc/self/status", "CapEff:\t000001ffffffffff\n");
	expect(SOURCE_BPF, "not ring: no /dev/kvm_exit_ring");
	put("/dev/kvm_exit_ring", "");
	expect(SOURCE_RING, "kvm.ko has the exit ring");
	return 0;
}
