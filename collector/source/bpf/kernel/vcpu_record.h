/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vcpu_record.h - from the events of one vCPU to its records and totals
 *
 * Plain C for the BPF programs and for a test. All of it runs in the thread of the vCPU; the
 * caller passes the time.
 *
 *	exit		vcpu_exited()		publishes the record before
 *			vcpu_open()		opens one
 *	entry		vcpu_entry()		ends its time
 *	in between	vcpu_add_*()		where its time goes
 *	destroyed	vcpu_destroyed()	publishes the open one, ends the ring
 *
 * As with /dev/kvm_exit_ring, a record is published when its vCPU has exited again: an exit
 * is open from the first one on, and a copy of the totals can be checked by that.
 */
#ifndef EXITSCOPE_BPF_VCPU_RECORD_H
#define EXITSCOPE_BPF_VCPU_RECORD_H

#include "collector/source/bpf/kernel/exit_key.h"
#include "collector/source/bpf/kernel/hists.h"
#include "collector/source/bpf/kernel/shared.h"
#include "kvm/ring/exit_reason.h"
#include "kvm/ring/exit_ring_core.h"
#include "kvm/ring/exit_ring_sev.h"

/*
 * struct vcpu_filter - what to record; totals count the rest as filtered
 * @has_reasons: @reasons is in force: bit n set: slot n of the totals is recorded
 * @min_cycles:	at least that long, in TSC cycles
 * @one_in:	each n-th of those that pass the rest; 0, 1: all
 * @no_records:	those that pass the rest are counted in histograms (hists.h) in place of records
 * @is_on:	any of these is in force
 */
struct vcpu_filter {
	__u64 reasons[KVM_EXIT_TOTAL_SLOTS / 64];
	__u64 min_cycles;
	__u32 one_in;
	bool has_reasons, no_records, is_on;
};

/* The producer's end of the vCPU's ring; @mask: records in it, minus 1. */
EXIT_KEY_INLINE struct exit_ring_producer vcpu_producer(const struct bpf_vcpu *v,
							struct bpf_area *area, __u64 mask)
{
	return (struct exit_ring_producer){
		.meta = &area->meta,
		.tail = &area->tail,
		.records = area->records,
		.head = v->head,
		.seq = v->seq,
		.tail_seen = v->tail_seen,
		.dropped = v->dropped,
		.bad_tail = v->bad_tail,
		.mask = mask,
	};
}

/* The parts of the time of the open exit: its own and the whole, which they never exceed. */
EXIT_KEY_INLINE __u64 vcpu_away(struct bpf_vcpu *v, __u64 *cycles)
{
	struct bpf_parts *parts = &v->done;
	__u64 away = parts->halted + parts->user + parts->preempted;

	if ((__s64)*cycles >= 0 && away <= *cycles)
		return away;
	parts->halted = 0;
	parts->polled = 0;
	parts->user = 0;
	parts->preempted = 0;
	/* The others stay, as the exit ring has them. */
	parts->flags |= KVM_EXIT_REC_TSC_BACK;
	*cycles = 0;
	return 0;
}

/* Whether the open exit, which took @cycles, is one that is recorded. */
EXIT_KEY_INLINE bool vcpu_passes(struct bpf_vcpu *v, const struct vcpu_filter *filter, __u64 cycles)
{
	if (v->filtered || cycles < filter->min_cycles)
		return false;
	if (filter->one_in > 1) {
		if (++v->skipped < filter->one_in)
			return false;
		v->skipped = 0;
	}
	return true;
}

/*
 * The record that is written next. The compiler must not know that it is in the area: its
 * fields would be too far from the area's begin for one BPF instruction each.
 */
EXIT_KEY_INLINE struct kvm_exit_record *vcpu_slot(const struct exit_ring_producer *p)
{
	struct kvm_exit_record *r = exit_ring_slot(p);

	__asm__ volatile("" : "+r"(r));
	return r;
}

/* Keeps the compiler from moving stores; x86 keeps their order. */
#define VCPU_STORES_IN_ORDER() __asm__ volatile("" ::: "memory")

