/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The ABI of /dev/kvm_exit_ring: one record per VM exit, one ring per vCPU.
 *
 * This header is the only definition: kvm.ko, the collector and every test
 * include this file. All fields are native endian; all structs have the same
 * layout for 32-bit and 64-bit programs.
 *
 * A kvm.ko that was loaded with hooks=0 counts nothing and makes no such device.
 *
 * HOW TO READ
 *	ctl = open("/dev/kvm_exit_ring", O_RDWR)
 *	ioctl(ctl, KVM_EXIT_RING_QUERY, &query{.size = sizeof(query)})
 *						query.abi is KVM_EXIT_RING_ABI, or end
 *	ioctl(ctl, KVM_EXIT_RING_ARM, &arm{.size = sizeof(arm)})
 *						vCPUs created from now on record
 *						from their first exit on
 *	for (info.ring_id = 0; !ioctl(ctl, KVM_EXIT_RING_NEXT, &info); )
 *		fd = open("/dev/kvm_exit_ring", O_RDWR)
 *		ioctl(fd, KVM_EXIT_RING_ATTACH,
 *		      &attach{.size = sizeof(attach), .ring_id = info.ring_id})
 *		mmap() the four areas of fd; read records; poll(fd)
 *	poll(ctl): POLLIN when rings were added or removed since the last NEXT that
 *	ended with ENOENT
 *	poll(fd): POLLIN when a quarter of the ring, or 4096 records, wait unread,
 *	or any of a vCPU that is gone; POLLHUP when it is gone and all is read. To
 *	read fewer records sooner, poll with a time limit
 *	poll(fd) of a file attached with KVM_EXIT_ATTACH_TOTALS: never POLLIN;
 *	POLLHUP when the vCPU is gone
 *
 * THE AREAS OF AN ATTACHED FILE (byte offsets for mmap)
 *	0			struct kvm_exit_ring_meta	read only
 *	PAGE_SIZE		struct kvm_exit_ring_tail	read and write
 *	meta.totals_offset	struct kvm_exit_total[meta.total_slots]
 *								read only
 *	meta.records_offset	struct kvm_exit_record[meta.record_count]
 *								read only
 * A reader strides by meta.record_bytes and meta.total_bytes. They are larger than the
 * structs it was compiled with where the kernel is newer; what is new is at the end.
 * mmap() takes MAP_SHARED only, one area per call. EPERM: PROT_EXEC, or PROT_WRITE
 * except for the tail page. EINVAL: the file is not attached, the mapping is private,
 * no area begins at the offset (of a file with KVM_EXIT_ATTACH_TOTALS: tail and
 * records), or it is longer than the area.
 *
 * ORDERING (see kvm/ring/exit_ring_core.h for the code of both sides)
 *	producer (vCPU thread)			consumer
 *	write record[head & mask]		h = load-acquire meta.head
 *	store-release meta.head = head + 1	read record[tail & mask] .. [h - 1]
 *						store-release tail.tail = h
 * head and tail run freely and are compared by their unsigned difference. The
 * kernel reads tail to decide whether the ring is full, whether to wake the reader, and
 * whether a dead ring has unread records: an invalid tail makes the ring seem full
 * (counted in meta.bad_tail).
 *
 * A struct with a size, as struct perf_event_attr has one, may grow. Its @size is that of
 * the caller's struct. The kernel takes what a shorter one lacks as 0; what it doesn't know of
 * a longer one must be 0 (E2BIG), and it returns 0 there.
 *
 * ERRORS common to all calls: EPERM without CAP_PERFMON or CAP_SYS_ADMIN, or with
 * lockdown=confidentiality (at open), ENOMEM (at open), EFAULT for an argument that
 * can't be read or written, EINVAL for a size below the least or above 4096, unknown
 * flags or reserved fields that are not 0, EINTR if the process was killed while it
 * waited for another call, ENOTTY for an unknown request.
 */
