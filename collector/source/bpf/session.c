// SPDX-License-Identifier: GPL-2.0-only
/*
 * session.c - loads and attaches the BPF programs, makes their rings
 *
 * A BPF program can't make a map, so rings are made ahead of time: for the vCPUs that exist
 * at the start, a few to spare, and one more for each vCPU that is created. A vCPU that finds
 * none counts its exits as lost and takes the next ring that is there.
 */
#include "collector/source/bpf/session.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "collector/host/host.h"
#include "collector/source/bpf/kernel/clock.h"
#include "collector/source/bpf/kernel/hists.h"
#include "collector/source/bpf/kernel/vcpu_record.h"
#include "collector/source/bpf/load_fault.h"
#include "collector/source/bpf/measure_clock.h"
#include "collector/source/bpf/new_rings.h"
#include "collector/source/bpf/vms.h"

#include "collector/source/bpf/kernel/record.skel.h"

#define DEFAULT_RECORDS 65536U
/* With --counts-only a ring has that many, which stay empty, and the histograms after them. */
#define NO_RECORDS  32U
#define SPARE_RINGS 8U
/* By default rings are small enough for at least that many: VMs may come and go fast. */
#define LEAST_RINGS 64U
/* Rings take at most this part of the host's memory. */
#define MEMORY_PART 8U
/* The ring of a vCPU that is ignored from then on is used again after that time. */
#define RETIRED_NS INT64_C(1000000000)

/* A ring whose vCPU is not asked for. */
struct retired_ring {
	uint32_t index;
	int64_t since_ns;
};

struct bpf_session {
	struct record_bpf *skel;
	struct bpf_clock_line first; /* the clock's line begins here */
	uint32_t record_count;
	bool counts_only;
	uint64_t head_bytes;   /* of a ring, what is mapped here: all but the records */
	uint64_t memory_limit; /* of all rings, in bytes */
	bool was_full;	       /* no ring waited, and memory allowed no more */
	struct vms vms;
	uint32_t existing; /* vCPUs at the start */
	uint32_t ring_count;
	int ring_fds[BPF_VCPUS];
	struct bpf_area *areas[BPF_VCPUS];	/* head_bytes of them */
	struct retired_ring retired[BPF_VCPUS]; /* retired_count of them, the oldest first */
	uint32_t retired_count;
	struct ring_buffer *created_vcpus; /* its events only wake; their content is not used */
};

static uint64_t ring_bytes(uint32_t records)
{
	return sizeof(struct bpf_area) + (uint64_t)records * sizeof(struct kvm_exit_record);
}

/* Memory of a ring with all that is in it. */
static uint64_t area_bytes(const struct bpf_session *s)
{
	return ring_bytes(s->record_count) + (s->counts_only ? sizeof(struct bpf_hists) : 0);
}

/* How many records a ring has: fewer than asked for by default where memory is short. */
static void choose_size(struct bpf_session *s, const struct bpf_options *options)
{
	struct sysinfo info = {0};
	uint64_t rings;

	sysinfo(&info);
	s->memory_limit = (uint64_t)info.totalram * info.mem_unit / MEMORY_PART;
	s->record_count = options->ring_records ? options->ring_records : DEFAULT_RECORDS;
	s->counts_only = options->counts_only;
	if (options->counts_only)
		s->record_count = NO_RECORDS;
	s->head_bytes = options->counts_only ? area_bytes(s) : sizeof(struct bpf_area);
	if (options->ring_records || options->counts_only)
		return;
	rings = s->existing + SPARE_RINGS > LEAST_RINGS ? s->existing + SPARE_RINGS : LEAST_RINGS;
	while (s->record_count > BPF_RING_LEAST &&
	       rings * ring_bytes(s->record_count) > s->memory_limit)
		s->record_count /= 2;
}

static void configure(struct bpf_session *s, const struct bpf_options *options)
{
	struct record_bpf__rodata *rodata = s->skel->rodata;
	uint32_t isa = host_isa();
	uint32_t khz = measure_khz(&s->first);
	struct vcpu_filter filter = {
		.min_cycles = source_filter_cycles(&options->filter, khz),
		.one_in = options->filter.one_in,
		.has_reasons = options->filter.reason_count > 0,
		.no_records = options->counts_only,
	};

	source_filter_mask(&options->filter, isa, filter.reasons);
	filter.is_on = source_filter_is_on(&options->filter) || options->counts_only;
	rodata->isa = isa;
	rodata->tsc_khz = khz;
	rodata->only_tgid = options->tgid;
	rodata->by_name = options->names;
	rodata->ring_mask = s->record_count - 1;
	rodata->want_cr3 = options->cr3;
	rodata->filter = filter;
}

