// SPDX-License-Identifier: GPL-2.0-only
/* host.c - reads CPU, kernel, microcode and KVM's parameters */
#include "collector/host/host.h"

#include <cpuid.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <x86intrin.h>

#include "base/json_quote.h"
#include "collector/host/proc_file.h"
#include "collector/host/vmx_msrs.h"

/* The first line of a file without its newline; empty if it can't be read. */
static void first_line(const char *path, char *line, int bytes)
{
	FILE *f = fopen(path, "re");

	*line = '\0';
	if (!f)
		return;

	if (!fgets(line, bytes, f))
		*line = '\0';
	line[strcspn(line, "\n")] = '\0';
	fclose(f);
}

static void set_from_file(struct run_info *info, enum run_text which, const char *path)
{
	char line[256];

	first_line(path, line, sizeof(line));
	if (*line)
		run_info_set(info, which, line);
}

/* "name<tabs>: value" lines of the first processor. */
static void read_cpuinfo(struct run_info *info)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[4096];

	while (f && fgets(line, sizeof(line), f) && *line != '\n') {
		char *value = strstr(line, ": ");

		if (!value)
			continue;
		value += 2;
		value[strcspn(value, "\n")] = '\0';

		if (!strncmp(line, "model name", 10))
			run_info_set(info, RUN_CPU_MODEL, value);
		else if (!strncmp(line, "microcode", 9))
			run_info_set(info, RUN_MICROCODE, value);
	}
	if (f)
		fclose(f);
}

/* AMD and Hygon have SVM, all others that KVM supports have VMX. */
uint32_t host_isa(void)
{
	unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;

	if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) && (ecx & 4))
		return KVM_EXIT_ISA_SVM;
	return KVM_EXIT_ISA_VMX;
}

/* Whether the firmware's tables name an emulator that sets no hypervisor bit. */
static bool firmware_is_bochs(void)
{
	static const char *const files[] = {
		"/sys/class/dmi/id/bios_vendor",
		"/sys/class/dmi/id/sys_vendor",
		"/sys/class/dmi/id/product_name",
	};
	char line[128];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		first_line(files[i], line, sizeof(line));
		if (strcasestr(line, "bochs"))
			return true;
	}
	return false;
}

/* Column environment of table run. */
static const char *environment(void)
{
	unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;
	char name[13] = "";

	__get_cpuid(1, &eax, &ebx, &ecx, &edx);
	/* CPUID.1:ECX bit 31: there is a hypervisor; its leaf 0x40000000 has its name. */
	if (!(ecx & 1U << 31))
		return firmware_is_bochs() ? "emulated" : "metal";

	__cpuid(0x40000000, eax, ebx, ecx, edx);
	memcpy(name, &ebx, 4);
	memcpy(name + 4, &ecx, 4);
	memcpy(name + 8, &edx, 4);
	return strcmp(name, "TCGTCGTCGTCG") ? "vm" : "emulated";
}

/* Adds "name": "value" of a parameter of a module. */
static void parameter_json(FILE *out, const char *module, const char *name)
{
	char path[512];
	char value[256];

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module, name);
	first_line(path, value, sizeof(value));
	json_quote(out, name);
	fputs(": ", out);
	json_quote(out, value);
}

/* Adds "module": {"parameter": "value", ...} if the module is there. */
static void module_json(FILE *out, const char *module, int *modules)
{
	char path[512];
	struct dirent **names;
	int written = 0;
	int count;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters", module);
	count = scandir(path, &names, NULL, alphasort);
	if (count < 0)
		return;

	fprintf(out, "%s\"%s\": {", (*modules)++ ? ", " : "", module);
	for (int i = 0; i < count; i++) {
		if (*names[i]->d_name != '.') {
			fputs(written++ ? ", " : "", out);
			parameter_json(out, module, names[i]->d_name);
		}
		free(names[i]);
	}
	free(names);
	putc('}', out);
}

