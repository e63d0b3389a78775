// SPDX-License-Identifier: GPL-2.0-only
/* vmx_msrs.c - reads the VMX capability MSRs; text to values and back */
#include "collector/host/vmx_msrs.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm/caps/vmx_caps_decode.h"

#define CPUID_1_ECX_VMX (1U << 5)

int vmx_caps_write(FILE *out, unsigned int cpu,
		   int (*rdmsr)(void *context, unsigned int msr, uint64_t *value), void *context)
{
	struct vmx_caps_cpu caps = {.read = 0};
	unsigned int i;
	int error = 0;

	/* In ascending order: an MSR's gate has a lower number than itself. */
	for (i = 0; i < VMX_CAPS_MSRS; i++) {
		uint64_t value;
		int rc;

		if (!vmx_cap_exists(&caps, VMX_CAPS_FIRST_MSR + i))
			continue;
		rc = rdmsr(context, VMX_CAPS_FIRST_MSR + i, &value);
		if (rc) {
			error = rc;
			continue;
		}
		caps.value[i] = value;
		caps.read |= 1U << i;
	}
	if (!caps.read)
		return error;
	for (i = 0; i < VMX_CAPS_MSRS; i++) {
		if (caps.read & 1U << i)
			fprintf(out, "%u 0x%x 0x%016llx\n", cpu, VMX_CAPS_FIRST_MSR + i,
				(unsigned long long)caps.value[i]);
		else if (vmx_cap_exists(&caps, VMX_CAPS_FIRST_MSR + i))
			fprintf(out, "%u 0x%x unreadable\n", cpu, VMX_CAPS_FIRST_MSR + i);
	}
	return 0;
}

static int rdmsr_device(void *context, unsigned int msr, uint64_t *value)
{
	const int *fd = context;

	return pread(*fd, value, sizeof(*value), msr) == sizeof(*value) ? 0 : -errno;
}

/* Of all CPUs that are online. Fails if none can be read. */
static int write_from_devices(FILE *out)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	unsigned int cpu;
	int error = -ENOENT;
	int read = 0;

	for (cpu = 0; cpu < cpus; cpu++) {
		char path[32];
		int fd, rc;

		snprintf(path, sizeof(path), "/dev/cpu/%u/msr", cpu);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		rc = fd < 0 ? -errno : vmx_caps_write(out, cpu, rdmsr_device, &fd);
		if (fd >= 0)
			close(fd);
		if (rc)
			error = rc;
		else
			read++;
	}
	return read ? 0 : error;
}

static int copy(FILE *from, FILE *to)
{
	char buffer[4096];
	size_t n;

	do {
		n = fread(buffer, 1, sizeof(buffer), from);
		fwrite(buffer, 1, n, to);
	} while (n == sizeof(buffer));
	return ferror(from) ? -EIO : 0;
}

int vmx_caps_read(char **text)
{
	unsigned int eax, ebx, ecx, edx;
	size_t bytes;
	FILE *module;
	FILE *out;
	int rc;

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & CPUID_1_ECX_VMX))
		return -ENODEV;
	out = open_memstream(text, &bytes);
	if (!out)
		return -ENOMEM;
	module = fopen("/sys/kernel/vmx_caps/msrs", "re");
	rc = module ? copy(module, out) : write_from_devices(out);
	if (module)
		fclose(module);
	if (fclose(out) && !rc)
		rc = -ENOMEM;
	if (rc)
		free(*text);
	return rc;
}

/* One line without its newline. */
static int parse_line(const char *line, struct vmx_caps_row *row)
{
	unsigned long long value = 0;
	int end = -1;

	sscanf(line, "%u 0x%x %n", &row->cpu, &row->msr, &end);
	if (end < 0 || row->msr < VMX_CAPS_FIRST_MSR ||
	    row->msr >= VMX_CAPS_FIRST_MSR + VMX_CAPS_MSRS)
		return -EPROTO;
	row->valid = strcmp(line + end, "unreadable") != 0;
	if (row->valid) {
		char *rest;

		errno = 0;
		value = strtoull(line + end, &rest, 16);
		if (errno || strncmp(line + end, "0x", 2) || *rest)
			return -EPROTO;
	}
	row->value = value;
	return 0;
}

int vmx_caps_parse(const char *text, int (*take)(void *context, const struct vmx_caps_row *row),
		   void *context)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		struct vmx_caps_row row;
		char line[64];
		int rc;

		if (length >= sizeof(line))
			return -EPROTO;
		memcpy(line, text, length);
		line[length] = '\0';
		rc = parse_line(line, &row);
		if (!rc)
			rc = take(context, &row);
		if (rc)
			return rc;
		text += length + (text[length] == '\n');
	}
	return 0;
}