/* Publishes the record of the open exit: @cycles in all, @away of them outside the handler. */
EXIT_KEY_INLINE void vcpu_publish(struct bpf_vcpu *v, struct exit_ring_producer *p, __u64 cycles,
				  __u64 away)
{
	const struct bpf_parts *parts = &v->done;
	struct kvm_exit_record *r = vcpu_slot(p);

	r->cycles = cycles;
	r->handler_cycles = cycles - away;
	r->flags = v->flags | parts->flags;
	r->halted_cycles = 0;
	r->userspace_cycles = 0;
	r->preempted_cycles = 0;
	r->user_reason = 0;
	r->run_errno = 0;
	r->polled_cycles = 0;
	if (exit_ring_unlikely(parts->flags)) {
		/* KVM's own time that is after the next entry is none of this exit. */
		if (parts->flags & KVM_EXIT_REC_TSC_BACK && v->kvm_stamp)
			r->tsc = v->entry_tsc;
		r->halted_cycles = parts->halted;
		r->userspace_cycles = parts->user;
		r->preempted_cycles = parts->preempted;
		r->polled_cycles = parts->polled;
		r->user_reason = parts->user_reason;
		r->run_errno = parts->run_errno;
	}
	exit_ring_publish(p, r);
	v->head = p->head;
	v->seq = p->seq;
}

/* Where the histograms are: after the records of the ring. */
EXIT_KEY_INLINE struct bpf_hists *vcpu_hists(struct bpf_area *area, __u64 mask)
{
	char *hists = (char *)area->records + (mask + 1) * sizeof(struct kvm_exit_record);

	/* As in vcpu_slot(). */
	__asm__ volatile("" : "+r"(hists));
	return (struct bpf_hists *)hists;
}

/* Gives the open exit's slot a row. BPF_HIST_ROWS: there is none left, or its reason is unknown. */
EXIT_KEY_INLINE __u32 vcpu_take_row(const struct bpf_vcpu *v, struct bpf_hists *hists)
{
	__u32 slot = v->slot & (KVM_EXIT_TOTAL_SLOTS - 1);
	__u64 row = hists->used;

	if (row >= BPF_HIST_ROWS || slot == KVM_EXIT_TOTAL_OTHER)
		return BPF_HIST_ROWS;

	hists->slot_of[row] = slot;
	hists->row_of[slot] = row + 1;
	hists->used = row + 1;
	return row;
}

/* Counts the open exit in a histogram; the parameters are those of vcpu_publish(). False: none. */
EXIT_KEY_INLINE bool vcpu_count(const struct bpf_vcpu *v, struct bpf_hists *hists, __u64 cycles,
				__u64 away)
{
	__u32 row = hists->row_of[v->slot & (KVM_EXIT_TOTAL_SLOTS - 1)] - 1U;
	__u32 flags = v->flags | v->done.flags;

	if (exit_ring_unlikely(row >= BPF_HIST_ROWS)) {
		row = vcpu_take_row(v, hists);
		if (row >= BPF_HIST_ROWS)
			return false;
	}

	if (exit_ring_unlikely(flags)) {
		hists->n[row][bpf_hist_bucket(cycles)] += BPF_HIST_TOTAL;
		hists->n[row][bpf_hist_bucket(cycles - away)] += BPF_HIST_HANDLER;
		VCPU_STORES_IN_ORDER();
		hists->user[row] += !!(flags & KVM_EXIT_REC_USER);
		hists->nested[row] += !!(flags & KVM_EXIT_REC_NESTED);
	} else {
		hists->n[row][bpf_hist_bucket(cycles)] += BPF_HIST_TOTAL | BPF_HIST_HANDLER;
	}
	VCPU_STORES_IN_ORDER();
	return true;
}

/* With no_records: counts the open exit, which passes the filter. Its seq is used up. */
EXIT_KEY_INLINE void vcpu_close_counted(struct bpf_vcpu *v, struct bpf_area *area, __u64 mask,
					struct kvm_exit_total *total, __u64 cycles, __u64 away)
{
	if (exit_ring_unlikely(!vcpu_count(v, vcpu_hists(area, mask), cycles, away))) {
		total->dropped++;
		exit_ring_store(&area->meta.dropped, ++v->dropped);
	} else {
		total->recorded++;
	}
	exit_ring_store(&area->meta.seq, ++v->seq);
}

