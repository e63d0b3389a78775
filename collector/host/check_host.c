// SPDX-License-Identifier: GPL-2.0-only
/* check_host.c - checks modules, device, tracefs, perf and debugfs of a host */
#include "collector/host/check_host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kvm/series.h"
#include "kvm/uapi/kvm_exit_ring.h"

struct checker {
	const char *root;
	const char *release;
	char series[16];    /* "MAJOR.MINOR" */
	const char *vendor; /* kvm_intel or kvm_amd; NULL: the CPU can't virtualize */
	struct host_check *checks;
	int count;
};

/* Why the device of a patched KVM can't be had; the same words everywhere. */
#define BUILD_MODULES "build and load the modules: kvm/install"
#define BE_ROOT	      "run it as root, or with CAP_PERFMON and access to the file"
#define LESS_LOCKDOWN "lockdown=confidentiality forbids it: boot with lockdown=integrity or without"

__attribute__((format(printf, 4, 5))) static void report(struct checker *c, enum host_state state,
							 const char *name, const char *format, ...)
{
	struct host_check *check = &c->checks[c->count];
	va_list arguments;

	if (c->count == CHECK_HOST_MAX)
		return;

	c->count++;
	check->state = state;
	check->name = name;
	va_start(arguments, format);
	vsnprintf(check->text, sizeof(check->text), format, arguments);
	va_end(arguments);
}

/* A path below the root; valid until the next call. */
__attribute__((format(printf, 2, 3))) static const char *path_under_root(const struct checker *c,
									 const char *format, ...)
{
	static char path[512];
	int used = snprintf(path, sizeof(path), "%s", c->root);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(path + used, sizeof(path) - (size_t)used, format, arguments);
	va_end(arguments);
	return path;
}

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

/* All of a small file, "" if it can't be read; the caller frees it. */
static char *contents(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t bytes = 0;

	if (!f || getdelim(&text, &bytes, '\0', f) < 0) {
		free(text);
		text = strdup("");
	}
	if (f)
		fclose(f);
	return text;
}

/* Whether a file contains @word; false as well if it can't be read. */
static bool has_word(const char *path, const char *word)
{
	char *text = contents(path);
	bool found = text && strstr(text, word);

	free(text);
	return found;
}

static void check_cpu(struct checker *c)
{
	const char *path = path_under_root(c, "/proc/cpuinfo");

	if (has_word(path, " vmx"))
		c->vendor = "kvm_intel";
	else if (has_word(path, " svm"))
		c->vendor = "kvm_amd";

	if (c->vendor)
		report(c, HOST_OK, "cpu", "%s", c->vendor[4] == 'i' ? "VMX" : "SVM");
	else
		report(c, HOST_REQUIRED, "cpu",
		       "neither VMX nor SVM (turn on VT-x or SVM in the firmware; in a VM: nested virtualization)");
}

/* The package with the source of a kernel series, NULL: kvm/ has no hooks for it. */
static const char *source_package(const char *series)
{
	static const struct {
		const char *series;
		const char *source;
	} rows[] = {KVM_SERIES_ROWS};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!strcmp(rows[i].series, series))
			return rows[i].source;
	}
	return NULL;
}

static void check_kernel(struct checker *c)
{
	const char *source = source_package(c->series);

	if (!source)
		report(c, HOST_MISSING, "kernel",
		       "%s: there are hook patches for %s only (kvm/README.md says how to add a series)",
		       c->release, KVM_SERIES_NAMES);
	else if (!exists(path_under_root(c, "/lib/modules/%s/build", c->release)))
		report(c, HOST_MISSING, "kernel",
		       "%s without headers, to build modules with (apt-get install linux-headers-%s)",
		       c->release, c->release);
	else if (!exists(path_under_root(c, "/usr/src/%s.tar.xz", source)))
		report(c, HOST_MISSING, "kernel",
		       "%s without its source, to build modules with (apt-get install %s)",
		       c->release, source);
	else
		report(c, HOST_OK, "kernel", "%s with headers and source", c->release);
}

