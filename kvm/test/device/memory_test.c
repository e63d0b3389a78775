// SPDX-License-Identifier: GPL-2.0-only
/*
 * memory_test.c - the memory of rings: it is given back, charged to who asked for it, and bounded
 * when nobody reads. Runs in the test bed's L1 as root, with ring_records=4096.
 */
#include "kvm/test/common/device_vm.h"
#include "kvm/test/common/ring_steps.h"
#include "kvm/test/device/cgroup.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/wait.h>

#define ORPHANS_MAX  64 /* rings of dead vCPUs that wait for a reader */
#define ROUNDS	     100
#define LARGE_RING   (1U << 18) /* records: 48 MiB */
#define SMALL_CGROUP "16777216" /* bytes */
#define CGROUP_ROOT  "/tmp/cgroup"
#define CGROUP	     CGROUP_ROOT "/test"
#define CLOCKS	     "/sys/devices/system/clocksource/clocksource0/available_clocksource"
#define BOUND	     "/sys/module/kvm/parameters/ring_memory_mib"

static unsigned long vmalloc_kib(void)
{
	unsigned long kib;

	CHECK(number_in("/proc/meminfo", "VmallocUsed:", &kib));
	return kib;
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

/* What the cgroup is charged for in vmalloc() memory; 0 before Linux 5.19, which has no number. */
static unsigned long charged_bytes(void)
{
	unsigned long bytes = 0;

	number_in(CGROUP "/memory.stat", "vmalloc", &bytes);
	return bytes;
}

/*
 * In a cgroup of its own: what a VMM makes, and what a reader makes, shows there if *is_shown. The
 * ring is mapped and read in any case: on Linux 5.10 no page that is charged may be mapped.
 */
static void be_charged(void *is_shown)
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
	step(&vm, 11); /* the last one stays open */
	CHECK(read_all(&map, NULL) == 10);
	if (*(bool *)is_shown) {
		CHECK(with_vm >= empty + map.meta->records_offset);
		CHECK(with_reader >= with_vm + map.meta->record_count * sizeof(*map.records));
	}
	ring_unmap(&map);
	step_vm_close(&vm);
}

/* Records for which the cgroup has no room are refused; nobody is killed, and the VM goes on. */
static void ask_for_too_much(void *unused)
{
	struct kvm_exit_ring_attach how = {.record_count = LARGE_RING};
	struct ring_map map;
	struct step_vm vm;

	(void)unused;
	write_text(CGROUP "/cgroup.procs", "0");
	step_vm_open(&vm);
	write_text(CGROUP "/memory.max", SMALL_CGROUP);
	how.ring_id = newest_ring();
	CHECK(ring_map(&map, &how) == -ENOMEM);

	step(&vm, 5);
	how.record_count = 64;
	CHECK(!ring_map(&map, &how));
	step(&vm, 11);
	CHECK(read_all(&map, NULL) == 10);
	ring_unmap(&map);
	step_vm_close(&vm);
}

static void test_nobody_is_killed(void)
{
	unsigned long n;

	if (!make_cgroup("memory_test", CGROUP_ROOT, CGROUP))
		return;
	if (!number_in(CGROUP "/memory.stat", "vmalloc", &n)) {
		printf("memory_test: skipped, needs vmalloc in memory.stat (Linux 5.19): a cgroup without room\n");
		return;
	}

	CHECK(in_child(ask_for_too_much, NULL) == 0);
	CHECK(number_in(CGROUP "/memory.events", "max", &n) && n > 0);
	CHECK(number_in(CGROUP "/memory.events", "oom_kill", &n) && n == 0);
	write_text(CGROUP "/memory.max", "max");
}

static void test_memory_is_charged(void)
{
	unsigned long bytes;
	bool is_shown;

	if (!make_cgroup("memory_test", CGROUP_ROOT, CGROUP))
		return;

	is_shown = number_in(CGROUP "/memory.stat", "vmalloc", &bytes);
	if (!is_shown)
		printf("memory_test: skipped, needs vmalloc in memory.stat (Linux 5.19): who is charged\n");
	CHECK(in_child(be_charged, &is_shown) == 0);
}

