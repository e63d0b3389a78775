// SPDX-License-Identifier: GPL-2.0-only
/* check_host_test.c - what --check-host says of hosts that lack one thing or another */
#include "collector/host/check_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kvm/series.h"
#include "kvm/test/common/check.h"

static char root[4096];

/* Makes a file below the root, with the folders that it needs. */
static void put(const char *path, const char *text)
{
	char full[8192];
	char *slash;
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	f = fopen(full, "w");
	CHECK(f && fputs(text, f) >= 0 && !fclose(f));
}

static void take(const char *path)
{
	char full[8192];

	snprintf(full, sizeof(full), "%s%s", root, path);
	CHECK(!remove(full));
}

/* The check @name of a host with kernel @release must say @state and @words. */
static void expect(const char *release, const char *name, enum host_state state, const char *words)
{
	struct host_check checks[CHECK_HOST_MAX];
	int count = check_host(root, release, checks);
	int i;

	for (i = 0; i < count && strcmp(checks[i].name, name); i++)
		;
	CHECK(i < count);
	if (checks[i].state != state || !strstr(checks[i].text, words)) {
		fprintf(stderr, "%s: state %d, '%s'; not %d, '%s'\n", name, checks[i].state,
			checks[i].text, state, words);
		exit(1);
	}
}

#define RELEASE KVM_SERIES_DEFAULT ".0-56-amd64"

static void test_bare(void)
{
	put("/proc/cpuinfo", "flags\t\t: fpu lm\n");
	put("/lib/modules/" KVM_SERIES_DEFAULT ".0-55-amd64/build", "");
	expect(RELEASE, "cpu", HOST_REQUIRED, "neither VMX nor SVM");
	expect(RELEASE, "kernel", HOST_MISSING, "apt-get install linux-headers-" RELEASE);
	expect("4.19.0-1-amd64", "kernel", HOST_MISSING, KVM_SERIES_NAMES " only");
	expect(KVM_SERIES_DEFAULT "23.0", "kernel", HOST_MISSING, KVM_SERIES_NAMES " only");
	expect(RELEASE, "signatures", HOST_OK, "");
	expect(RELEASE, "modules", HOST_REQUIRED, "kvm is not loaded");
	expect(RELEASE, "device", HOST_REQUIRED, "kvm/install");
	expect(RELEASE, "guests", HOST_MISSING, "/dev/kvm: No such file");
	expect(RELEASE, "tracefs", HOST_MISSING, "not mounted");
	expect(RELEASE, "perf", HOST_MISSING, "no perf events");
	expect(RELEASE, "statistics", HOST_MISSING, "debugfs is not mounted");
	expect(RELEASE, "capabilities", HOST_MISSING, "modprobe msr");
}

static void test_filling_up(void)
{
	put("/proc/cpuinfo", "flags\t\t: fpu vmx lm\n");
	expect(RELEASE, "cpu", HOST_OK, "VMX");
	put("/lib/modules/" RELEASE "/build", "");
	expect(RELEASE, "kernel", HOST_MISSING, "apt-get install " KVM_SERIES_DEFAULT_SOURCE ")");
	put("/usr/src/" KVM_SERIES_DEFAULT_SOURCE ".tar.xz", "");
	expect(RELEASE, "kernel", HOST_OK, "");
	put("/sys/module/kvm/parameters/halt_poll_ns", "200000");
	expect(RELEASE, "modules", HOST_REQUIRED,
	       "no module can replace; no vendor part of it is active (see line cpu)");
	put("/sys/module/kvm_amd/parameters/npt", "Y");
	expect(RELEASE, "modules", HOST_REQUIRED, "no module can replace (use --source bpf)");
	take("/sys/module/kvm_amd/parameters/npt");
	take("/sys/module/kvm_amd/parameters");
	take("/sys/module/kvm_amd");
	put("/sys/module/kvm/initstate", "live");
	expect(RELEASE, "modules", HOST_REQUIRED, "stock");
	put("/sys/module/kvm/parameters/ring_records", "65536");
	expect(RELEASE, "modules", HOST_REQUIRED, "kvm_intel is not loaded");
	put("/sys/module/kvm_intel/refcnt", "0");
	expect(RELEASE, "modules", HOST_OK, "");
	put("/sys/module/kvm/parameters/stock_vendor", "Y\n");
	expect(RELEASE, "modules", HOST_REQUIRED,
	       "a stock kvm_intel runs on the kvm with the exit ring");
	put("/sys/module/kvm/parameters/stock_vendor", "N\n");
	expect(RELEASE, "modules", HOST_OK, "");
	put("/sys/module/kvm/parameters/hooks", "N\n");
	expect(RELEASE, "modules", HOST_REQUIRED, "hooks=0");
	put("/sys/module/kvm/parameters/hooks", "Y\n");
	expect(RELEASE, "modules", HOST_OK, "");
	put("/dev/kvm_exit_ring", "");
	expect(RELEASE, "device", HOST_REQUIRED, "another module's device");
	put("/dev/kvm", "");
	expect(RELEASE, "guests", HOST_OK, "");
	put("/sys/kernel/tracing/events/enable", "0");
	expect(RELEASE, "tracefs", HOST_MISSING, "modprobe kvm_intel");
	put("/sys/kernel/tracing/events/kvm/kvm_exit/enable", "0");
	expect(RELEASE, "tracefs", HOST_OK, "");
	put("/sys/kernel/debug/tracing", "");
	expect(RELEASE, "statistics", HOST_MISSING, "KVM is not loaded");
	put("/sys/kernel/debug/kvm/exits", "0");
	expect(RELEASE, "statistics", HOST_OK, "");
	put("/sys/kernel/vmx_caps/msrs", "");
	expect(RELEASE, "capabilities", HOST_OK, "vmx_caps");
	take("/sys/kernel/vmx_caps/msrs");
	put("/dev/cpu/0/msr", "");
	expect(RELEASE, "capabilities", HOST_OK, "msr devices");
	put("/proc/cpuinfo", "flags\t\t: fpu svm lm\n");
	expect(RELEASE, "capabilities", HOST_OK, "not for this CPU");
}

static void test_restrictions(void)
{
	put("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	expect(RELEASE, "signatures", HOST_MISSING, "locked down");
	put("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	expect(RELEASE, "signatures", HOST_OK, "");
	put("/sys/module/module/parameters/sig_enforce", "Y\n");
	expect(RELEASE, "signatures", HOST_MISSING, "sig_enforce");
	put("/sys/module/module/parameters/sig_enforce", "N\n");
	expect(RELEASE, "signatures", HOST_OK, "");
	put("/proc/sys/kernel/perf_event_paranoid", "3\n");
	if (geteuid()) {
		expect(RELEASE, "perf", HOST_MISSING, "perf_event_paranoid is 3");
		put("/proc/sys/kernel/perf_event_paranoid", "-1\n");
	}
	expect(RELEASE, "perf", HOST_OK, "");
}

int main(void)
{
	const char *folder = getenv("TEST_TMPDIR");

	snprintf(root, sizeof(root), "%s/host-XXXXXX", folder ? folder : "/tmp");
	CHECK(mkdtemp(root));
	test_bare();
	test_filling_up();
	test_restrictions();
	return 0;
}