static void check_secure_boot(struct checker *c)
{
	bool locked =
		has_word(path_under_root(c, "/sys/kernel/security/lockdown"), "[integrity]") ||
		has_word(path_under_root(c, "/sys/kernel/security/lockdown"), "[confidentiality]");
	char *enforced = contents(path_under_root(c, "/sys/module/module/parameters/sig_enforce"));

	if (locked || (enforced && *enforced == 'Y'))
		report(c, HOST_MISSING, "signatures",
		       "%s: only signed modules load, and the msr devices and kprobes are shut (kvm/install --dkms signs; 'Secure Boot' in kvm/install --help)",
		       locked ? "the kernel is locked down" : "module.sig_enforce is on");
	else
		report(c, HOST_OK, "signatures", "unsigned modules may be loaded");
	free(enforced);
}

/* Whether kvm_intel or kvm_amd is loaded or built in, without which BPF has nothing to read. */
static bool has_vendor_part(const struct checker *c)
{
	return exists(path_under_root(c, "/sys/module/kvm_intel")) ||
	       exists(path_under_root(c, "/sys/module/kvm_amd"));
}

static void check_modules(struct checker *c)
{
	if (!exists(path_under_root(c, "/sys/module/kvm")))
		report(c, HOST_REQUIRED, "modules", "kvm is not loaded (" BUILD_MODULES ")");
	else if (!exists(path_under_root(c, "/sys/module/kvm/initstate")))
		report(c, HOST_REQUIRED, "modules",
		       "KVM is built into this kernel (CONFIG_KVM=y), which no module can replace%s",
		       has_vendor_part(c) ? " (use --source bpf)"
					  : "; no vendor part of it is active (see line cpu)");
	else if (!exists(path_under_root(c, "/sys/module/kvm/parameters/ring_records")))
		report(c, HOST_REQUIRED, "modules",
		       "the loaded kvm is a stock one, without the exit ring (" BUILD_MODULES ")");
	else if (c->vendor && !exists(path_under_root(c, "/sys/module/%s", c->vendor)))
		report(c, HOST_REQUIRED, "modules", "%s is not loaded (" BUILD_MODULES ")",
		       c->vendor);
	else if (has_word(path_under_root(c, "/sys/module/kvm/parameters/stock_vendor"), "Y"))
		report(c, HOST_REQUIRED, "modules",
		       "a stock %s runs on the kvm with the exit ring: its exits are not recorded (%s)",
		       c->vendor ? c->vendor : "kvm_intel or kvm_amd", BUILD_MODULES);
	else if (has_word(path_under_root(c, "/sys/module/kvm/parameters/hooks"), "N"))
		report(c, HOST_REQUIRED, "modules",
		       "kvm was loaded with hooks=0: nothing is counted or recorded (load it without)");
	else
		report(c, HOST_OK, "modules", "kvm with the exit ring");
}

/* The way out after open() of the device has failed with @error. */
static const char *device_way_out(struct checker *c, int error)
{
	if (error != EACCES && error != EPERM)
		return BUILD_MODULES;
	if (has_word(path_under_root(c, "/sys/kernel/security/lockdown"), "[confidentiality]"))
		return LESS_LOCKDOWN;
	return BE_ROOT;
}