#ifndef _UAPI_KVM_EXIT_RING_H
#define _UAPI_KVM_EXIT_RING_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define KVM_EXIT_RING_DEVICE "/dev/kvm_exit_ring"
#define KVM_EXIT_RING_MAGIC  ((__u64)0x474e5254U << 32 | 0x58454d4bU) /* "KMEXTRNG" */
#define KVM_EXIT_RING_ABI    2U			   /* changes only when a reader must change */

/* kvm_exit_record.isa, kvm_exit_ring_meta.isa: whose exit codes these are.
 * The same numbers as KVM_ISA_VMX and KVM_ISA_SVM of the kernel's trace.h.
 */
#define KVM_EXIT_ISA_VMX 1U /* Intel SDM vol. 3, appendix C */
#define KVM_EXIT_ISA_SVM 2U /* AMD APM vol. 2, appendix C */

/* kvm_exit_record.flags */
#define KVM_EXIT_REC_FASTPATH	0x0001U /* handled with IRQs off, not by handle_exit() */
#define KVM_EXIT_REC_NESTED	0x0002U /* exit of an L2 guest */
#define KVM_EXIT_REC_USER	0x0004U /* KVM_RUN returned; user_reason is valid */
#define KVM_EXIT_REC_SYNTH	0x0008U /* no VM entry took place (emulation_required) */
#define KVM_EXIT_REC_NO_REENTRY 0x0010U /* vCPU destroyed; cycles end there */
#define KVM_EXIT_REC_TSC_BACK	0x0020U /* TSC went backwards; all cycles are 0 */
#define KVM_EXIT_REC_HALTED	0x0040U /* was halted: see halted_cycles */
#define KVM_EXIT_REC_PREEMPTED	0x0080U /* waited for a CPU while runnable */
#define KVM_EXIT_REC_QUAL	0x0100U /* qualification and info2 are valid */
#define KVM_EXIT_REC_INTR	0x0200U /* intr_info is valid (its bit 31 is set) */
#define KVM_EXIT_REC_ERROR_CODE 0x0400U /* error_code is valid */
#define KVM_EXIT_REC_KEY	0x0800U /* key is valid (and key_aux where defined) */
#define KVM_EXIT_REC_CR3	0x1000U /* guest_cr3 is valid (requested at attach) */
#define KVM_EXIT_REC_NO_RIP	0x2000U /* guest_rip is 0: SEV-ES and SNP encrypt registers */
#define KVM_EXIT_REC_POLLED	0x4000U /* was polled for: see polled_cycles */
#define KVM_EXIT_REC_VALUE	0x8000U /* value is valid */
#define KVM_EXIT_REC_REQUESTS	0x10000U /* requests is valid */
#define KVM_EXIT_REC_EVENT	0x20000U /* entry_event is valid: one was injected */
#define KVM_EXIT_REC_EVENT_ERROR 0x40000U /* entry_error_code is valid */

