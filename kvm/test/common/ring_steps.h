/* SPDX-License-Identifier: GPL-2.0-only */
/* ring_steps.h - what the tests of the device do with it again and again */
#ifndef KVM_TEST_COMMON_RING_STEPS_H
#define KVM_TEST_COMMON_RING_STEPS_H

#include "kvm/test/common/check.h"
#include "kvm/test/common/ring_map.h"

#include <poll.h>
#include <string.h>
#include <sys/wait.h>

static inline int device(void)
{
	int fd = open(KVM_EXIT_RING_DEVICE, O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

/* The ring with the largest id. */
static inline uint64_t newest_ring(void)
{
	struct kvm_exit_ring_info info = {0};
	int fd = device();

	while (!ioctl(fd, KVM_EXIT_RING_NEXT, &info))
		;
	CHECK(errno == ENOENT);
	close(fd);
	return info.ring_id;
}

static inline struct kvm_exit_ring_info ring_info(uint64_t id)
{
	struct kvm_exit_ring_info info = {.ring_id = id - 1};
	int fd = device();

	CHECK(!ioctl(fd, KVM_EXIT_RING_NEXT, &info) && info.ring_id == id);
	close(fd);
	return info;
}

static inline void attach(struct ring_map *map, uint64_t id, uint32_t flags)
{
	struct kvm_exit_ring_attach how = {.ring_id = id, .flags = flags};

	CHECK(!ring_map(map, &how));
}

/* Rings of tests before go after a grace period, 10 s at most: then records take no memory. */
static inline void wait_for_free_memory(int fd)
{
	struct kvm_exit_ring_query query = {.size = sizeof(query)};

	CHECK(!ioctl(fd, KVM_EXIT_RING_QUERY, &query));
	for (int tries = 0; tries < 100 && query.memory_bytes; tries++) {
		usleep(100000);
		CHECK(!ioctl(fd, KVM_EXIT_RING_QUERY, &query));
	}
	CHECK(query.memory_bytes == 0);
}

/* The slot of I/O exits; the timer of L1 may bring about others at any time. */
static inline unsigned int io_slot(const struct ring_map *map)
{
	return map->meta->isa == KVM_EXIT_ISA_VMX ? 30 : 0x7b;
}

/* Reads what there is; returns how many were of I/O, the last of them in *last. */
static inline uint32_t read_all(struct ring_map *map, struct kvm_exit_record *last)
{
	const struct kvm_exit_record *first;
	uint32_t n, sum = 0;

	if (last)
		*last = (struct kvm_exit_record){0};
	while ((n = exit_ring_peek(&map->reader, &first))) {
		for (uint32_t i = 0; i < n; i++) {
			if (first[i].reason != io_slot(map))
				continue;
			sum++;
			if (last)
				*last = first[i];
		}
		exit_ring_advance(&map->reader, n);
	}
	return sum;
}

static inline short polled(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	CHECK(poll(&p, 1, timeout_ms) >= 0);
	return p.revents;
}

static inline uint64_t sum_of(const struct kvm_exit_total *totals, size_t offset)
{
	uint64_t sum = 0;

	for (unsigned int slot = 0; slot < KVM_EXIT_TOTAL_SLOTS; slot++)
		sum += *(const uint64_t *)((const char *)&totals[slot] + offset);
	return sum;
}

/* Runs fn in a child; returns its wait status. */
static inline int in_child(void (*fn)(void *), void *arg)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (!pid) {
		fn(arg);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

struct test {
	const char *name;
	void (*run)(void);
};

/*
 * PROGRAM [TEXT]: runs all tests, or those with TEXT in their names. The first that
 * fails ends the program, and so does one that takes 5 minutes. Returns the exit status.
 */
static inline int run_tests(const char *program, const struct test *tests, size_t count,
			    const char *text)
{
	unsigned int done = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < count; i++) {
		if (text && !strstr(tests[i].name, text))
			continue;
		alarm(300);
		printf("%s: %s\n", program, tests[i].name);
		tests[i].run();
		done++;
	}
	printf("%s: %u claims hold\n", program, done);
	return !done;
}

#define RUN_TESTS(program, tests, argv)                                                            \
	run_tests(program, tests, sizeof(tests) / sizeof((tests)[0]), (argv)[0] ? (argv)[1] : NULL)

#define IO(map, field)	((map)->totals[io_slot(map)].field)
#define SUM(map, field) sum_of((map)->totals, offsetof(struct kvm_exit_total, field))

/* Whether kvm-intel runs with its parameter @name off; not with kvm-amd. */
static inline int vmx_without(const char *name)
{
	char path[80], value = 'Y';
	int fd;

	snprintf(path, sizeof(path), "/sys/module/kvm_intel/parameters/%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return 0;
	CHECK(read(fd, &value, 1) == 1);
	close(fd);
	return value == 'N' || value == '0';
}

#endif