static void check_device(struct checker *c)
{
	struct kvm_exit_ring_info info = {.ring_id = UINT64_MAX};
	int fd = open(path_under_root(c, KVM_EXIT_RING_DEVICE), O_RDWR | O_CLOEXEC);
	int error = errno;

	if (fd < 0)
		report(c, HOST_REQUIRED, "device", KVM_EXIT_RING_DEVICE ": %s (%s)",
		       strerror(error), device_way_out(c, error));
	else if (!ioctl(fd, KVM_EXIT_RING_NEXT, &info) || errno == ENOENT)
		report(c, HOST_OK, "device", KVM_EXIT_RING_DEVICE " answers");
	else
		report(c, HOST_REQUIRED, "device",
		       KVM_EXIT_RING_DEVICE ": %s: another module's device (" BUILD_MODULES ")",
		       strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void check_kvm(struct checker *c)
{
	if (!access(path_under_root(c, "/dev/kvm"), R_OK | W_OK))
		report(c, HOST_OK, "guests", "/dev/kvm opens");
	else
		report(c, HOST_MISSING, "guests", "/dev/kvm: %s (%s)", strerror(errno),
		       errno == EACCES ? "be root or of group kvm, to run guests" : BUILD_MODULES);
}

static void check_tracefs(struct checker *c)
{
	const char *path = path_under_root(c, "/sys/kernel/tracing/events/kvm/kvm_exit/enable");

	if (!access(path, W_OK))
		report(c, HOST_OK, "tracefs", "kvm_exit can be traced");
	else if (errno == EACCES)
		report(c, HOST_MISSING, "tracefs", "no permission (run it as root)");
	else if (!exists(path_under_root(c, "/sys/kernel/tracing/events")))
		report(c, HOST_MISSING, "tracefs",
		       "not mounted (mount -t tracefs tracefs /sys/kernel/tracing)");
	else
		report(c, HOST_MISSING, "tracefs",
		       "has no event kvm_exit (load the modules: kvm/install, or modprobe %s)",
		       c->vendor ? c->vendor : "kvm");
}

static void check_perf(struct checker *c)
{
	char *text = contents(path_under_root(c, "/proc/sys/kernel/perf_event_paranoid"));

	if (!text || !*text)
		report(c, HOST_MISSING, "perf", "this kernel has no perf events");
	else if (geteuid() && atoi(text) > -1)
		report(c, HOST_MISSING, "perf",
		       "perf_event_paranoid is %d: no tracepoint of the host without privilege (run it as root, or sysctl kernel.perf_event_paranoid=-1)",
		       atoi(text));
	else
		report(c, HOST_OK, "perf", "kvm_exit can be counted");
	free(text);
}

static void check_stats(struct checker *c)
{
	if (!access(path_under_root(c, "/sys/kernel/debug/kvm"), R_OK | X_OK))
		report(c, HOST_OK, "statistics", "KVM's own, in debugfs");
	else if (errno == EACCES)
		report(c, HOST_MISSING, "statistics", "KVM's own: no permission (run it as root)");
	else
		report(c, HOST_MISSING, "statistics", "KVM's own: %s",
		       exists(path_under_root(c, "/sys/kernel/debug/tracing"))
			       ? "KVM is not loaded (" BUILD_MODULES ")"
			       : "debugfs is not mounted (mount -t debugfs debugfs /sys/kernel/debug)");
}

static void check_capabilities(struct checker *c)
{
	if (c->vendor && strcmp(c->vendor, "kvm_intel"))
		report(c, HOST_OK, "capabilities", "VMX only, not for this CPU");
	else if (exists(path_under_root(c, "/sys/kernel/vmx_caps/msrs")))
		report(c, HOST_OK, "capabilities", "module vmx_caps is loaded");
	else if (!access(path_under_root(c, "/dev/cpu/0/msr"), R_OK))
		report(c, HOST_OK, "capabilities", "from the msr devices");
	else
		report(c, HOST_MISSING, "capabilities",
		       "runs will not have the CPU's VMX capabilities (kvm/install loads vmx_caps; or modprobe msr)");
}

int check_host(const char *root, const char *release, struct host_check checks[CHECK_HOST_MAX])
{
	struct checker c = {.root = root, .release = release, .checks = checks};
	size_t length = strspn(release, "0123456789");

	if (release[length] == '.')
		length += 1 + strspn(release + length + 1, "0123456789");
	snprintf(c.series, sizeof(c.series), "%.*s", (int)length, release);

	check_cpu(&c);
	check_kernel(&c);
	check_secure_boot(&c);
	check_modules(&c);
	check_device(&c);
	check_kvm(&c);
	check_tracefs(&c);
	check_perf(&c);
	check_stats(&c);
	check_capabilities(&c);
	return c.count;
}