/*
 * struct kvm_exit_record - one VM exit, from the exit to the next VM entry
 *
 * Opened at the exit and published once its duration is known: when the vCPU
 * has exited again (nothing is published with interrupts off before an entry)
 * or is destroyed. The interval ends at the stamp before KVM's assembly around
 * VMLAUNCH, VMRESUME or VMRUN, and begins after it: what mitigations do there, and
 * VMLOAD and VMSAVE on SVM, is outside. Before a synthesized exit it ends where that
 * one begins.
 *
 * @seq:	number of this record in its ring, from 0; counts the dropped
 *		ones too, so a gap of n means n records lost right there
 * @tsc:	host TSC after the exit, in cycles
 * @guest_rip:	guest RIP at the exit (VMCS 0x681e)
 * @guest_cr3:	guest CR3 at the exit if KVM_EXIT_REC_CR3, else 0
 * @qualification: exit qualification (VMCS 0x6400); SVM: EXITINFO1
 * @info2:	VMX: IDT-vectoring information (VMCS 0x4408), as info2 of the
 *		kvm_exit tracepoint; SVM: EXITINFO2
 * @key:	what the exit was about, by reason (see KVM_EXIT_KEY below)
 * @key_aux:	second part of the key
 * @cycles:	exit to next entry of the same vCPU, in TSC cycles; always the
 *		exact sum of the four that follow
 * @handler_cycles:	KVM (and the host's interrupts) at work, or blocked for the host: for
 *		a page that is not there, also with an asynchronous page fault, or a lock
 * @halted_cycles:	polling or blocked because the vCPU has nothing to run: after HLT, in
 *		INIT until it gets a SIPI, or in a Xen poll; not 0 with KVM_EXIT_REC_HALTED,
 *		unless the TSC went back
 * @userspace_cycles:	between the return of KVM_RUN and the next KVM_RUN, or the end of the vCPU
 * @preempted_cycles:	runnable without a CPU, inside KVM_RUN: scheduled out, or woken and
 *		still waiting for its turn (as sched_info.run_delay has it); and with
 *		on_full=wait, waiting for the reader
 * @reason:	full exit reason: VMX basic reason in bits 15:0, flags above it
 *		(31 failed VM entry, 29 exit from VMX root, 28 pending MTF, 27
 *		enclave, 26 bus lock, 25 shadow stack left busy; SDM vol. 3,
 *		table "Format of Exit Reason"); SVM: low 32 bits of EXITCODE
 *		(0xffffffff: VMEXIT_INVALID)
 * @flags:	KVM_EXIT_REC_*
 * @intr_info:	VM-exit interruption information (VMCS 0x4404); SVM: bits 31:0 of
 *		EXITINTINFO
 * @error_code:	VM-exit interruption error code (VMCS 0x4406); SVM: bits 63:32 of
 *		EXITINTINFO
 * @pcpu:	physical CPU at the exit (smp_processor_id())
 * @vcpu_id:	the vCPU's id as given to KVM_CREATE_VCPU
 * @user_reason: KVM_EXIT_* of struct kvm_run at the first return of KVM_RUN if
 *		KVM_EXIT_REC_USER, else 0. KVM_EXIT_UNKNOWN if KVM_RUN failed without one
 * @isa:	KVM_EXIT_ISA_*
 * @run_errno:	errno of KVM_RUN at that return (EINTR, EFAULT, ...), 0 if it succeeded
 * @polled_cycles: the part of @halted_cycles in which KVM polled before it blocked
 *		(parameter halt_poll_ns): the vCPU kept its CPU busy; not 0 with
 *		KVM_EXIT_REC_POLLED, unless the TSC went back
 * @value:	if KVM_EXIT_REC_VALUE, what the guest wrote: OUT: the low 1, 2 or 4 bytes of
 *		EAX; WRMSR: EDX:EAX; else 0
 * @requests:	if KVM_EXIT_REC_REQUESTS, KVM's requests pending at the exit, bit n: KVM_REQ_*
 *		number n of that kernel (as the kvm_exit tracepoint of 7.x has them)
 * @entry_event: if KVM_EXIT_REC_EVENT, the event that KVM injected at the entry that ended
 *		this exit, in the layout of VM-entry interruption information (VMCS
 *		0x4016, also on SVM), else 0. Not what L1 injects into its guest, unless KVM
 *		had to cancel that and to inject it again
 * @entry_error_code: its error code if KVM_EXIT_REC_EVENT_ERROR, else 0
 * @reserved:	0
 *
 * KVM_EXIT_KEY: key and key_aux per reason (VMX number / SVM code)
 *	exception 0 / 0x40-0x5f		key = vector
 *	external interrupt 1		key = vector (VMX with acknowledge on exit)
 *	CPUID 10 / 0x72			key = leaf (EAX), key_aux = sub-leaf (ECX)
 *	VMCALL 18 / 0x81		key = hypercall number (RAX)
 *	CR access 28 / 0x00-0x1f	key = CR number, key_aux = access type
 *					(0 MOV to, 1 MOV from, 2 CLTS, 3 LMSW; SVM tells these
 *					no further: 0 any write, 1 any read)
 *	DR access 29 / 0x20-0x3f	key = DR number, key_aux = 0 to, 1 from
 *	I/O 30 / 0x7b			key = port, key_aux = KVM_EXIT_KEY_IO_*
 *	RDMSR 31, WRMSR 32 / 0x7c	key = MSR index (ECX), key_aux = 0 read, 1 write
 *	RDMSR 84, WRMSRNS 85, both with an immediate
 *					key = MSR index (bits 31:0 of the qualification),
 *					key_aux = 0 read, 1 write
 *	EPT violation 48, misconfiguration 49 / NPF 0x400
 *					key = guest-physical address (VMCS 0x2400),
 *					key_aux = KVM_EXIT_ACCESS_* (0 for 49)
 *	VMGEXIT 0x403			what a SEV-ES guest asks KVM for, as far as KVM has
 *					accepted it: key = SW_EXITCODE, key_aux = SW_EXITINFO1
 *					of the GHCB; or by the MSR protocol: key =
 *					KVM_EXIT_KEY_GHCB_MSR + GHCBInfo, key_aux = GHCBData
 * Of SEV-ES and SNP guests the CPU encrypts the registers. Their records have neither guest_rip
 * (KVM_EXIT_REC_NO_RIP) nor guest_cr3 nor value, and no key that is in a register.
 */
