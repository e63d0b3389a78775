/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * state.h - what the BPF programs keep: vCPUs, threads, rings, and the clock
 *
 * For record.bpf.c alone. vCPUs and threads are in two tables, found by address and by pid.
 * THE VERIFIER forbids most arithmetic on pointers to structs, see key_of().
 */
#ifndef EXITSCOPE_BPF_STATE_H
#define EXITSCOPE_BPF_STATE_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "collector/source/bpf/kernel/clock.h"
#include "collector/source/bpf/kernel/kvm_types.h"
#include "collector/source/bpf/kernel/places.h"
#include "collector/source/bpf/kernel/vcpu_record.h"

#define SVM_DEFAULT_TSC_RATIO (1ULL << 32)
#define SVM_NO_TSC_RATIO      1ULL /* the CPU has none */
#define RING_TRIES	      4

/* Places in vcpu->arch.regs. */
#define REGS_RAX 0
#define REGS_RCX 1
#define REGS_RDX 2
#define REGS_RIP 16

/* Set before the programs are loaded; what is off costs nothing. */
const volatile __u32 isa; /* KVM_EXIT_ISA_* of the loaded vendor module */
const volatile __u32 tsc_khz;
const volatile __u32 only_tgid; /* VMs of this process only; 0: all */
const volatile _Bool by_name;	/* not those of denied processes, nor what the loader ignores */
const volatile __u64 ring_mask; /* records in a ring, minus 1 */
const volatile _Bool want_cr3;	/* SVM only */
const volatile struct vcpu_filter filter;
static const struct vcpu_filter no_filter;

/* KVM's own; kvm-amd.ko alone has it. */
extern const struct svm_cpu_data svm_data __ksym __weak;

/* The loader's. */
struct bpf_clock tsc_clock;
__u32 free_rings[BPF_VCPUS]; /* indices of rings that wait for a vCPU */
__u32 free_pushed;

__u32 is_stopped; /* vCPUs that come are ignored; the loader does the rest */

struct bpf_losses losses;
__u32 free_popped;
__u32 vcpus_created; /* calls of kvm_arch_vcpu_create() */
__u32 vcpus_unused;  /* of all vCPUs, those that will take no ring */
__u64 rings_used;
volatile __u32 zero; /* the verifier does not know its value */
struct bpf_vcpu vcpus[BPF_VCPUS];
struct bpf_thread threads[BPF_THREADS];
__u32 here[BPF_CPUS]; /* 1 + index of the vCPU that entered last on this CPU (VMX) */

/* What a ring is the loader says, by one that it makes (new_rings.h). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, BPF_VCPUS);
	__type(key, __u32);
	__type(value, __u32);
} rings SEC(".maps");

/* With by_name: processes whose VMs are not asked for. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BPF_DENIED);
	__type(key, __u32);
	__type(value, __u8);
} denied SEC(".maps");

/* Wakes the loader for a new vCPU; it empties this. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} created_vcpus SEC(".maps");

/* Whether this is a thread of another process than the one that is asked for. */
static __always_inline bool is_other(void)
{
	return only_tgid && bpf_get_current_pid_tgid() >> 32 != only_tgid;
}

/* Whether VMs of this process are not asked for, as far as that is known. */
static __always_inline bool is_denied(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	return is_other() || (by_name && bpf_map_lookup_elem(&denied, &tgid));
}

/* Whether a vCPU that once was recorded is ignored now; what else is ignored has no thread. */
static __always_inline bool is_ignored(const struct bpf_vcpu *v)
{
	return by_name && v->ignored;
}

/* The filter that the loader has set; the compiler must not take it for the empty one of here. */
static __always_inline const struct vcpu_filter *filter_in_force(void)
{
	const struct vcpu_filter *in_force = (const struct vcpu_filter *)&filter;

	__asm__ volatile("" : "+r"(in_force));
	return in_force;
}

static __always_inline __u64 now(void)
{
	return bpf_clock_tsc(bpf_clock_line(&tsc_clock), bpf_ktime_get_ns());
}

static __always_inline __u64 cycles_of(__u64 ns)
{
	return bpf_clock_cycles(bpf_clock_line(&tsc_clock), ns);
}

/*
 * What stands for the address of an object of the kernel: its distance from a place of our own. To
 * the verifier the difference of two pointers is a number, which costs one instruction.
 */
static __always_inline __u64 key_of(const void *pointer)
{
	__u64 key = (__u64)pointer;

	__asm__ volatile("%0 -= %1" : "+r"(key) : "r"(vcpus));
	return key;
}

/*
 * The address itself as a number. To the verifier a value that comes back from a place on the stack
 * that it does not know exactly is a number, even if a pointer was stored there.
 */