/* Armed, and nobody reads: of the rings whose vCPUs are gone the oldest are given up. */
static void test_orphaned_rings_are_bounded(void)
{
	struct kvm_exit_ring_info info = {0};
	unsigned int orphans = 0;
	uint64_t first = 0;
	int armer = device();

	CHECK(!ring_arm(armer));
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

/* The kernel's log from now on. */
static int open_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	CHECK(fd >= 0 && lseek(fd, 0, SEEK_END) == 0);
	return fd;
}

/* Whether a line of it contains @text. */
static bool log_says(int fd, const char *text)
{
	char line[1024];
	bool says = false;
	ssize_t n;

	/* EPIPE: lines were overwritten before they were read. */
	while ((n = read(fd, line, sizeof(line) - 1)) > 0 || errno == EPIPE) {
		line[n > 0 ? n : 0] = 0;
		says |= strstr(line, text) != NULL;
		errno = 0;
	}
	return says;
}

/* All exits of the newest vCPU that have ended. */
static uint64_t exits_of_newest(void)
{
	struct ring_map map;
	uint64_t exits;

	attach(&map, newest_ring(), KVM_EXIT_ATTACH_TOTALS);
	exits = SUM(&map, count);
	ring_unmap(&map);
	return exits;
}

/* Those that were refused have no records; given up, the log says what goes with them. */
static void test_refused_rings_are_bounded(void)
{
	struct kvm_exit_ring_arm how = {.size = sizeof(how), .record_count = 64, .max_bytes = 1};
	struct kvm_exit_ring_query before = {.size = sizeof(before)}, after = before;
	int fd = device(), log = open_log();
	uint64_t exits = 0;

	CHECK(!ioctl(fd, KVM_EXIT_RING_QUERY, &before));
	CHECK(!ioctl(fd, KVM_EXIT_RING_ARM, &how));
	for (unsigned int i = 0; i <= ORPHANS_MAX; i++) {
		struct step_vm vm;

		step_vm_open(&vm);
		exits = i ? exits : exits_of_newest();
		step_vm_close(&vm);
	}
	CHECK(!ioctl(fd, KVM_EXIT_RING_QUERY, &after));
	CHECK(after.refused == before.refused + ORPHANS_MAX + 1);
	CHECK(after.lost_rings == before.lost_rings + 1);
	CHECK(exits >= 2 && after.lost_exits == before.lost_exits + exits);
	CHECK(log_says(log,
		       "too many vCPUs have ended: the totals (no record was made) of vCPU 0"));
	close(log);
	close(fd);
}

static void test_query(void)
{
	struct {
		struct kvm_exit_ring_query known;
		uint64_t later[4];
	} query = {.known.size = sizeof(query), .later = {1, 1, 1, 1}};
	struct kvm_exit_ring_query small = {.size = KVM_EXIT_RING_QUERY_BYTES_MIN - 8};
	struct ring_map map;
	struct step_vm vm;
	int fd = device();

	CHECK(ioctl(fd, KVM_EXIT_RING_QUERY, 8) < 0 && errno == EFAULT);
	CHECK(ioctl(fd, KVM_EXIT_RING_QUERY, &small) < 0 && errno == EINVAL);
	CHECK(!ioctl(fd, KVM_EXIT_RING_QUERY, &query));
	CHECK(query.known.size == sizeof(query.known) && query.known.abi == KVM_EXIT_RING_ABI);
	CHECK(!query.later[0] && !query.later[3]);
	wait_for_free_memory(fd);
	CHECK(!ioctl(fd, KVM_EXIT_RING_QUERY, &query));
	CHECK(query.known.memory_bytes == 0 && query.known.memory_max_bytes > 1 << 20);

	small.size = KVM_EXIT_RING_QUERY_BYTES_MIN;
	small.lost_rings = 77; /* after the first 64 bytes: not written */
	CHECK(!ioctl(fd, KVM_EXIT_RING_QUERY, &small) && small.lost_rings == 77);

	step_vm_open(&vm);
	attach(&map, newest_ring(), 0);
	CHECK(query.known.features == map.meta->features);
	CHECK(query.known.meta_bytes == map.meta->meta_bytes);
	CHECK(query.known.record_bytes == map.meta->record_bytes);
	CHECK(query.known.record_count == map.meta->record_count);
	CHECK(query.known.total_bytes == map.meta->total_bytes);
	CHECK(query.known.total_slots == map.meta->total_slots);
	CHECK(query.known.tsc_khz == map.meta->tsc_khz);
	CHECK(!ioctl(fd, KVM_EXIT_RING_QUERY, &query.known));
	CHECK(query.known.memory_bytes == map.meta->record_count * sizeof(*map.records));
	CHECK(map.meta->tid == (uint32_t)getpid());
	CHECK(ring_info(map.meta->ring_id).tid == (uint32_t)getpid());
	ring_unmap(&map);
	step_vm_close(&vm);
	close(fd);
}

