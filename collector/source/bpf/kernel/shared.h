/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * shared.h - memory that the BPF programs and their loader share
 *
 * One ring is the only element of an array map of its own, laid out as /dev/kvm_exit_ring
 * shows it (kvm/uapi/kvm_exit_ring.h), so that collector/source/ring.c reads it as it is.
 * The loader makes rings ahead of time; a vCPU takes one at its first VM entry.
 */
#ifndef EXITSCOPE_BPF_SHARED_H
#define EXITSCOPE_BPF_SHARED_H

#include "kvm/uapi/kvm_exit_ring.h"

#define BPF_VCPUS     4096U /* vCPUs at a time; a power of two */
#define BPF_THREADS   8192U /* threads that run vCPUs; a power of two */
#define BPF_CPUS      8192U /* CPUs of the host; a power of two */
#define BPF_DENIED    4096U /* processes whose VMs are not asked for */
#define BPF_AREA_PAGE 4096U

/* The head of a ring; the records follow. */
struct bpf_area {
	struct kvm_exit_ring_meta meta;
	__u8 pad_0[BPF_AREA_PAGE - sizeof(struct kvm_exit_ring_meta)];
	struct kvm_exit_ring_tail tail;
	__u8 pad_1[BPF_AREA_PAGE - sizeof(struct kvm_exit_ring_tail)];
	struct kvm_exit_total totals[KVM_EXIT_TOTAL_SLOTS];
	struct kvm_exit_record records[];
};

/* Where the time of an exit went outside KVM's handler, in TSC cycles, and its flags. */
struct bpf_parts {
	__u64 halted;
	__u64 polled; /* part of halted */
	__u64 user;
	__u64 preempted;
	__u32 flags; /* KVM_EXIT_REC_*; 0: all of this is 0 */
	__u16 user_reason;
	__u16 run_errno;
};

/*
 * One vCPU. Written by the thread that runs the vCPU, one at a time (KVM holds vcpu->mutex),
 * or with the vCPU gone. The loader changes @shared alone, as one word: it sets @ignored, and takes
 * the ring of a vCPU whose VM is not asked for.
 */
struct bpf_vcpu {
	__u64 key; /* of struct kvm_vcpu, see key_of(); 0: free */
	union {
		struct {
			__u32 ring;   /* 1 + index of its ring; 0: it has none */
			__u8 ignored; /* a VM that is not asked for, or nothing is any more */
			__u8 is_open; /* an exit is open */
			__u8 entered; /* entry_tsc is later than exit_tsc */
			__u8 is_lost; /* the open exit found the ring full */
		};
		__u64 shared;
	};
	__u8 filtered;	/* the open exit's reason is not asked for */
	__u8 nested;	/* L2 ran since the last entry (VMX) */
	__u8 halting;	/* kvm_vcpu_halt() was called since the last entry */
	__u8 kvm_stamp; /* KVM's own TSC after an exit can be had */

	__u64 exit_tsc;
	__u64 entry_tsc;
	__u32 reason;  /* of the open exit */
	__u32 slot;    /* of the totals, of the open exit */
	__u32 flags;   /* KVM_EXIT_REC_* of the open exit, known at the exit */
	__u32 skipped; /* exits since the last record, with one_in */

	struct bpf_parts now;  /* since the last entry */
	struct bpf_parts done; /* from the open exit to the last entry */

	__u64 user_tsc;	 /* KVM_RUN returned then and entered no guest since; 0: it did not */
	__u64 out_tsc;	 /* scheduled out then */
	__u64 block_tsc; /* blocked then, without being halted */
	__u64 halt_ns;	 /* KVM's statistic of halted time, as far as it is counted */
	__u64 poll_ns;	 /* its part that was polled */
	__u64 delay_ns;	 /* sched_info.run_delay of the thread at out_tsc */
	__u64 halt_wait; /* of the halt that is not counted yet: cycles waiting for a CPU, */
	__u64 poll_wait; /* and those of them while it polled */
	__u32 thread;	 /* index of the thread that ran it last */
	__u32 vcpu_id;

	__u64 address;				       /* of struct kvm_vcpu */
	__u64 vmcb;				       /* SVM: address of L1's VMCB, once known */
	__u64 vmcb_key;				       /* its key_of() */
	__u64 missed;				       /* exits while it had no ring */
	__u64 head, seq, tail_seen, dropped, bad_tail; /* struct exit_ring_producer */
	__u64 vmfail;
};

/* A thread that runs vCPUs. */
struct bpf_thread {
	__u32 pid;     /* in the initial pid namespace; 0: free */
	__u32 vcpu;    /* 1 + index of the vCPU that entered last; 0: none */
	__u64 run_tsc; /* KVM_RUN began */
};

/* What was not seen; the loader reads it. */
struct bpf_losses {
	__u64 no_place;	 /* VM entries of vCPUs that the table had no place for */
	__u64 no_ring;	 /* exits of vCPUs that never had a ring */
	__u64 no_thread; /* KVM_RUNs whose user-space time could not be taken */
	__u64 no_entry;	 /* exits whose VM entry before was not seen: their time is unknown */
};

#endif