struct kvm_exit_record {
	__u64 seq;
	__u64 tsc;
	__u64 guest_rip;
	__u64 guest_cr3;
	__u64 qualification;
	__u64 info2;
	__u64 key;
	__u64 key_aux;

	__u64 cycles;
	__u64 handler_cycles;
	__u64 halted_cycles;
	__u64 userspace_cycles;
	__u64 preempted_cycles;
	__u32 reason;
	__u32 flags;
	__u32 intr_info;
	__u32 error_code;
	__u16 pcpu;
	__u16 vcpu_id;
	__u8 user_reason;
	__u8 isa;
	__u16 run_errno;

	__u64 polled_cycles;
	__u64 value;
	__u64 requests;
	__u32 entry_event;
	__u32 entry_error_code;
	__u64 reserved[4];
};

#define KVM_EXIT_RECORD_BYTES 192U

/* key_aux of an I/O instruction */
#define KVM_EXIT_KEY_IO_SIZE   0x0fU /* mask: access size in bytes: 1, 2, 4 */
#define KVM_EXIT_KEY_IO_IN     0x10U /* set: IN, clear: OUT */
#define KVM_EXIT_KEY_IO_STRING 0x20U /* INS or OUTS */
#define KVM_EXIT_KEY_IO_REP    0x40U /* with a REP prefix */

/* key of a VMGEXIT with the MSR protocol: set; bits 11:0 are GHCBInfo. GHCB specification, 2.3.1 */
#define KVM_EXIT_KEY_GHCB_MSR  ((__u64)1 << 32)

/* key_aux of an EPT violation or nested page fault */
#define KVM_EXIT_ACCESS_READ  0x1U
#define KVM_EXIT_ACCESS_WRITE 0x2U
#define KVM_EXIT_ACCESS_EXEC  0x4U

/*
 * Slots of the totals. VMX: slot = basic reason for reasons below 128. SVM:
 * slot = code for codes below 0xe0, 0xe0 + (code - 0x400) for codes 0x400 to
 * 0x40f. All that fits neither is counted in KVM_EXIT_TOTAL_OTHER.
 */
#define KVM_EXIT_TOTAL_SLOTS 256U
#define KVM_EXIT_TOTAL_OTHER 255U