/* What a host or the options have no use for is not loaded, and so costs nothing. */
static void choose_programs(struct bpf_session *s, const struct bpf_options *options)
{
	bool svm = s->skel->rodata->isa == KVM_EXIT_ISA_SVM;
	bool counts = options->counts_only;
	bool chosen = options->tgid || options->names;
	bool any = chosen || options->cr3 || source_filter_is_on(&options->filter);
	const struct {
		struct bpf_program *program;
		bool is_loaded;
	} choice[] = {
		{s->skel->progs.on_exit_svm, svm && !any && !counts},
		{s->skel->progs.on_exit_svm_counts, svm && !any && counts},
		{s->skel->progs.on_exit_svm_any, svm && any},

		{s->skel->progs.on_exit_vmx, !svm && !any && !counts},
		{s->skel->progs.on_exit_vmx_any, !svm && any && !counts},
		{s->skel->progs.on_exit_vmx_counts, !svm && !any && counts},
		{s->skel->progs.on_exit_vmx_counts_any, !svm && any && counts},
		{s->skel->progs.on_page_fault, !svm && !counts},
		{s->skel->progs.on_fast_mmio, !svm && !counts},

		{s->skel->progs.on_entry, (svm || counts) && !chosen},
		{s->skel->progs.on_entry_vmx, !svm && !counts && !chosen},
		{s->skel->progs.on_entry_any, chosen},
	};

	for (size_t i = 0; i < sizeof(choice) / sizeof(*choice); i++)
		bpf_program__set_autoload(choice[i].program, choice[i].is_loaded);
}

/* What is constant in a ring until a vCPU takes it. */
static void clear_area(const struct bpf_session *s, struct bpf_area *area)
{
	uint64_t features = KVM_EXIT_FEAT_SPLIT | KVM_EXIT_FEAT_POLLED;

	if (!s->counts_only)
		features |= KVM_EXIT_FEAT_KEYS | KVM_EXIT_FEAT_VALUE;

	memset(area, 0, s->head_bytes);
	area->meta = (struct kvm_exit_ring_meta){
		.magic = KVM_EXIT_RING_MAGIC,
		.abi = KVM_EXIT_RING_ABI,
		.meta_bytes = sizeof(area->meta),
		.record_bytes = sizeof(struct kvm_exit_record),
		.record_count = s->record_count,
		.totals_offset = offsetof(struct bpf_area, totals),
		.records_offset = offsetof(struct bpf_area, records),
		.total_bytes = sizeof(struct kvm_exit_total),
		.total_slots = KVM_EXIT_TOTAL_SLOTS,
		.features = features,
	};
}

/* Lets a vCPU take the ring. */
static void push_ring(struct bpf_session *s, uint32_t index)
{
	struct record_bpf__bss *bss = s->skel->bss;

	bss->free_rings[bss->free_pushed & (BPF_VCPUS - 1)] = index;
	__atomic_store_n(&bss->free_pushed, bss->free_pushed + 1, __ATOMIC_RELEASE);
}

/* Creates the memory of one ring. Returns its file. */
static int create_area(const struct bpf_session *s, struct bpf_area **area)
{
	int fd = new_rings_create((uint32_t)area_bytes(s));
	int rc;

	if (fd < 0)
		return fd;

	*area = mmap(NULL, s->head_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*area == MAP_FAILED) {
		rc = -errno;
		close(fd);
		return rc;
	}
	clear_area(s, *area);
	return fd;
}

/* Creates @wanted rings, or fewer. Returns how many, or -errno if there is none. */
static int create_rings(const struct bpf_session *s, struct bpf_new_ring *rings, uint32_t wanted)
{
	uint32_t n;

	for (n = 0; n < wanted; n++) {
		rings[n].index = s->ring_count + n;
		rings[n].fd = create_area(s, &rings[n].area);
		if (rings[n].fd < 0)
			return n ? (int)n : rings[n].fd;
	}
	return (int)n;
}