/* The parameters of KVM's modules, as JSON. */
static void read_parameters(struct run_info *info)
{
	char *text = NULL;
	size_t bytes = 0;
	int modules = 0;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return;

	putc('{', out);
	module_json(out, "kvm", &modules);
	module_json(out, "kvm_intel", &modules);
	module_json(out, "kvm_amd", &modules);
	putc('}', out);
	fclose(out);

	if (modules)
		run_info_set(info, RUN_MODULE_PARAMETERS, text);
	free(text);
}

/* The parameters that change which exits there are, each in a column of its own. */
static void read_virtualization(struct run_info *info)
{
	if (info->isa == KVM_EXIT_ISA_SVM) {
		set_from_file(info, RUN_EPT, "/sys/module/kvm_amd/parameters/npt");
		set_from_file(info, RUN_NESTED, "/sys/module/kvm_amd/parameters/nested");
		return;
	}

	set_from_file(info, RUN_EPT, "/sys/module/kvm_intel/parameters/ept");
	set_from_file(info, RUN_VPID, "/sys/module/kvm_intel/parameters/vpid");
	set_from_file(info, RUN_UNRESTRICTED_GUEST,
		      "/sys/module/kvm_intel/parameters/unrestricted_guest");
	set_from_file(info, RUN_NESTED, "/sys/module/kvm_intel/parameters/nested");
}

void host_describe(struct run_info *info)
{
	struct utsname name;
	char kernel[sizeof(name.release) + sizeof(name.version) + 1];
	char *caps;

	if (!uname(&name)) {
		snprintf(kernel, sizeof(kernel), "%s %s", name.release, name.version);
		run_info_set(info, RUN_KERNEL, kernel);
		run_info_set(info, RUN_HOST, name.nodename);
	}

	read_cpuinfo(info);
	info->isa = host_isa();
	run_info_set(info, RUN_ENVIRONMENT, environment());

	read_parameters(info);
	read_virtualization(info);
	if (!vmx_caps_read(&caps)) {
		run_info_set(info, RUN_VMX_CAPS, caps);
		free(caps);
	}

	/* Last, as the run begins now. */
	info->started_ns = host_realtime_ns();
	info->tsc_start = host_tsc();
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int64_t host_realtime_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t host_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t host_tsc(void)
{
	return __rdtsc();
}

uint32_t host_measure_tsc_khz(void)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	int64_t ns = clock_ns(CLOCK_MONOTONIC_RAW);
	uint64_t tsc = host_tsc();

	nanosleep(&pause, NULL);

	ns = clock_ns(CLOCK_MONOTONIC_RAW) - ns;
	tsc = host_tsc() - tsc;
	if (ns <= 0 || tsc * 1000000 / (uint64_t)ns == 0)
		return 1;
	return (uint32_t)(tsc * 1000000 / (uint64_t)ns);
}

/* Whether the parameter of kvm.ko shows as @value, Y or N. */
static bool kvm_parameter_is(const char *name, char value)
{
	char path[64];
	char line[8];

	snprintf(path, sizeof(path), "/sys/module/kvm/parameters/%s", name);
	first_line(path, line, sizeof(line));
	return line[0] == value;
}

bool host_stock_vendor(void)
{
	return kvm_parameter_is("stock_vendor", 'Y');
}

bool host_hooks_off(void)
{
	return kvm_parameter_is("hooks", 'N');
}

bool host_thread_runs(uint32_t tid)
{
	char path[64], text[512];
	const char *at;

	snprintf(path, sizeof(path), "/proc/%u/stat", tid);
	proc_file_read(path, text, sizeof(text));
	/* The thread's name, in parentheses, may have any characters of its own. */
	at = strrchr(text, ')');
	return at && !strncmp(at, ") R ", 4);
}

void host_comm(uint32_t pid, char *comm, int bytes)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	first_line(path, comm, bytes);
}