/* Whether the text of a file has the word. */
static bool has_word(const char *path, const char *word)
{
	FILE *file = fopen(path, "re");
	bool has = false;
	char found[64];

	CHECK(file);
	while (!has && fscanf(file, "%63s", found) == 1)
		has = !strcmp(found, word);
	fclose(file);
	return has;
}

/* The kernel offers TSC as a clock unless it found it to be unstable. */
static void test_tsc_of_query(void)
{
	struct kvm_exit_ring_query query = {.size = sizeof(query)};
	int fd = device();

	CHECK(!ioctl(fd, KVM_EXIT_RING_QUERY, &query));
	CHECK(!(query.tsc & KVM_EXIT_TSC_CONSTANT) == !has_word("/proc/cpuinfo", "constant_tsc"));
	CHECK(!(query.tsc & KVM_EXIT_TSC_NONSTOP) == !has_word("/proc/cpuinfo", "nonstop_tsc"));
	CHECK(!(query.tsc & KVM_EXIT_TSC_STABLE) == !has_word(CLOCKS, "tsc"));
	CHECK(query.tsc < 2 * KVM_EXIT_TSC_STABLE);
	close(fd);
}

/*
 * Steps a new vCPU that was armed with @how, 20 times, and attaches with that filter. Its I/O exits
 * have ended, all but the last one.
 */
static void step_armed(const struct kvm_exit_ring_arm *how, struct kvm_exit_total *io,
		       struct kvm_exit_record *last)
{
	struct kvm_exit_ring_attach filter = {
		.flags = how->flags, .one_in = how->one_in, .min_cycles = how->min_cycles};
	struct ring_map map;
	struct step_vm vm;
	int fd = device();

	memcpy(filter.reason_mask, how->reason_mask, sizeof(filter.reason_mask));
	CHECK(!ioctl(fd, KVM_EXIT_RING_ARM, how));
	step_vm_open(&vm); /* takes three steps */
	step(&vm, 18);
	filter.ring_id = newest_ring();
	CHECK(!ring_map(&map, &filter));
	*io = map.totals[io_slot(&map)];
	CHECK(io->recorded + io->filtered == 20 && !io->unread && !io->dropped);
	CHECK(read_all(&map, last) == io->recorded);
	ring_unmap(&map);
	step_vm_close(&vm);
	close(fd);
}

/* What ARM filters, it filters before anybody has attached. */
static void test_arm_with_filters(void)
{
	struct kvm_exit_ring_arm how = {.size = sizeof(how), .one_in = 4};
	struct kvm_exit_record last;
	struct kvm_exit_total io;

	/* Of I/O alone, on VMX (reason 30) and on SVM (code 0x7b): others would take their turn. */
	how.reason_mask[0] = 1ULL << 30;
	how.reason_mask[1] = 1ULL << (0x7b - 64);
	step_armed(&how, &io, &last);
	CHECK(io.recorded == 5);

	how = (struct kvm_exit_ring_arm){.size = sizeof(how), .reason_mask = {[3] = 1}};
	step_armed(&how, &io, &last);
	CHECK(io.recorded == 0);

	how = (struct kvm_exit_ring_arm){.size = sizeof(how), .min_cycles = 1ULL << 60};
	step_armed(&how, &io, &last);
	CHECK(io.recorded == 0);

	how = (struct kvm_exit_ring_arm){.size = sizeof(how), .min_cycles = 1};
	step_armed(&how, &io, &last);
	CHECK(io.recorded == 20 && !(last.flags & KVM_EXIT_REC_CR3));

	how = (struct kvm_exit_ring_arm){.size = sizeof(how), .flags = KVM_EXIT_ATTACH_CR3};
	step_armed(&how, &io, &last);
	CHECK(io.recorded == 20 && last.flags & KVM_EXIT_REC_CR3);
}

