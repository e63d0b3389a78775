// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostile_reader.c - a reader of the device that does all it can: any ioctl(), any mmap(), tails
 * that it forges, mappings that outlive the file, are moved, forked and written by other ways.
 * Runs in the test bed's L1 as root while VMs come and go; what the kernel says of it is the test.
 *
 *	hostile_reader SECONDS THREADS SEED
 *
 * Each five seconds are a process of their own, because it may end by a SIGSEGV of its own making.
 * Ends with 1 when it could write where it must not, or when a kind of call never succeeded: then
 * it has tried nothing.
 */
#include "kvm/uapi/kvm_exit_ring.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE		   4096U
#define TAIL_PAGE	   1
#define MAPS_MAX	   12
#define RINGS_MAX	   64
#define THREADS_MAX	   64
#define GENERATION_SECONDS 5
#define ARRAY_SIZE(a)	   (sizeof(a) / sizeof((a)[0]))

enum count {
	OPENED,
	IOCTLS,
	ARMED,
	LISTED,
	ATTACHED,
	MAPPED,
	FORGED,
	FORKED,
	POLLED,
	MISUSED,
	WROTE_READ_ONLY,
	COUNTS,
};

static const char *const count_names[COUNTS] = {
	[OPENED] = "opened",
	[IOCTLS] = "ioctl()",
	[ARMED] = "armed",
	[LISTED] = "listed",
	[ATTACHED] = "attached",
	[MAPPED] = "mapped",
	[FORGED] = "tails forged",
	[FORKED] = "forked",
	[POLLED] = "polled",
	[MISUSED] = "mappings misused",
	[WROTE_READ_ONLY] = "written although read-only",
};

static uint64_t *counts; /* shared by all generations */
static time_t end_of_generation;
static volatile uint64_t sink;

static void count(enum count what)
{
	__atomic_fetch_add(&counts[what], 1, __ATOMIC_RELAXED);
}

