// SPDX-License-Identifier: GPL-2.0-only
/* lacks_test.c - what hosts lack to run the BPF programs, in words */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/host/test/made_root.h"
#include "collector/source/bpf/bpf.h"
#include "kvm/test/common/check.h"

/* The host lacks something: @words say what. */
static void expect(const char *words)
{
	char why[256] = "";

	CHECK(source_bpf_lacks(root, why, sizeof(why)));
	if (!strstr(why, words)) {
		fprintf(stderr, "'%s' does not say '%s'\n", why, words);
		exit(1);
	}
	CHECK(strchr(why, '(') && !strchr(why, '\n'));
}

int main(void)
{
	char why[256];

	make_root();
	expect("no BTF");
	put("/sys/kernel/btf/vmlinux", "");
	expect("KVM is not loaded");
	put("/sys/module/kvm/parameters/halt_poll_ns", "200000\n");
	expect("no vendor part of KVM is active (line cpu of collector --check-host");

	/* Both built in: nothing but parameters. */
	put("/sys/module/kvm_intel/parameters/ept", "Y\n");
	put("/sys/module/kvm_amd/parameters/npt", "Y\n");
	expect("CAP_SYS_ADMIN");

	put("/sys/module/kvm_amd/initstate", "live\n");
	expect("kvm-amd.ko has no BTF");
	put("/sys/kernel/btf/kvm_amd", "");
	expect("CAP_SYS_ADMIN");
	put("/sys/module/kvm/initstate", "live\n");
	expect("kvm.ko has no BTF");
	put("/sys/kernel/btf/kvm", "");
	expect("CAP_SYS_ADMIN");
	put("/proc/self/status", "Name:\tx\nCapEff:\t000000c000000000\n");
	expect("CAP_SYS_ADMIN missing");
	put("/proc/self/status", "Name:\tx\nCapEff:\t000001ffffffffff\n");
	CHECK(!source_bpf_lacks(root, why, sizeof(why)));
	put("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	CHECK(!source_bpf_lacks(root, why, sizeof(why)));
	put("/sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
	expect("lockdown=confidentiality");
	return 0;
}
