/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * witness.h - the file in which an emulated CPU's own VM entries and exits are
 *
 * A library inside the emulator (bochs.c, qemu.c) writes it, the judge reads it. KVM, the
 * ring and the collector have no part in it. The writer maps the file and stores whole
 * entries, so that the file is complete at every moment, even when the emulator is killed.
 *
 * A stay of a vCPU in guest mode, from the VM entry to the VM exit, is one struct
 * witness_exit. They stand in the order of their exits.
 */
#ifndef TESTBED_WITNESS_WITNESS_H
#define TESTBED_WITNESS_WITNESS_H

#include <stdint.h>

#define WITNESS_MAGIC	0x5353454e54495731ULL /* "1WITNESS" */
#define WITNESS_VERSION 1U

/* witness_file.isa; the same numbers as KVM_EXIT_ISA_* of kvm/uapi/kvm_exit_ring.h */
#define WITNESS_VMX 1U
#define WITNESS_SVM 2U

/*
 * struct witness_exit - one stay in guest mode
 *
 * @entry_tsc:	TSC when the guest's state was loaded (VMX) or at VMRUN (SVM), in cycles.
 *		0: no entry took place; the CPU refused the guest's state (VMX, where @reason
 *		has bit 31), or the library has missed the entry
 * @exit_tsc:	TSC at the VM exit, before the CPU saved or loaded anything
 * @vm:		physical address that differs between vCPUs: of the MSR bitmap (VMX, VMCS 0x2004),
 *		of the VMCB (SVM). A vCPU that runs a nested guest has two. Pages are used
 *		again once a VM is gone
 * @rip:	guest RIP at the exit (VMCS 0x681e)
 * @info1:	exit qualification (VMCS 0x6400); SVM: EXITINFO1
 * @info2:	IDT-vectoring information (VMCS 0x4408); SVM: EXITINFO2
 * @gpa:	guest-physical address (VMCS 0x2400); SVM: 0
 * @cr3:	guest CR3 at the exit (VMCS 0x6802)
 * @reason:	exit reason, all 32 bits (VMCS 0x4402); SVM: EXITCODE
 * @intr_info:	VM-exit interruption information (VMCS 0x4404); SVM: EXITINTINFO
 * @error_code:	VM-exit interruption error code (VMCS 0x4406); SVM: of EXITINTINFO
 * @eax, @ecx:	the guest's registers at the exit, bits 31:0
 * @cpu:	number of the emulated CPU, from 0, as in L1
 */
struct witness_exit {
	uint64_t entry_tsc;
	uint64_t exit_tsc;
	uint64_t vm;
	uint64_t rip;
	uint64_t info1;
	uint64_t info2;
	uint64_t gpa;
	uint64_t cr3;

	uint32_t reason;
	uint32_t intr_info;
	uint32_t error_code;
	uint32_t eax;
	uint32_t ecx;
	uint32_t cpu;
};

/*
 * struct witness_file - the head of the file
 *
 * @exit_bytes:	sizeof(struct witness_exit)
 * @isa:	WITNESS_VMX or WITNESS_SVM
 * @exact:	1: the TSC counts instructions (Bochs, QEMU with -icount); 0: the host's time
 * @cpus:	emulated CPUs
 * @late:	instructions by which the TSC may be late: it is brought forward after several
 * @count:	exits in the file
 * @lost:	exits that did not go in: the file was full
 * @unpaired:	entries or exits without their other half; always 0 unless the library fails
 */
struct witness_file {
	uint64_t magic;
	uint32_t version;
	uint32_t exit_bytes;
	uint32_t isa;
	uint32_t exact;
	uint32_t cpus;
	uint32_t late;

	uint64_t count;
	uint64_t lost;
	uint64_t unpaired;
	uint64_t reserved2[9];

	struct witness_exit exits[];
};

_Static_assert(sizeof(struct witness_exit) == 88, "the file's format is fixed");
_Static_assert(sizeof(struct witness_file) == 128, "the file's format is fixed");

#endif