/* xorshift64, Marsaglia 2003 */
static uint64_t rnd(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* True once in n times. */
static bool once_in(uint64_t *seed, unsigned int n)
{
	return rnd(seed) % n == 0;
}

/*
 * struct map - a mapping of the device
 * @page: what it shows; TAIL_PAGE may be written, whatever it was mapped for
 * @is_writable: mapped for writing
 */
struct map {
	char *at;
	size_t bytes;
	off_t page;
	bool is_writable;
};

/* One open file, and what was made of it. */
struct reader {
	uint64_t seed;
	int fd, copy; /* copy: a second number of the file, or -1 */
	struct map maps[MAPS_MAX];
	int maps_n;
	uint64_t rings[RINGS_MAX];
	int rings_n;
};

static struct map *any_map(struct reader *r)
{
	return r->maps_n ? &r->maps[rnd(&r->seed) % r->maps_n] : NULL;
}

/* Something was written that no reader may write. */
static void written(const char *how, const struct map *map)
{
	fprintf(stderr, "hostile_reader: %s wrote to page %lld\n", how,
		map ? (long long)map->page : -1);
	count(WROTE_READ_ONLY);
}

static void forget_map(struct reader *r, struct map *map)
{
	*map = r->maps[--r->maps_n];
}

static void forge_tail(struct reader *r, struct map *map)
{
	static const uint64_t odd[] = {0,	   UINT64_MAX,		1,
				       1ULL << 63, UINT64_MAX - 100000, INT64_MAX};
	volatile uint64_t *words = (void *)map->at;

	for (int i = 0; i < 20; i++) {
		uint64_t any = rnd(&r->seed);
		uint64_t value = any % 3 ? odd[any % ARRAY_SIZE(odd)] : words[0] + (any >> 40);

		words[any % 4 ? 0 : rnd(&r->seed) % (PAGE / sizeof(*words))] = value;
		count(FORGED);
	}
}

static void any_ioctl(struct reader *r)
{
	uint64_t *s = &r->seed;
	char bytes[512];
	unsigned long command = rnd(s);
	void *arg = bytes;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = rnd(s) % 3 ? 0 : (char)rnd(s);
	if (once_in(s, 2))
		command = _IOC(rnd(s) % 4, KVM_EXIT_RING_IOC, rnd(s) % 16, rnd(s) % 1024);
	if (once_in(s, 3))
		arg = once_in(s, 2) ? (void *)(uintptr_t)rnd(s) : NULL;

	if ((command & 0xff00) != 0x5400) /* a terminal's */
		ioctl(r->fd, command, arg);
	count(IOCTLS);
}

static void fill_mask(uint64_t *seed, __u64 *mask)
{
	for (unsigned int i = 0; i < KVM_EXIT_TOTAL_SLOTS / 64; i++)
		mask[i] = rnd(seed);
}

static void arm(struct reader *r)
{
	struct kvm_exit_ring_arm how = {.size = sizeof(how)};
	uint64_t *s = &r->seed;

	if (once_in(s, 3)) {
		how.flags = rnd(s) % 4;
		how.record_count = rnd(s) % 5 ? 32U << rnd(s) % 12 : (__u32)rnd(s);
		how.max_bytes = rnd(s) >> rnd(s) % 64;
		how.one_in = rnd(s) % 4;
		how.tgid = rnd(s) % 4 ? 0 : rnd(s) % 300;
	}
	if (once_in(s, 5))
		fill_mask(s, how.reason_mask);
	if (once_in(s, 20))
		how.size = rnd(s) % 200;

	if (!ioctl(r->fd, KVM_EXIT_RING_ARM, &how))
		count(ARMED);
}

static void list(struct reader *r)
{
	struct kvm_exit_ring_info info = {0};
	uint64_t *s = &r->seed;

	if (once_in(s, 4))
		info.ring_id = once_in(s, 2) ? UINT64_MAX : rnd(s);
	for (int i = 0; i < RINGS_MAX && !ioctl(r->fd, KVM_EXIT_RING_NEXT, &info); i++) {
		r->rings[r->rings_n++ % RINGS_MAX] = info.ring_id;
		memset(&info.reserved, 0, sizeof(info.reserved));
		count(LISTED);
	}
}

static void attach(struct reader *r)
{
	struct kvm_exit_ring_attach how = {.size = sizeof(how)};
	int known = r->rings_n < RINGS_MAX ? r->rings_n : RINGS_MAX;
	uint64_t *s = &r->seed;

	how.ring_id = known ? r->rings[rnd(s) % known] : rnd(s) % 1000;
	if (once_in(s, 3)) {
		how.flags = once_in(s, 50) ? (__u32)rnd(s) : rnd(s) % 4;
		how.one_in = rnd(s) % 4;
		how.min_cycles = rnd(s) >> rnd(s) % 64;
		how.record_count = rnd(s) % 3 ? 0 : rnd(s) % 5 ? 32U << rnd(s) % 12 : (__u32)rnd(s);
	}
	if (once_in(s, 3))
		fill_mask(s, how.reason_mask);

	if (!ioctl(r->fd, KVM_EXIT_RING_ATTACH, &how))
		count(ATTACHED);
}

/* Half of them are as a sound reader maps, so that some succeed. */
static void map(struct reader *r)
{
	static const int prots[] = {PROT_READ, PROT_READ | PROT_WRITE, PROT_NONE,
				    PROT_READ | PROT_EXEC, PROT_WRITE};
	static const int kinds[] = {MAP_SHARED, MAP_SHARED, MAP_PRIVATE, MAP_SHARED | MAP_POPULATE,
				    MAP_SHARED | MAP_LOCKED};
	uint64_t *s = &r->seed;
	off_t page = rnd(s) % 20;
	size_t bytes = once_in(s, 2) ? PAGE : (1 + rnd(s) % 40) * PAGE;
	int prot = prots[rnd(s) % ARRAY_SIZE(prots)];
	char *at;

	if (once_in(s, 10))
		page = (off_t)(rnd(s) >> 13);
	if (once_in(s, 2)) {
		page = rnd(s) % 3;
		prot = page == TAIL_PAGE ? PROT_READ | PROT_WRITE : PROT_READ;
		bytes = PAGE;
	}

	at = mmap(NULL, bytes, prot, kinds[rnd(s) % ARRAY_SIZE(kinds)], r->fd, page * PAGE);
	if (at == MAP_FAILED)
		return;
	count(MAPPED);
	if (r->maps_n == MAPS_MAX)
		munmap(at, bytes);
	else
		r->maps[r->maps_n++] = (struct map){at, bytes, page, prot & PROT_WRITE};
}

/* A child inherits the file, not the mappings: touching one ends it. */
static void fork_with_maps(struct reader *r)
{
	const struct map *map = any_map(r);
	uint64_t choice = rnd(&r->seed);
	pid_t child;

	if (!map)
		return;
	count(FORKED);
	child = fork();
	if (!child) {
		struct pollfd wait = {.fd = r->fd, .events = POLLIN};

		signal(SIGSEGV, SIG_DFL);
		if (choice & 1)
			sink += (uint64_t) * (volatile char *)map->at;
		if (choice & 2)
			poll(&wait, 1, 1);
		if (choice & 4)
			raise(SIGKILL);
		_exit(0);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
}

static void move_map(uint64_t *seed, struct map *map)
{
	size_t bytes = once_in(seed, 2) ? 0 : map->bytes; /* 0: a second mapping of the same */
	char *at = mremap(map->at, bytes, 1 + rnd(seed) % (1 << 20), MREMAP_MAYMOVE);

	if (at == MAP_FAILED)
		return;
	if (bytes)
		map->at = at, map->bytes = PAGE;
	else
		munmap(at, PAGE);
}

static void write_by_other_ways(const struct map *map)
{
	char bytes[64] = {1};
	struct iovec from = {bytes, sizeof(bytes)}, to = {map->at, sizeof(bytes)};
	int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	process_vm_readv(getpid(), &from, 1, &to, 1, 0);
	if (process_vm_writev(getpid(), &from, 1, &to, 1, 0) > 0 && map->page != TAIL_PAGE)
		written("process_vm_writev()", map);
	if (memory >= 0) {
		if (pwrite(memory, bytes, 8, (off_t)(uintptr_t)map->at) > 0 &&
		    map->page != TAIL_PAGE)
			written("/proc/self/mem", map);
		close(memory);
	}
}

/* A pipe holds the pages of a mapping when that is gone. */
static void splice_map(struct reader *r, struct map *map)
{
	struct iovec pages = {map->at, PAGE};
	char bytes[100];
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return;
	vmsplice(ends[1], &pages, 1,
		 SPLICE_F_NONBLOCK | (once_in(&r->seed, 2) ? SPLICE_F_GIFT : 0));
	if (once_in(&r->seed, 2)) {
		munmap(map->at, map->bytes);
		forget_map(r, map);
	}
	if (read(ends[0], bytes, sizeof(bytes)) > 0)
		sink += (uint64_t)bytes[0];
	close(ends[0]);
	close(ends[1]);
}

static void misuse_map(struct reader *r)
{
	struct map *map = any_map(r);
	uint64_t *s = &r->seed;

	if (!map)
		return;
	count(MISUSED);
	switch (rnd(s) % 8) {
	case 0:
		if (!mprotect(map->at, map->bytes, PROT_READ | PROT_WRITE) &&
		    map->page != TAIL_PAGE)
			written("mprotect()", map);
		mprotect(map->at, map->bytes,
			 map->is_writable ? PROT_READ | PROT_WRITE : PROT_READ);
		break;
	case 1:
		move_map(s, map);
		break;
	case 2:
		madvise(map->at, map->bytes, rnd(s) % 26);
		break;
	case 3:
		/* It may show another page now, or be a hole that another thread fills. */
		syscall(SYS_remap_file_pages, map->at, PAGE, 0, rnd(s) % 30, 0);
		forget_map(r, map);
		break;
	case 4:
		write_by_other_ways(map);
		break;
	case 5:
		splice_map(r, map);
		break;
	case 6:
		mlock(map->at, map->bytes);
		msync(map->at, map->bytes, MS_SYNC);
		munlock(map->at, map->bytes);
		break;
	case 7:
		if (map->bytes <= 2 * PAGE)
			break;
		munmap(map->at + PAGE, PAGE);
		munmap(map->at, map->bytes);
		forget_map(r, map);
		break;
	}
}

/* The file in flight between two sockets that are closed meanwhile. */
static void send_file(const struct reader *r)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec text = {(void *)"x", 1};
	struct msghdr message = {.msg_iov = &text,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *file = CMSG_FIRSTHDR(&message);
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return;
	file->cmsg_level = SOL_SOCKET;
	file->cmsg_type = SCM_RIGHTS;
	file->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(file), &r->fd, sizeof(int));
	sendmsg(ends[0], &message, 0);
	close(ends[0]);
	close(ends[1]);
}

static void misuse_file(struct reader *r)
{
	uint64_t *s = &r->seed;
	char bytes[64] = {0};

	if (read(r->fd, bytes, sizeof(bytes)) > 0 || write(r->fd, bytes, sizeof(bytes)) > 0)
		written("read() or write()", NULL);
	lseek(r->fd, (off_t)rnd(s), rnd(s) % 3);
	if (!ftruncate(r->fd, rnd(s) % 10000))
		written("ftruncate()", NULL);
	fsync(r->fd);
	fcntl(r->fd, F_SETFL, (int)(rnd(s) & (O_NONBLOCK | O_ASYNC | O_APPEND)));
}

static void wait_a_bit(struct reader *r)
{
	struct pollfd wait = {.fd = r->fd, .events = (short)rnd(&r->seed)};

	poll(&wait, 1, rnd(&r->seed) % 3);
	count(POLLED);
}

static void use_maps(struct reader *r)
{
	for (int i = 0; i < r->maps_n; i++) {
		const struct map *map = &r->maps[i];

		for (int k = 0; k < 8; k++)
			sink += (uint64_t)((volatile char *)map->at)[rnd(&r->seed) % map->bytes];
		if (map->is_writable)
			forge_tail(r, &r->maps[i]);
	}
}

static void step(struct reader *r)
{
	static void (*const steps[])(struct reader *) = {
		any_ioctl,  arm,	list,	     list,     attach,	 attach,
		attach,	    map,	map,	     map,      map,	 fork_with_maps,
		misuse_map, wait_a_bit, misuse_file, use_maps, use_maps,
	};

	if (once_in(&r->seed, 60))
		send_file(r);
	else
		steps[rnd(&r->seed) % ARRAY_SIZE(steps)](r);
}

/* One file from its opening to its end; now and then mappings outlive it. */
static void one_file(uint64_t *seed)
{
	struct reader r = {.seed = rnd(seed), .copy = -1};
	int steps = rnd(seed) % 30;

	r.fd = open(KVM_EXIT_RING_DEVICE, (once_in(seed, 8) ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (r.fd < 0) {
		usleep(20000); /* all ids of files are in use, or the module is gone */
		return;
	}
	count(OPENED);
	if (once_in(seed, 10))
		r.copy = dup(r.fd);

	for (int i = 0; i < steps; i++)
		step(&r);

	if (once_in(seed, 2)) {
		close(r.fd);
		r.fd = -1;
	}
	use_maps(&r);
	for (int i = 0; i < r.maps_n; i++)
		if (!once_in(seed, 20))
			munmap(r.maps[i].at, r.maps[i].bytes);
	if (r.fd >= 0)
		close(r.fd);
	if (r.copy >= 0)
		close(r.copy);
}

static void *thread(void *arg)
{
	uint64_t seed = (uint64_t)(uintptr_t)arg * 0x9e3779b97f4a7c15ULL + 1;

	while (time(NULL) < end_of_generation)
		one_file(&seed);
	return NULL;
}

static void run_generation(unsigned long threads, uint64_t seed)
{
	pthread_t all[THREADS_MAX];

	for (unsigned long i = 0; i < threads; i++)
		if (pthread_create(&all[i], NULL, thread, (void *)(uintptr_t)(seed + i)))
			_exit(2);
	for (unsigned long i = 0; i < threads; i++)
		pthread_join(all[i], NULL);
	_exit(0);
}

/* Says what was done; whether all that it must do was done and nothing that it must not. */
static bool report(int generations, int killed)
{
	bool sound = counts[WROTE_READ_ONLY] == 0;

	printf("%d generations, %d ended by a signal of their own making\n", generations, killed);
	for (int i = 0; i < COUNTS; i++) {
		printf("%12llu %s\n", (unsigned long long)counts[i], count_names[i]);
		if (i != WROTE_READ_ONLY && !counts[i])
			sound = false;
	}
	return sound;
}

int main(int argc, char **argv)
{
	int generations = 0, killed = 0;
	unsigned long threads;
	uint64_t seed;
	time_t end;

	if (argc != 4) {
		fprintf(stderr, "usage: hostile_reader SECONDS THREADS SEED\n");
		return 2;
	}
	end = time(NULL) + atol(argv[1]);
	threads = strtoul(argv[2], NULL, 0);
	seed = strtoull(argv[3], NULL, 0);
	if (!threads || threads > THREADS_MAX)
		threads = 4;
	counts = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		return 2;

	while (time(NULL) < end) {
		int status;
		pid_t child;

		end_of_generation = time(NULL) + GENERATION_SECONDS;
		if (end_of_generation > end)
			end_of_generation = end;
		generations++;
		child = fork();
		if (!child)
			run_generation(threads, seed + 100 * (uint64_t)generations);
		if (child < 0)
			return 2;
		waitpid(child, &status, 0);
		killed += WIFSIGNALED(status);
	}
	return report(generations, killed) ? 0 : 1;
}