/*
 * struct kvm_exit_total - exact totals of one slot since the vCPU's creation
 *
 * Written by the vCPU thread alone with plain 64-bit stores, whether anybody
 * reads or not. @count moves at the exit, the cycles when the next exit closes
 * it; the last, open exit is therefore in @count and not in @cycles.
 * To take a consistent snapshot, copy the totals twice until both copies are equal.
 * The vCPU was not closing an exit at that time if meta.seq = recorded + dropped over
 * all slots and exactly one exit is open. No exit is open before the first exit and
 * after the vCPU is destroyed.
 *
 * @count:	VM exits
 * @synthesized: exits that KVM made up without a VM entry (not in @count)
 * @cycles:	exit to next entry, both kinds, in TSC cycles
 * @halted_cycles, @userspace_cycles, @preempted_cycles: parts of @cycles; the
 *		rest is handler time
 * @recorded:	records published to the ring
 * @dropped:	records lost because the ring was full
 * @filtered:	records that the reader's filter left out
 * @unread:	exits while no reader was attached
 * @polled_cycles: part of @halted_cycles, as in a record
 * Once the open exit is closed,
 *	count + synthesized = recorded + dropped + filtered + unread.
 */
struct kvm_exit_total {
	__u64 count;
	__u64 synthesized;
	__u64 cycles;
	__u64 halted_cycles;
	__u64 userspace_cycles;
	__u64 preempted_cycles;
	__u64 recorded;
	__u64 dropped;
	__u64 filtered;
	__u64 unread;
	__u64 polled_cycles;
	__u64 reserved[5];
};

/* kvm_exit_ring_meta.features, KVM_EXIT_RING_* of what this kernel does */
#define KVM_EXIT_FEAT_SPLIT 0x1U /* the four parts of cycles are measured */
#define KVM_EXIT_FEAT_KEYS  0x2U /* key and key_aux are filled in */
#define KVM_EXIT_FEAT_SYNTH 0x4U /* synthesized exits are recorded */
#define KVM_EXIT_FEAT_WAIT  0x8U /* on_full=wait is in force */
#define KVM_EXIT_FEAT_POLLED 0x10U /* polled_cycles are measured */
#define KVM_EXIT_FEAT_VALUE 0x20U /* value is filled in */
#define KVM_EXIT_FEAT_REQUESTS 0x40U /* requests are filled in */
#define KVM_EXIT_FEAT_EVENT 0x80U /* entry_event is filled in */

/* kvm_exit_ring_meta.state */
#define KVM_EXIT_RING_LIVE 0U
#define KVM_EXIT_RING_DEAD 1U /* the vCPU is gone; no more records come */

/*
 * struct kvm_exit_ring_meta - geometry, ids and the producer's index
 *
 * Constant after creation up to @features, except @record_count. A later ABI with the same version
 * may define reserved fields; they are 0 until then.
 *
 * @magic:	KVM_EXIT_RING_MAGIC
 * @abi:	KVM_EXIT_RING_ABI
 * @meta_bytes:	sizeof(struct kvm_exit_ring_meta)
 * @record_bytes: sizeof(struct kvm_exit_record)
 * @record_count: records in the ring, a power of two (parameter ring_records, or
 *		as armed); constant while a reader is attached
 * @totals_offset, @records_offset: mmap offsets, in bytes, page aligned
 * @total_bytes: sizeof(struct kvm_exit_total)
 * @total_slots: KVM_EXIT_TOTAL_SLOTS
 * @isa:	KVM_EXIT_ISA_*
 * @vcpu_id:	id given to KVM_CREATE_VCPU
 * @tgid:	process that made the VM, in the initial pid namespace
 * @tsc_khz:	TSC frequency as the kernel knows it, in kHz
 * @ring_id:	unique since kvm.ko was loaded, from 1
 * @vm_id:	unique since kvm.ko was loaded, from 1
 * @tsc_base, @mono_raw_base_ns: TSC (cycles) and CLOCK_MONOTONIC_RAW (ns) read
 *		together when the ring was made
 * @features:	KVM_EXIT_FEAT_*
 * @tid:	the thread that called KVM_RUN last, in the initial pid namespace; 0: none yet
 * @head:	records ever published (store-release)
 * @seq:	records ever published or dropped: the next record's seq
 * @state:	KVM_EXIT_RING_LIVE or _DEAD (store-release after the last head)
 * @dropped:	records lost because the ring was full, since the attach
 * @wakeups:	times that a waiting reader was woken
 * @bad_tail:	times that the tail was after the head or more than record_count before it
 * @vmfail:	VMLAUNCH or VMRESUME that failed before the guest's state was loaded (VMfail): no
 *		exit, no record. A failed VM entry (bit 31 of the reason) is an exit
 * @attached_seq: @seq when the present reader attached (or recording was armed)
 */