static __always_inline __u64 address_of(const void *pointer)
{
	volatile __u64 box[2] = {0, 0};
	__u32 i = zero & 1;

	box[i] = (__u64)pointer;
	return box[i];
}

/* key_of() of what is at this address. */
static __always_inline __u64 key_at(__u64 address)
{
	return address - address_of(vcpus);
}

/* The n-th place that a vCPU may have. */
static __always_inline __u32 place_of(__u64 key, __u32 n)
{
	return place_in(key, n, BPF_VCPUS);
}

/* The place of a vCPU that is not at its first one; -1: it has none. */
static __noinline int find_vcpu_further(__u64 key)
{
	for (__u32 n = 1; n < BPF_PROBES; n++) {
		__u32 index = place_of(key, n);

		if (vcpus[index].key == key)
			return index;
	}
	return -1;
}

/* Nearly always at its first place, so the others are looked at in a function of their own. */
static __always_inline struct bpf_vcpu *find_vcpu(__u64 key, __u32 *index)
{
	int further;

	*index = place_of(key, 0);
	if (vcpus[*index].key == key)
		return &vcpus[*index];
	further = find_vcpu_further(key);
	if (further < 0)
		return 0;
	*index = further & (BPF_VCPUS - 1);
	return &vcpus[*index];
}

/* For programs that cost others than a vCPU that is recorded. NULL: it is not, or not asked for. */
static __always_inline struct bpf_vcpu *find_asked(__u64 key)
{
	struct bpf_vcpu *v;
	__u32 index;

	if (is_other())
		return 0;
	v = find_vcpu(key, &index);
	return v && !is_ignored(v) ? v : 0;
}

static __always_inline struct bpf_area *area_of(const struct bpf_vcpu *v)
{
	__u32 ring = v->ring - 1, first = 0;
	void *inner;

	if (!v->ring)
		return 0;
	inner = bpf_map_lookup_elem(&rings, &ring);
	return inner ? bpf_map_lookup_elem(inner, &first) : 0;
}

static __always_inline __u32 thread_place(__u32 pid, __u32 n)
{
	return place_in(pid, n, BPF_THREADS);
}

static __noinline int find_thread_further(__u32 pid)
{
	for (__u32 n = 1; n < BPF_PROBES; n++) {
		__u32 index = thread_place(pid, n);

		if (threads[index].pid == pid)
			return index;
	}
	return -1;
}

static __always_inline struct bpf_thread *find_thread(__u32 pid, __u32 *index)
{
	int further;

	*index = thread_place(pid, 0);
	if (threads[*index].pid == pid)
		return &threads[*index];
	further = find_thread_further(pid);
	if (further < 0)
		return 0;
	*index = further & (BPF_THREADS - 1);
	return &threads[*index];
}

/* Whether a place of a thread can be taken: it ran no vCPU, or another thread runs it now. */
static __always_inline bool is_unused(const struct bpf_thread *thread, __u32 index)
{
	const struct bpf_vcpu *v;

	if (!thread->pid)
		return true;
	if (!thread->vcpu)
		return false;
	v = &vcpus[(thread->vcpu - 1) & (BPF_VCPUS - 1)];
	return !v->key || v->thread != index;
}

static __noinline int make_thread(__u32 pid)
{
	for (__u32 n = 0; n < BPF_PROBES; n++) {
		__u32 index = thread_place(pid, n);
		struct bpf_thread *thread = &threads[index];
		__u32 old = thread->pid;

		if (!is_unused(thread, index) ||
		    __sync_val_compare_and_swap(&thread->pid, old, pid) != old)
			continue;
		thread->vcpu = 0;
		thread->run_tsc = 0;
		return 1;
	}
	__sync_fetch_and_add(&losses.no_thread, 1);
	return 0;
}

/* The running thread. */
static __always_inline struct bpf_thread *this_thread(__u32 *index)
{
	return find_thread((__u32)bpf_get_current_pid_tgid(), index);
}

/* The kernel's TSC frequency, which KVM gives to VMs, or the measured one. */
static __always_inline __u32 kvm_khz(const struct kvm_vcpu *vcpu)
{
	/* Too far inside struct kvm for a load. */
	__u32 khz = BPF_CORE_READ(vcpu, kvm, arch.default_tsc_khz), difference = khz - tsc_khz;

	if ((__s32)difference < 0)
		difference = -difference;
	return difference < tsc_khz / 1000 ? khz : tsc_khz;
}