/* A filter by process, a ring size, and a bound that leaves room for two rings of 64 records. */
static void test_arm_with(void)
{
	struct {
		struct kvm_exit_ring_arm known;
		uint64_t later;
	} how = {.known = {.size = sizeof(how), .record_count = 64}, .later = 1};
	struct kvm_exit_ring_query before = {.size = sizeof(before)}, after = before;
	struct step_vm vm[3];
	struct ring_map map;
	int fd = device();

	CHECK(ioctl(fd, KVM_EXIT_RING_ARM, 8) < 0 && errno == EFAULT);
	how.known.size = KVM_EXIT_RING_ARM_BYTES_MIN - 1;
	CHECK(ioctl(fd, KVM_EXIT_RING_ARM, &how) < 0 && errno == EINVAL);
	how.known.size = sizeof(how);
	CHECK(ioctl(fd, KVM_EXIT_RING_ARM, &how) < 0 && errno == E2BIG);
	how.later = 0;
	how.known.record_count = 63;
	CHECK(ioctl(fd, KVM_EXIT_RING_ARM, &how) < 0 && errno == EINVAL);
	how.known.record_count = 64;
	how.known.flags = KVM_EXIT_ATTACH_TOTALS;
	CHECK(ioctl(fd, KVM_EXIT_RING_ARM, &how) < 0 && errno == EINVAL);
	how.known = (struct kvm_exit_ring_arm){.size = sizeof(how), .tgid = 1, .record_count = 64};
	CHECK(!ioctl(fd, KVM_EXIT_RING_ARM, &how));
	step_vm_open(&vm[0]);
	CHECK(ring_info(newest_ring()).flags == 0);
	step_vm_close(&vm[0]);
	close(fd);

	fd = device();
	CHECK(!ioctl(fd, KVM_EXIT_RING_QUERY, &before));
	how.known.tgid = (uint32_t)getpid();
	how.known.max_bytes = 2 * 64 * sizeof(struct kvm_exit_record);
	CHECK(!ioctl(fd, KVM_EXIT_RING_ARM, &how));
	for (int i = 0; i < 3; i++) {
		step_vm_open(&vm[i]);
		CHECK(ring_info(newest_ring()).flags ==
		      (i < 2 ? KVM_EXIT_INFO_RECORDING : KVM_EXIT_INFO_REFUSED));
	}
	CHECK(!ioctl(fd, KVM_EXIT_RING_QUERY, &after) && after.refused == before.refused + 1);
	attach(&map, newest_ring() - 1, 0);
	CHECK(map.meta->record_count == 64);
	read_all(&map, NULL);
	step(&vm[1], 10);
	CHECK(read_all(&map, NULL) == 10);
	ring_unmap(&map);
	for (int i = 0; i < 3; i++)
		step_vm_close(&vm[i]);
	close(fd);
}

/* A reader that comes right after another one has left takes the memory that that one had. */
static void test_memory_at_once(void)
{
	struct ring_map map;
	struct step_vm vm;

	write_text(BOUND, "1"); /* room for one ring of 4096 records */
	step_vm_open(&vm);
	for (int i = 0; i < ROUNDS; i++) {
		attach(&map, newest_ring(), 0);
		ring_unmap(&map);
	}
	step_vm_close(&vm);
	write_text(BOUND, "0");
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{"nothing leaks", test_nothing_leaks},
		{"memory is charged", test_memory_is_charged},
		{"nobody is killed", test_nobody_is_killed},
		{"orphaned rings are bounded", test_orphaned_rings_are_bounded},
		{"refused rings are bounded", test_refused_rings_are_bounded},
		{"query", test_query},
		{"TSC of query", test_tsc_of_query},
		{"arm with a struct", test_arm_with},
		{"arm with filters", test_arm_with_filters},
		{"memory of a reader that left", test_memory_at_once},
	};

	(void)argc;
	return RUN_TESTS("memory_test", tests, argv);
}