struct kvm_exit_ring_meta {
	__u64 magic;
	__u32 abi;
	__u32 meta_bytes;
	__u32 record_bytes;
	__u32 record_count;
	__u32 totals_offset;
	__u32 records_offset;
	__u32 total_bytes;
	__u32 total_slots;
	__u32 isa;
	__u32 vcpu_id;
	__u32 tgid;
	__u32 tsc_khz;
	__u64 ring_id;

	__u64 vm_id;
	__u64 tsc_base;
	__u64 mono_raw_base_ns;
	__u64 features;
	__u32 tid;
	__u32 reserved4;
	__u64 reserved0[3];

	/* a cache line of its own: the producer writes it for each record */
	__u64 head;
	__u64 seq;
	__u64 reserved1[6];

	__u32 state;
	__u32 reserved2;
	__u64 dropped;
	__u64 wakeups;
	__u64 bad_tail;
	__u64 vmfail;
	__u64 attached_seq;
	__u64 reserved3[2];
};

/*
 * struct kvm_exit_ring_tail - the one page that user space may write
 * @tail: records ever consumed (store-release); set to head when recording begins: at the
 *	attach, or, if recording was armed, at the vCPU's creation
 */
struct kvm_exit_ring_tail {
	__u64 tail;
	__u64 reserved[7];
};

/* kvm_exit_ring_info.flags */
#define KVM_EXIT_INFO_DEAD	0x1U /* vCPU gone; unread records are kept */
#define KVM_EXIT_INFO_BUSY	0x2U /* another file is attached */
#define KVM_EXIT_INFO_RECORDING 0x4U /* recording (armed or attached) */
#define KVM_EXIT_INFO_REFUSED	0x8U /* armed, but memory for its records was refused; see ARM */

/*
 * struct kvm_exit_ring_info - KVM_EXIT_RING_NEXT
 * @ring_id:	in: the last ring known, 0 to begin; out: the next one
 * @flags:	KVM_EXIT_INFO_*
 * All but @ring_id is out only. What struct kvm_exit_ring_meta has, too, means what it means
 * there.
 */
struct kvm_exit_ring_info {
	__u64 ring_id;
	__u64 vm_id;
	__u32 vcpu_id;
	__u32 tgid;
	__u32 isa;
	__u32 flags;
	__u32 tid;
	__u32 reserved0;
	__u64 reserved[3];
};

/* kvm_exit_ring_attach.flags; kvm_exit_ring_arm.flags: only CR3 */
#define KVM_EXIT_ATTACH_CR3    0x1U /* fill in guest_cr3 */
#define KVM_EXIT_ATTACH_TOTALS 0x2U /* meta and totals only: no records, any number of readers */

/*
 * struct kvm_exit_ring_attach - KVM_EXIT_RING_ATTACH
 * @size:	sizeof(struct kvm_exit_ring_attach), at least KVM_EXIT_RING_ATTACH_BYTES_MIN
 * @flags:	KVM_EXIT_ATTACH_*
 * @ring_id:	which ring
 * @record_count: records in the ring, as the parameter ring_records allows; 0: as that says.
 *		A ring that is armed has its records already and keeps their number
 * @one_in:	record every n-th exit that passes the rest; 0 and 1: every one
 * @min_cycles:	record only exits of at least this many cycles; 0: all
 * @reason_mask: bit n set: record slot n; all 0: every reason
 * Totals count what a filter leaves out (kvm_exit_total.filtered). With
 * KVM_EXIT_ATTACH_TOTALS there are none: what comes after @ring_id must be 0 (EINVAL).
 */
struct kvm_exit_ring_attach {
	__u32 size;
	__u32 flags;
	__u64 ring_id;
	__u32 record_count;
	__u32 one_in;
	__u64 min_cycles;
	__u64 reason_mask[KVM_EXIT_TOTAL_SLOTS / 64];
};