/* The record of the open exit, which passes the filter. */
EXIT_KEY_INLINE void vcpu_close_recorded(struct bpf_vcpu *v, struct bpf_area *area, __u64 mask,
					 struct kvm_exit_total *total, __u64 cycles, __u64 away)
{
	struct exit_ring_producer p = vcpu_producer(v, area, mask);

	if (exit_ring_unlikely(v->is_lost)) {
		total->dropped++;
		exit_ring_drop(&p);
		v->dropped = p.dropped;
		v->seq = p.seq;
	} else {
		total->recorded++;
		vcpu_publish(v, &p, cycles, away);
	}
}

/*
 * Publishes the open exit, which took @cycles, @away of them outside the handler. A reader detects
 * an inconsistent copy of the totals by its sums, so the order of stores matters: recorded, dropped
 * or filtered; cycles; the count of the next exit (vcpu_open()).
 */
EXIT_KEY_INLINE void vcpu_close_with(struct bpf_vcpu *v, struct bpf_area *area, __u64 mask,
				     const struct vcpu_filter *filter, __u64 cycles, __u64 away)
{
	struct kvm_exit_total *total = &area->totals[v->slot & (KVM_EXIT_TOTAL_SLOTS - 1)];

	if (filter->is_on && !vcpu_passes(v, filter, cycles))
		total->filtered++;
	else if (filter->no_records)
		vcpu_close_counted(v, area, mask, total, cycles, away);
	else
		vcpu_close_recorded(v, area, mask, total, cycles, away);
	VCPU_STORES_IN_ORDER();
	total->cycles += cycles;
	if (away) {
		total->halted_cycles += v->done.halted;
		total->polled_cycles += v->done.polled;
		total->userspace_cycles += v->done.user;
		total->preempted_cycles += v->done.preempted;
	}
	VCPU_STORES_IN_ORDER();
}

/* The open exit's time has ended at v->entry_tsc. Most have the handler's alone, and no parts. */
EXIT_KEY_INLINE void vcpu_close(struct bpf_vcpu *v, struct bpf_area *area, __u64 mask,
				const struct vcpu_filter *filter)
{
	__u64 cycles = v->entry_tsc - v->exit_tsc, away;

	if (exit_ring_unlikely(v->done.flags || (__s64)cycles < 0)) {
		away = vcpu_away(v, &cycles);
		vcpu_close_with(v, area, mask, filter, cycles, away);
	} else {
		vcpu_close_with(v, area, mask, filter, cycles, 0);
	}
}

/*
 * Writes what is known at the exit into the slot that the record will be published in. What no exit
 * of a ring ever has is 0 since the ring was made: requests, entry_event, entry_error_code, and
 * guest_cr3 without @f->has_cr3, which is the same for all of them.
 */
EXIT_KEY_INLINE void vcpu_fill(struct bpf_vcpu *v, struct kvm_exit_record *r, __u64 tsc, bool svm,
			       const struct exit_facts *f)
{
	__u32 flags = KVM_EXIT_REC_QUAL;

	r->tsc = tsc;
	r->guest_rip = f->rip;
	r->qualification = f->info_1;
	r->info2 = f->info_2;
	r->reason = f->reason;
	r->intr_info = 0;
	r->error_code = 0;
	r->pcpu = f->cpu;
	r->vcpu_id = v->vcpu_id;
	r->isa = svm ? KVM_EXIT_ISA_SVM : KVM_EXIT_ISA_VMX;
	r->value = 0;
	if (f->intr_info & EXIT_KEY_VALID) {
		r->intr_info = f->intr_info;
		flags |= KVM_EXIT_REC_INTR;
		if (f->intr_info & EXIT_KEY_ERROR_CODE) {
			r->error_code = f->error_code;
			flags |= KVM_EXIT_REC_ERROR_CODE;
		}
	}
	if (f->has_cr3) {
		r->guest_cr3 = f->cr3;
		flags |= KVM_EXIT_REC_CR3;
	}
	flags |= svm ? exit_key_svm(r, f) : exit_key_vmx(r, f);
	if (f->nested)
		flags |= KVM_EXIT_REC_NESTED;
	if (svm && exit_ring_unlikely(f->encrypted))
		flags = exit_ring_hide_encrypted(r, flags);
	v->flags = flags;
}

