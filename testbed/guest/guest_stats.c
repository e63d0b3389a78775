// SPDX-License-Identifier: GPL-2.0-only
/* guest_stats.c - KVM's own statistics: of a vCPU, or of its VM where KVM has no others */
#include "testbed/guest/guest_stats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NUMBER_BYTES 32 /* of a file in debugfs: a decimal number and a newline */

void guest_stats_open(const struct guest_vm *vm, struct guest_vcpu *vcpu)
{
	char folder[64];

	vcpu->stats_of_vm = false;
	vcpu->stats = ioctl(vcpu->fd, KVM_GET_STATS_FD, NULL);
	if (vcpu->stats >= 0)
		return;

	/* kvm_create_vm_debugfs() names it after the calling thread. */
	snprintf(folder, sizeof(folder), "/sys/kernel/debug/kvm/%d-%d", gettid(), vm->fd);
	vcpu->stats = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	vcpu->stats_of_vm = vcpu->stats >= 0;
}

static int read_at(int fd, void *buffer, size_t bytes, off_t offset)
{
	ssize_t got = pread(fd, buffer, bytes, offset);

	if (got < 0)
		return -errno;
	return (size_t)got == bytes ? 0 : -EIO;
}

static int binary_stats(int fd, guest_stat_fn fn, void *context)
{
	struct kvm_stats_header header;
	char *descriptors;
	size_t step;
	int err = read_at(fd, &header, sizeof(header), 0);

	if (err)
		return err;

	step = sizeof(struct kvm_stats_desc) + header.name_size;
	descriptors = malloc(step * header.num_desc);
	if (!descriptors)
		return -ENOMEM;

	err = read_at(fd, descriptors, step * header.num_desc, header.desc_offset);
	for (unsigned int i = 0; !err && i < header.num_desc; i++) {
		const struct kvm_stats_desc *stat = (const void *)(descriptors + i * step);
		uint64_t value;

		if (stat->size != 1)
			continue;
		err = read_at(fd, &value, sizeof(value), header.data_offset + stat->offset);
		if (!err)
			fn(stat->name, value, context);
	}
	free(descriptors);
	return err;
}

/* The number in the file @name of @folder. */
static int file_stat(int folder, const char *name, uint64_t *value)
{
	char text[NUMBER_BYTES], *end;
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (got <= 0)
		return -EIO;

	text[got] = '\0';
	*value = strtoull(text, &end, 10);
	return *end == '\n' ? 0 : -EIO;
}

/* Folders of the vCPUs are there too; what is in them is about TSC and timer. */
static int folder_stats(int folder, guest_stat_fn fn, void *context)
{
	const struct dirent *entry;
	uint64_t value = 0;
	DIR *dir = fdopendir(dup(folder));
	int err = 0;

	if (!dir)
		return -errno;
	rewinddir(dir);
	while (!err && (entry = readdir(dir))) {
		if (entry->d_type != DT_REG)
			continue;
		err = file_stat(folder, entry->d_name, &value);
		if (!err)
			fn(entry->d_name, value, context);
	}
	closedir(dir);
	return err;
}

int guest_stats(const struct guest_vcpu *vcpu, guest_stat_fn fn, void *context)
{
	return vcpu->stats_of_vm ? folder_stats(vcpu->stats, fn, context)
				 : binary_stats(vcpu->stats, fn, context);
}

struct stat_search {
	const char *name;
	uint64_t value;
};

static void pick(const char *name, uint64_t value, void *context)
{
	struct stat_search *search = context;

	if (!strcmp(name, search->name))
		search->value = value;
}

uint64_t guest_stat(const struct guest_vcpu *vcpu, const char *name)
{
	struct stat_search search = {.name = name, .value = UINT64_MAX};

	return guest_stats(vcpu, pick, &search) ? UINT64_MAX : search.value;
}
