// SPDX-License-Identifier: GPL-2.0-only
/*
 * memory_test.c - the memory of rings: it is given back, charged to who asked for it, and bounded
 * when nobody reads. Runs in the test bed's L1 as root, with ring_records=4096.
 */
#include "kvm/test/device_vm.h"
#include "kvm/test/ring_steps.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define ORPHANS_MAX 64 /* rings of dead vCPUs that wait for a reader */
#define ROUNDS	    100
#define CGROUP_ROOT "/tmp/cgroup"
#define CGROUP	    CGROUP_ROOT "/test"

/* The number after key in a file of "key number" lines, in the file's unit. */
static unsigned long number_in(const char *path, const char *key)
{
	FILE *file = fopen(path, "re");
	char word[64];
	unsigned long n;

	CHECK(file);
	while (fscanf(file, "%63s %lu%*[^\n]", word, &n) == 2) {
		if (strcmp(word, key))
			continue;
		fclose(file);
		return n;
	}
	fclose(file);
	fprintf(stderr, "memory_test: no %s in %s\n", key, path);
	exit(1);
}

static unsigned long vmalloc_kib(void)
{
	return number_in("/proc/meminfo", "VmallocUsed:");
}

/* VMs and readers that come and go, in any order of going. */
static void come_and_go(unsigned int rounds)
{
	struct ring_map map;
	struct step_vm vm;

	while (rounds--) {
		step_vm_open(&vm);
		attach(&map, newest_ring(), 0);
		step(&vm, 5);
		if (rounds % 2)
			ring_unmap(&map);
		step_vm_close(&vm);
		if (!(rounds % 2))
			ring_unmap(&map);
	}
}

static void test_nothing_leaks(void)
{
	unsigned long ring_kib, before, after;
	struct ring_map map;
	struct step_vm vm;

	step_vm_open(&vm);
	attach(&map, newest_ring(), 0);
	ring_kib = map.meta->record_count * sizeof(struct kvm_exit_record) / 1024;
	ring_unmap(&map);
	step_vm_close(&vm);

	come_and_go(10);
	usleep(200000); /* buffers are freed after a grace period */
	before = vmalloc_kib();
	come_and_go(ROUNDS);
	usleep(200000);
	after = vmalloc_kib();
	/* Far less than one page of each ring. */
	CHECK(after < before + ring_kib / 2 && after < before + ROUNDS * 4);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static unsigned long charged_bytes(void)
{
	return number_in(CGROUP "/memory.stat", "vmalloc");
}

/* In a cgroup of its own: what a VMM makes, and what a reader makes, shows there. */
static void be_charged(void)
{
	unsigned long empty, with_vm, with_reader;
	struct ring_map map;
	struct step_vm vm;

	write_text(CGROUP "/cgroup.procs", "0");
	empty = charged_bytes();
	step_vm_open(&vm);
	with_vm = charged_bytes();
	attach(&map, newest_ring(), 0);
	with_reader = charged_bytes();
	CHECK(with_vm >= empty + map.meta->records_offset);
	CHECK(with_reader >= with_vm + map.meta->record_count * sizeof(*map.records));
	ring_unmap(&map);
	step_vm_close(&vm);
}

static void test_memory_is_charged(void)
{
	pid_t pid;
	int status;

	mkdir(CGROUP_ROOT, 0755);
	if (mount("none", CGROUP_ROOT, "cgroup2", 0, NULL)) {
		printf("memory_test: skipped, needs cgroup2: %s\n", strerror(errno));
		return;
	}
	write_text(CGROUP_ROOT "/cgroup.subtree_control", "+memory");
	CHECK(!mkdir(CGROUP, 0755) || errno == EEXIST);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		be_charged();
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

/* Armed, and nobody reads: of the rings whose vCPUs are gone the oldest are given up. */
static void test_orphaned_rings_are_bounded(void)
{
	struct kvm_exit_ring_info info = {0};
	unsigned int orphans = 0;
	uint64_t first = 0;
	int armer = device();

	CHECK(!ioctl(armer, KVM_EXIT_RING_ARM));
	for (unsigned int i = 0; i < ORPHANS_MAX + 6; i++) {
		struct step_vm vm;

		step_vm_open(&vm);
		if (!first)
			first = newest_ring();
		step_vm_close(&vm);
	}
	while (!ioctl(armer, KVM_EXIT_RING_NEXT, &info)) {
		CHECK(info.ring_id >= first + 6 && info.flags & KVM_EXIT_INFO_DEAD);
		orphans++;
	}
	CHECK(orphans == ORPHANS_MAX);
	close(armer);
	info.ring_id = 0;
	armer = device();
	CHECK(ioctl(armer, KVM_EXIT_RING_NEXT, &info) && errno == ENOENT);
	close(armer);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{"nothing leaks", test_nothing_leaks},
		{"memory is charged", test_memory_is_charged},
		{"orphaned rings are bounded", test_orphaned_rings_are_bounded},
	};

	(void)argc;
	return RUN_TESTS("memory_test", tests, argv);
}