/* Makes rings, at most @wanted: the programs find them as rings[index]. */
static int make_some_rings(struct bpf_session *s, uint32_t wanted)
{
	struct bpf_new_ring rings[BPF_NEW_RINGS] = {0};
	int n = create_rings(s, rings, wanted < BPF_NEW_RINGS ? wanted : BPF_NEW_RINGS);
	int rc = n < 0 ? n : 0;

	if (n > 0)
		new_rings_insert(rings, (uint32_t)n, bpf_map__fd(s->skel->maps.rings));
	for (int i = 0; i < n; i++) {
		if (!rc)
			rc = rings[i].rc;
		/* Without the one before, its place is another one's. */
		if (rc) {
			munmap(rings[i].area, s->head_bytes);
			close(rings[i].fd);
			continue;
		}
		s->areas[s->ring_count] = rings[i].area;
		s->ring_fds[s->ring_count] = rings[i].fd;
		push_ring(s, s->ring_count++);
	}
	return rc;
}

/* Rings that there is memory for. */
static uint32_t count_room(const struct bpf_session *s)
{
	uint64_t most = s->memory_limit / area_bytes(s);

	if (most > BPF_VCPUS)
		most = BPF_VCPUS;
	return most > s->ring_count ? (uint32_t)most - s->ring_count : 0;
}

/* vCPUs that exist, or are being made, and have taken no ring yet, but will. */
static uint32_t count_coming(const struct bpf_session *s)
{
	const struct record_bpf__bss *bss = s->skel->bss;
	/* Those that were denied at the start are not among the existing ones. */
	int64_t unused = (int64_t)bss->vcpus_unused - s->vms.denied_vcpus;
	int64_t coming = (int64_t)s->existing + bss->vcpus_created - (int64_t)bss->rings_used;

	if (unused > 0)
		coming -= unused;
	return coming > 0 ? (uint32_t)coming : 0;
}

/* Makes rings until enough wait, as far as memory allows. */
static int make_rings(struct bpf_session *s)
{
	const struct record_bpf__bss *bss = s->skel->bss;
	uint32_t needed = SPARE_RINGS + count_coming(s);
	uint32_t waiting, room;
	int rc = 0;

	for (;;) {
		waiting = (uint32_t)(bss->free_pushed - bss->free_popped);
		room = count_room(s);
		if (rc || waiting >= needed || !room)
			break;
		rc = make_some_rings(s, needed - waiting < room ? needed - waiting : room);
	}
	if (!waiting && !room)
		s->was_full = true;
	return rc;
}

/* Whether the VMCB has the guest's CR3: without nested paging it is KVM's own. */
static bool has_guest_cr3(void)
{
	bool nested_paging;
	FILE *f;

	if (host_isa() != KVM_EXIT_ISA_SVM)
		return false;

	f = fopen("/sys/module/kvm_amd/parameters/npt", "re");
	nested_paging = f && strchr("Y1", getc(f));
	if (f)
		fclose(f);
	return nested_paging;
}

/*
 * kvm_entry comes last: it makes vCPUs, so that nothing is recorded before every event of a vCPU
 * is seen and the rings are read.
 */
static int attach(struct bpf_session *s)
{
	struct {
		struct bpf_program *program;
		struct bpf_link **link;
	} entry[] = {
		{s->skel->progs.on_entry, &s->skel->links.on_entry},
		{s->skel->progs.on_entry_vmx, &s->skel->links.on_entry_vmx},
		{s->skel->progs.on_entry_any, &s->skel->links.on_entry_any},
	};
	int rc;

	for (size_t i = 0; i < sizeof(entry) / sizeof(*entry); i++)
		bpf_program__set_autoattach(entry[i].program, false);
	rc = record_bpf__attach(s->skel);

	for (size_t i = 0; !rc && i < sizeof(entry) / sizeof(*entry); i++) {
		if (!bpf_program__autoload(entry[i].program))
			continue;
		*entry[i].link = bpf_program__attach(entry[i].program);
		rc = *entry[i].link ? 0 : -errno;
	}
	return rc;
}