/* Opens an exit: counts it and takes a place in the ring for its record. */
EXIT_KEY_INLINE void vcpu_open(struct bpf_vcpu *v, struct bpf_area *area, __u64 mask,
			       const struct vcpu_filter *filter, __u64 tsc, bool svm,
			       const struct exit_facts *f)
{
	struct exit_ring_producer p = vcpu_producer(v, area, mask);
	__u32 slot = svm ? kvm_exit_slot_svm(f->reason) : kvm_exit_slot_vmx(f->reason & 0xffff);
	struct kvm_exit_record *r;

	slot &= KVM_EXIT_TOTAL_SLOTS - 1;
	v->slot = slot;
	v->reason = f->reason;
	v->exit_tsc = tsc;
	v->is_open = 1;
	v->is_lost = 0;
	area->totals[slot].count++;

	if (filter->has_reasons)
		v->filtered = !(filter->reasons[slot / 64] >> slot % 64 & 1);
	if (filter->no_records) {
		v->flags = f->nested ? KVM_EXIT_REC_NESTED : 0;
		return;
	}
	r = exit_ring_reserve(&p);
	v->tail_seen = p.tail_seen;
	v->bad_tail = p.bad_tail;
	if (exit_ring_unlikely(!r)) {
		v->is_lost = 1;
		return;
	}
	vcpu_fill(v, vcpu_slot(&p), tsc, svm, f);
}

/*
 * The guest has exited: ends the exit before it. vcpu_open() follows. Returns false if the VM
 * entry between the two was not seen.
 */
EXIT_KEY_INLINE bool vcpu_exited(struct bpf_vcpu *v, struct bpf_area *area, __u64 mask,
				 const struct vcpu_filter *filter)
{
	bool entered = v->entered;

	if (exit_ring_unlikely(!v->is_open)) {
		entered = true;
	} else {
		if (exit_ring_unlikely(!entered))
			v->entry_tsc = v->exit_tsc - 1; /* its time is unknown: TSC_BACK, 0 */
		vcpu_close(v, area, mask, filter);
	}
	v->entered = 0;
	v->done.flags = 0;
	return entered;
}

/* The guest of a vCPU without a ring has exited. */
EXIT_KEY_INLINE void vcpu_missed(struct bpf_vcpu *v)
{
	v->missed++;
	v->entered = 0;
	v->done.flags = 0;
}

/* A VM entry at @tsc. */
EXIT_KEY_INLINE void vcpu_entry(struct bpf_vcpu *v, __u64 tsc)
{
	v->entry_tsc = tsc;
	v->entered = 1;
	if (exit_ring_unlikely(v->now.flags)) {
		v->done = v->now;
		v->now = (struct bpf_parts){0};
	}
}

/* An entry after an entry: the former failed with VMfail. Both belong to one exit. */
EXIT_KEY_INLINE void vcpu_entry_again(struct bpf_vcpu *v)
{
	v->vmfail++;
	if (!v->done.flags)
		return;
	if (!(v->now.flags & KVM_EXIT_REC_USER)) {
		v->now.user_reason = v->done.user_reason;
		v->now.run_errno = v->done.run_errno;
	}
	v->now.halted += v->done.halted;
	v->now.polled += v->done.polled;
	v->now.user += v->done.user;
	v->now.preempted += v->done.preempted;
	v->now.flags |= v->done.flags;
}

EXIT_KEY_INLINE void vcpu_add_halted(struct bpf_vcpu *v, __u64 cycles)
{
	if (!cycles)
		return;
	v->now.halted += cycles;
	v->now.flags |= KVM_EXIT_REC_HALTED;
}