#define KVM_EXIT_RING_ATTACH_BYTES_MIN 16U

/*
 * struct kvm_exit_ring_arm - KVM_EXIT_RING_ARM
 * @size:	sizeof(struct kvm_exit_ring_arm), at least KVM_EXIT_RING_ARM_BYTES_MIN
 * @flags, @record_count, @one_in, @min_cycles, @reason_mask: as in struct
 *		kvm_exit_ring_attach, until a reader attaches with its own
 * @max_bytes:	most memory for all records that this file has armed; 0: no bound of its own
 * @tgid:	record only vCPUs that this process creates (in the initial pid namespace); 0: all
 * @reserved:	0
 */
struct kvm_exit_ring_arm {
	__u32 size;
	__u32 flags;
	__u64 max_bytes;
	__u32 record_count;
	__u32 one_in;
	__u64 min_cycles;
	__u64 reason_mask[KVM_EXIT_TOTAL_SLOTS / 64];
	__u32 tgid;
	__u32 reserved;
};

#define KVM_EXIT_RING_ARM_BYTES_MIN 16U

/* kvm_exit_ring_query.tsc */
#define KVM_EXIT_TSC_CONSTANT 0x1U /* the same frequency in all power states of a CPU */
#define KVM_EXIT_TSC_NONSTOP  0x2U /* it goes on in deep sleep */
#define KVM_EXIT_TSC_STABLE   0x4U /* the kernel found the CPUs' TSCs synchronized */

/*
 * struct kvm_exit_ring_query - what this kernel does; allocates nothing
 * @size:	in: sizeof(struct kvm_exit_ring_query), at least
 *		KVM_EXIT_RING_QUERY_BYTES_MIN and at most 4096; out: the kernel's
 * @abi, @features, @meta_bytes, @record_bytes, @record_count, @total_bytes, @total_slots,
 * @tsc_khz:	as in struct kvm_exit_ring_meta of a new ring
 * @tsc:	KVM_EXIT_TSC_*
 * @record_count_max: most records in a ring
 * @memory_bytes: of the records of all rings
 * @memory_max_bytes: most of that (parameter ring_memory_mib)
 * @refused:	vCPUs that recording was armed for and that got no memory for their records
 * @lost_rings:	rings of vCPUs that are gone that were lost with their unread records, or with
 *		their totals if they were refused, because more than 64 waited
 * @lost_exits:	all exits of the vCPUs of @lost_rings, without synthesized ones; a ring that had a
 *		reader before is in it as a whole, too. A kernel that does not count them gives a
 *		smaller @size
 *
 * The last three count since kvm.ko was loaded.
 */
struct kvm_exit_ring_query {
	__u32 size;
	__u32 abi;
	__u64 features;
	__u32 meta_bytes;
	__u32 record_bytes;
	__u32 record_count;
	__u32 record_count_max;
	__u32 total_bytes;
	__u32 total_slots;
	__u32 tsc;
	__u32 tsc_khz;
	__u64 memory_bytes;
	__u64 memory_max_bytes;
	__u64 refused;
	__u64 lost_rings;
	__u64 lost_exits;
};

#define KVM_EXIT_RING_QUERY_BYTES_MIN 48U

#define KVM_EXIT_RING_IOC 0xEB

/*
 * The ring with the smallest id above info.ring_id. ENOENT: no more. A ring that is added later
 * has a higher id than all that were added before, unless there is no memory for a new id.
 */
#define KVM_EXIT_RING_NEXT _IOWR(KVM_EXIT_RING_IOC, 0x01, struct kvm_exit_ring_info)

/*
 * The calls of structs with a size. Requests 0x00 and 0x02 are those of ABI 1 and fail with
 * EPROTONOSUPPORT; a kernel of ABI 1 answers these with ENOTTY.
 */