/* Loads the programs, with a ring that says how large each ring will be. */
static int load_programs(struct bpf_session *s)
{
	int ring = new_rings_create((uint32_t)area_bytes(s));
	int rc;

	if (ring < 0)
		return ring;

	/* With a ring declared in state.h, libbpf 1.5 crashes where its size is set. */
	rc = bpf_map__set_inner_map_fd(s->skel->maps.rings, ring);
	if (!rc)
		rc = record_bpf__load(s->skel);
	close(ring);
	return rc;
}

static int load(struct bpf_session *s, const struct bpf_options *options, struct fault *fault)
{
	int rc;

	if (options->cr3 && !has_guest_cr3())
		return fault_set(
			fault, -ENOTSUP,
			"bpf: --cr3: the guest's CR3 can be had on SVM with nested paging only (use --source ring)");

	load_fault_watch();
	s->skel = record_bpf__open();
	if (!s->skel)
		return load_fault(fault, -errno);
	s->vms = (struct vms){.root = "", .tgid = options->tgid, .names = options->names};
	rc = vms_find(&s->vms, &s->existing);
	if (rc)
		return load_fault(fault, rc);
	choose_size(s, options);
	configure(s, options);
	choose_programs(s, options);
	rc = load_programs(s);
	if (!rc)
		rc = vms_set_map(&s->vms, bpf_map__fd(s->skel->maps.denied));
	if (rc)
		return load_fault(fault, rc);
	measure_clock(&s->first, &s->skel->bss->tsc_clock);
	rc = make_rings(s);
	if (rc || !s->ring_count)
		return fault_set(fault, rc ? rc : -ENOMEM,
				 "bpf: can't make a ring of %llu KiB: %s (--ring-records)",
				 (unsigned long long)area_bytes(s) >> 10,
				 strerror(rc ? -rc : ENOMEM));
	rc = attach(s);
	return rc ? load_fault(fault, rc) : 0;
}

static int ignore(void *context, void *event, size_t bytes)
{
	(void)context, (void)event, (void)bytes;
	return 0;
}

static int open_created_vcpus(struct bpf_session *s, struct fault *fault)
{
	s->created_vcpus = ring_buffer__new(bpf_session_fd(s), ignore, NULL, NULL);
	return s->created_vcpus ? 0
				: fault_set(fault, -errno, "bpf: ring buffer of created vCPUs: %s",
					    strerror(errno));
}

int bpf_session_open(const struct bpf_options *options, struct bpf_session **result,
		     struct fault *fault)
{
	struct bpf_session *s = calloc(1, sizeof(*s));
	char why[256];
	int rc;

	*result = NULL;
	if (!s)
		return fault_set(fault, -ENOMEM, "out of memory");
	if (source_bpf_lacks("", why, sizeof(why))) {
		free(s);
		return fault_set(fault, -ENOTSUP, "bpf: %s", why);
	}
	s->first = measure_moment();
	rc = load(s, options, fault);
	if (!rc)
		rc = open_created_vcpus(s, fault);
	if (rc) {
		bpf_session_close(s);
		return rc;
	}
	*result = s;
	return 0;
}

/* Lets other vCPUs take the rings that were retired long enough ago. */
static void reuse_retired(struct bpf_session *s, int64_t now_ns)
{
	uint32_t done = 0;

	for (; done < s->retired_count; done++) {
		if (now_ns - s->retired[done].since_ns < RETIRED_NS)
			break;
		bpf_session_recycle(s, s->retired[done].index);
	}
	s->retired_count -= done;
	memmove(s->retired, s->retired + done, s->retired_count * sizeof(*s->retired));
}

void bpf_session_tick(struct bpf_session *s, int64_t now_ns)
{
	measure_clock(&s->first, &s->skel->bss->tsc_clock);
	vms_tick(&s->vms, now_ns);
	reuse_retired(s, now_ns);
	/* A full buffer wakes nobody. */
	ring_buffer__consume(s->created_vcpus);
	/* Without memory the vCPU goes without a ring, which is counted. */
	make_rings(s);
}

int bpf_session_fd(const struct bpf_session *s)
{
	return bpf_map__fd(s->skel->maps.created_vcpus);
}

uint32_t bpf_session_rings(const struct bpf_session *s)
{
	return s->ring_count;
}