/* Begins the ring at @area for a vCPU that had no ring until now. */
static __always_inline void begin_ring(struct bpf_vcpu *v, struct bpf_area *area,
				       const struct kvm_vcpu *vcpu)
{
	struct kvm_exit_total *other = &area->totals[KVM_EXIT_TOTAL_OTHER];

	area->meta.isa = isa;
	area->meta.vcpu_id = v->vcpu_id;
	area->meta.tgid = bpf_get_current_pid_tgid() >> 32;
	area->meta.tsc_base = now();
	area->meta.vm_id = address_of(vcpu->kvm);
	area->meta.tsc_khz = kvm_khz(vcpu);
	v->head = 0;
	v->tail_seen = 0;
	v->bad_tail = 0;

	/* Exits that it had to do without: lost, of unknown reason. */
	v->dropped = v->missed;
	v->seq = v->missed;
	other->count = v->missed;
	other->dropped = v->missed;
	area->meta.dropped = v->missed;
	area->meta.seq = v->missed;
	v->missed = 0;

	exit_ring_store_release(&area->meta.ring_id, __sync_fetch_and_add(&rings_used, 1) + 1);
}

/* Takes a ring that waits, if there is one. */
static __always_inline bool take_ring(struct bpf_vcpu *v, const struct kvm_vcpu *vcpu)
{
	struct bpf_area *area;

	for (int i = 0; i < RING_TRIES; i++) {
		__u32 popped = *(volatile __u32 *)&free_popped;

		if (popped == *(volatile __u32 *)&free_pushed)
			return false;
		if (__sync_val_compare_and_swap(&free_popped, popped, popped + 1) != popped)
			continue;
		v->ring = free_rings[popped & (BPF_VCPUS - 1)] + 1;
		area = area_of(v);
		if (!area) {
			v->ring = 0;
			return false;
		}
		begin_ring(v, area, vcpu);
		return true;
	}
	return false;
}

/* The part of halted time in which KVM polled, in ns. */
static __always_inline __u64 poll_statistic(const struct kvm_vcpu *vcpu)
{
	return vcpu->stat.generic.halt_poll_success_ns + vcpu->stat.generic.halt_poll_fail_ns;
}

/* All of it. */
static __always_inline __u64 halt_statistic(const struct kvm_vcpu *vcpu)
{
	return poll_statistic(vcpu) + vcpu->stat.generic.halt_wait_ns;
}

/*
 * For how long the running thread was on a run queue without a CPU, in ns, in its life. 0: the
 * kernel has no CONFIG_SCHED_INFO.
 */
static __always_inline __u64 run_delay(void)
{
	const struct task_struct *task = bpf_get_current_task_btf();

	return bpf_core_field_exists(task->sched_info.run_delay) ? task->sched_info.run_delay : 0;
}

/* Whether the guest's TSC is the host's plus an offset. */
static __always_inline bool has_plain_tsc(const struct kvm_vcpu *vcpu)
{
	__u64 ratio = vcpu->arch.l1_tsc_scaling_ratio;

	return ratio == SVM_DEFAULT_TSC_RATIO || ratio == SVM_NO_TSC_RATIO;
}

/* A place for a vCPU that enters for the first time. */
static __always_inline struct bpf_vcpu *make_vcpu(struct kvm_vcpu *vcpu, __u32 *index)
{
	__u64 key = key_of(vcpu);

	for (__u32 n = 0; n < BPF_PROBES; n++) {
		struct bpf_vcpu *v;

		*index = place_of(key, n);
		v = &vcpus[*index];
		if (__sync_val_compare_and_swap(&v->key, 0, key))
			continue;
		v->address = address_of(vcpu);
		v->vcpu_id = vcpu->vcpu_id;
		v->ignored = is_stopped || is_denied();
		if (v->ignored)
			__sync_fetch_and_add(&vcpus_unused, 1);
		v->halt_ns = halt_statistic(vcpu);
		v->poll_ns = poll_statistic(vcpu);
		if (isa == KVM_EXIT_ISA_SVM)
			v->kvm_stamp = has_plain_tsc(vcpu);
		return v;
	}
	__sync_fetch_and_add(&losses.no_place, 1);
	return 0;
}

/*
 * The time of an event: taken first, or, where --vm has names (@named), once its vCPU is known not
 * to be ignored. One that is does not pay for the clock.
 */
static __always_inline __u64 now_unless(bool named)
{
	return named ? 0 : now();
}

static __always_inline __u64 now_if(bool named, __u64 first)
{
	return named ? now() : first;
}

/* All exits are counted in histograms. */
static const struct vcpu_filter counts_only = {.no_records = true};

/* Ends the exit before this one. Returns the ring for this one; NULL: counted without one. */
static __always_inline struct bpf_area *on_exit(struct bpf_vcpu *v,
						const struct vcpu_filter *in_force)
{
	struct bpf_area *area = area_of(v);

	if (!area)
		vcpu_missed(v);
	else if (!vcpu_exited(v, area, ring_mask, in_force))
		__sync_fetch_and_add(&losses.no_entry, 1);
	return area;
}

#endif