/* Argument: struct kvm_exit_ring_query. EINVAL: @size. */
#define KVM_EXIT_RING_QUERY _IO(KVM_EXIT_RING_IOC, 0x03)
/*
 * Argument: struct kvm_exit_ring_arm. Rings of vCPUs created while this file is open record
 * from the first exit on (unless KVM_EXIT_INFO_REFUSED: their memory is charged to the memory
 * cgroup of the process that opened this file, and bounded by @max_bytes and the parameter
 * ring_memory_mib) and are kept, unread, when the vCPU goes, until a reader has emptied
 * them or the file is closed; of more than 64 such rings the oldest is lost. One that was refused
 * has its totals, is kept until a file attached to them (KVM_EXIT_ATTACH_TOTALS) is closed, and
 * records from then on if an attach finds memory. EBUSY: another
 * file has armed it. Again on the same file: nothing changes. EINVAL: also a @record_count that
 * is not a power of two from 32 to query.record_count_max. E2BIG
 */
#define KVM_EXIT_RING_ARM _IO(KVM_EXIT_RING_IOC, 0x04)
/*
 * Argument: struct kvm_exit_ring_attach. ENOENT: no such ring; EBUSY: it has a reader, or this
 * file has a ring; ENOMEM: no memory for the records, or ring_memory_mib is reached; EINVAL: also
 * @record_count, as in ARM, or KVM_EXIT_ATTACH_TOTALS with another flag or with anything after
 * @ring_id; E2BIG
 */
#define KVM_EXIT_RING_ATTACH _IO(KVM_EXIT_RING_IOC, 0x05)

#ifndef __KERNEL__
#include <stddef.h>
#if !defined(__cplusplus)
#define KVM_EXIT_RING_ASSERT(c) __extension__ _Static_assert(c, #c)
#elif __cplusplus >= 201103L
#define KVM_EXIT_RING_ASSERT(c) static_assert(c, #c)
#else
#define KVM_EXIT_RING_ASSERT(c) extern int kvm_exit_ring_no_assert
#endif
#else
#include <linux/build_bug.h>
#include <linux/stddef.h>
#define KVM_EXIT_RING_ASSERT(c) static_assert(c)
#endif

KVM_EXIT_RING_ASSERT(sizeof(struct kvm_exit_record) == KVM_EXIT_RECORD_BYTES);
KVM_EXIT_RING_ASSERT(offsetof(struct kvm_exit_record, cycles) == 64);
KVM_EXIT_RING_ASSERT(offsetof(struct kvm_exit_record, reason) == 104);
KVM_EXIT_RING_ASSERT(offsetof(struct kvm_exit_record, pcpu) == 120);
KVM_EXIT_RING_ASSERT(offsetof(struct kvm_exit_record, user_reason) == 124);
KVM_EXIT_RING_ASSERT(offsetof(struct kvm_exit_record, polled_cycles) == 128);
KVM_EXIT_RING_ASSERT(offsetof(struct kvm_exit_record, entry_event) == 152);
KVM_EXIT_RING_ASSERT(sizeof(struct kvm_exit_total) == 128);
KVM_EXIT_RING_ASSERT(sizeof(struct kvm_exit_ring_meta) == 256);
KVM_EXIT_RING_ASSERT(offsetof(struct kvm_exit_ring_meta, vm_id) == 64);
KVM_EXIT_RING_ASSERT(offsetof(struct kvm_exit_ring_meta, head) == 128);
KVM_EXIT_RING_ASSERT(offsetof(struct kvm_exit_ring_meta, state) == 192);
KVM_EXIT_RING_ASSERT(sizeof(struct kvm_exit_ring_tail) == 64);
KVM_EXIT_RING_ASSERT(sizeof(struct kvm_exit_ring_query) == 88);
KVM_EXIT_RING_ASSERT(offsetof(struct kvm_exit_ring_query, memory_bytes) == 48);
KVM_EXIT_RING_ASSERT(sizeof(struct kvm_exit_ring_arm) == 72);
KVM_EXIT_RING_ASSERT(sizeof(struct kvm_exit_ring_info) == 64);
KVM_EXIT_RING_ASSERT(sizeof(struct kvm_exit_ring_attach) == 64);

#endif
