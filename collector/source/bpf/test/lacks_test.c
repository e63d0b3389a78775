// SPDX-License-Identifier: GPL-2.0-only
/* lacks_test.c - what hosts lack to run the BPF programs, in words */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/source/bpf/bpf.h"
#include "kvm/test/check.h"

static char root[4096];

/* Makes a file below the root, with the folders that it needs. */
static void put(const char *path, const char *text)
{
	char full[8192];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	f = fopen(full, "w");
	CHECK(f && fputs(text, f) >= 0 && !fclose(f));
}

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

	snprintf(root, sizeof(root), "%s/lacks_XXXXXX", getenv("TEST_TMPDIR") ?: "/tmp");
	CHECK(mkdtemp(root));
	expect("no BTF");
	put("/sys/kernel/btf/vmlinux", "");
	expect("KVM is not loaded");
	put("/sys/module/kvm_amd/refcnt", "0\n");
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