/*
 * A halt is over: KVM's statistics of it grew by @cycles, of which it polled @polled. What it
 * waited for a CPU in that time is counted already and is not halted.
 */
EXIT_KEY_INLINE void vcpu_halt_over(struct bpf_vcpu *v, __u64 cycles, __u64 polled)
{
	cycles -= cycles < v->halt_wait ? cycles : v->halt_wait;
	polled -= polled < v->poll_wait ? polled : v->poll_wait;
	v->halt_wait = 0;
	v->poll_wait = 0;

	vcpu_add_halted(v, cycles);
	if (polled > cycles)
		polled = cycles;
	if (!polled)
		return;
	v->now.polled += polled;
	v->now.flags |= KVM_EXIT_REC_POLLED;
}

EXIT_KEY_INLINE void vcpu_add_preempted(struct bpf_vcpu *v, __u64 cycles)
{
	if (!cycles)
		return;
	v->now.preempted += cycles;
	v->now.flags |= KVM_EXIT_REC_PREEMPTED;
}

/*
 * The vCPU's thread runs again at @tsc, after @delay cycles on a run queue. @halting: in a halt,
 * where @preempted, that is runnable all the time, means that it polls.
 */
EXIT_KEY_INLINE void vcpu_waited(struct bpf_vcpu *v, __u64 tsc, __u64 delay, bool halting,
				 bool preempted)
{
	/* The scheduler's clock is another one. */
	if (delay > tsc - v->out_tsc)
		delay = tsc - v->out_tsc;
	vcpu_add_preempted(v, delay);

	if (v->block_tsc)
		v->block_tsc += delay;
	if (halting)
		v->halt_wait += delay;
	if (halting && preempted)
		v->poll_wait += delay;
}

/* KVM_RUN began at @run_tsc, after it had returned at v->user_tsc. */
EXIT_KEY_INLINE void vcpu_add_user(struct bpf_vcpu *v, __u64 run_tsc)
{
	if ((__s64)(run_tsc - v->user_tsc) > 0)
		v->now.user += run_tsc - v->user_tsc;
	v->user_tsc = 0;
}

/*
 * KVM_RUN returned at @tsc with @reason in kvm_run and the result @error; the call had begun
 * at @run_tsc. The first return since the exit gives the reason. With an error, only -EINTR and
 * -EFAULT that describes itself come with a reason.
 */
EXIT_KEY_INLINE void vcpu_run_returned(struct bpf_vcpu *v, __u64 tsc, __u64 run_tsc, __u32 reason,
				       int error)
{
	enum { INTERRUPTED = -4, BAD_ADDRESS = -14, MEMORY_FAULT = 39 }; /* KVM_EXIT_MEMORY_FAULT */

	if (v->user_tsc)
		vcpu_add_user(v, run_tsc);
	v->user_tsc = tsc;
	if (v->now.flags & KVM_EXIT_REC_USER)
		return;
	v->now.flags |= KVM_EXIT_REC_USER;
	v->now.run_errno = error < 0 ? -error : 0;
	if (error >= 0 || error == INTERRUPTED || (error == BAD_ADDRESS && reason == MEMORY_FAULT))
		v->now.user_reason = reason;
}

/*
 * The vCPU is destroyed; it was put for the last time at @end. An exit that is open ends in
 * user space. The ring is complete.
 */
EXIT_KEY_INLINE void vcpu_destroyed(struct bpf_vcpu *v, struct bpf_area *area, __u64 mask,
				    const struct vcpu_filter *filter, __u64 end)
{
	if (v->is_open) {
		if (!v->entered) {
			v->done = v->now;
			if (v->user_tsc && (__s64)(end - v->user_tsc) > 0)
				v->done.user += end - v->user_tsc;
			v->done.flags |= KVM_EXIT_REC_NO_REENTRY;
			v->entry_tsc = end;
		}
		vcpu_close(v, area, mask, filter);
	}
	v->is_open = 0;
	exit_ring_store(&area->meta.vmfail, v->vmfail);
	exit_ring_store_release(&area->meta.state, KVM_EXIT_RING_DEAD);
}

#endif