const struct kvm_exit_ring_meta *bpf_session_meta(const struct bpf_session *s, uint32_t index)
{
	return &s->areas[index]->meta;
}

int bpf_session_ring_fd(const struct bpf_session *s, uint32_t index)
{
	return s->ring_fds[index];
}

bool bpf_session_selects(const struct bpf_session *s, uint32_t index)
{
	return vms_are_of(&s->vms, s->areas[index]->meta.tgid);
}

/*
 * Takes ring @index from the vCPU that has it, which is ignored from then on. In one step: the
 * vCPU may end meanwhile, and another one have its place.
 */
static void take_from_vcpu(struct bpf_session *s, uint32_t index)
{
	struct bpf_vcpu *vcpus = s->skel->bss->vcpus;

	for (uint32_t i = 0; i < BPF_VCPUS; i++) {
		struct bpf_vcpu old, new;

		do {
			old.shared = __atomic_load_n(&vcpus[i].shared, __ATOMIC_ACQUIRE);
			if (old.ring != index + 1)
				break;
			new.shared = old.shared;
			new.ring = 0;
			new.ignored = 1;
		} while (!__atomic_compare_exchange_n(&vcpus[i].shared, &old.shared, new.shared,
						      false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	}
}

int bpf_session_ignore(struct bpf_session *s, uint32_t index)
{
	struct kvm_exit_ring_meta *meta = &s->areas[index]->meta;
	int rc = vms_deny(&s->vms, meta->tgid);

	take_from_vcpu(s, index);

	/* Its last exit may be written at this moment. */
	exit_ring_store(&meta->ring_id, 0);
	s->retired[s->retired_count++] = (struct retired_ring){
		.index = index,
		.since_ns = host_monotonic_ns(),
	};
	return rc;
}

const struct bpf_hists *bpf_session_hists(const struct bpf_session *s, uint32_t index)
{
	return s->counts_only ? vcpu_hists(s->areas[index], s->record_count - 1) : NULL;
}

void bpf_session_stop(struct bpf_session *s)
{
	struct record_bpf__bss *bss = s->skel->bss;
	const struct timespec grace = {.tv_nsec = BPF_TICK_NS};

	__atomic_store_n(&bss->is_stopped, 1, __ATOMIC_SEQ_CST);
	for (uint32_t i = 0; i < BPF_VCPUS; i++)
		__atomic_store_n(&bss->vcpus[i].ignored, 1, __ATOMIC_SEQ_CST);

	/* Programs that have begun take microseconds. */
	nanosleep(&grace, NULL);
}

void bpf_session_recycle(struct bpf_session *s, uint32_t index)
{
	clear_area(s, s->areas[index]);
	push_ring(s, index);
}

/* Runs of a program that the kernel left out because it ran on that CPU already. */
static uint64_t recursion_misses(const struct bpf_program *program)
{
	struct bpf_prog_info info = {0};
	uint32_t bytes = sizeof(info);
	int fd = bpf_program__fd(program);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &bytes))
		return 0;
	return info.recursion_misses;
}

void bpf_session_losses(const struct bpf_session *s, struct bpf_session_losses *losses)
{
	const struct bpf_losses *seen = &s->skel->bss->losses;
	struct bpf_program *program = NULL;

	*losses = (struct bpf_session_losses){
		.no_place = seen->no_place,
		.no_ring = seen->no_ring,
		.no_thread = seen->no_thread,
		.no_entry = seen->no_entry,
	};
	while ((program = bpf_object__next_program(s->skel->obj, program)))
		losses->missed_runs += recursion_misses(program);
}

uint64_t bpf_session_ring_bytes(const struct bpf_session *s, uint64_t *most)
{
	*most = s->memory_limit;
	return s->ring_count * area_bytes(s);
}

bool bpf_session_is_full(const struct bpf_session *s, uint64_t *limit)
{
	*limit = s->memory_limit;
	return s->was_full;
}

void bpf_session_close(struct bpf_session *s)
{
	for (uint32_t i = 0; i < s->ring_count; i++) {
		munmap(s->areas[i], s->head_bytes);
		close(s->ring_fds[i]);
	}
	ring_buffer__free(s->created_vcpus);
	record_bpf__destroy(s->skel);
	vms_free(&s->vms);
	free(s);
}
