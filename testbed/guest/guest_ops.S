/* SPDX-License-Identifier: GPL-2.0-only */
#include "testbed/guest/guest_ops.h"

/*
 * guest_op name, "what": assembles the macro body_<name> in a loop for both
 * modes and adds a row to guest_ops[].
 */
.macro guest_program name, mode
.Lstart_\name\()_\mode:
1:	body_\name
	dec	%esi
	jnz	1b
	out	%al, $GUEST_DONE_PORT
	hlt
.Lend_\name\()_\mode:
.endm

.macro guest_op name, what
	.pushsection .rodata.guest_code, "a"
	.code16
	guest_program \name, real
	.code64
	guest_program \name, long
	.popsection
	.pushsection .rodata.guest_strings, "a"
.Lname_\name:
	.asciz	"\name"
.Lwhat_\name:
	.asciz	"\what"
	.popsection
	.quad	.Lname_\name, .Lwhat_\name
	.quad	.Lstart_\name\()_real, .Lend_\name\()_real
	.quad	.Lstart_\name\()_long, .Lend_\name\()_long
.endm

.macro body_cpuid
	mov	$GUEST_CPUID_LEAF, %eax
	mov	$GUEST_CPUID_SUBLEAF, %ecx
	cpuid
.endm
.macro body_rdmsr
	mov	$GUEST_MSR, %ecx
	rdmsr
.endm
.macro body_wrmsr
	mov	$GUEST_MSR, %ecx
	mov	$0x00070406, %eax
	mov	$0x00070406, %edx
	wrmsr
.endm
.macro body_tsc_deadline
	mov	$0x6e0, %ecx
	xor	%eax, %eax
	xor	%edx, %edx
	wrmsr
.endm
.macro body_out
	out	%al, $GUEST_OUT_PORT
.endm
.macro body_in
	in	$GUEST_IN_PORT, %eax
.endm
.macro body_mmio_read
	mov	%es:(%edi), %al
.endm
.macro body_mmio_write
	mov	%al, %es:(%edi)
.endm
.macro body_touch
	mov	%al, %es:(%edi)
	add	$0x1000, %edi
.endm
.macro body_hlt
	hlt
.endm
.macro body_vmcall
	mov	$GUEST_HYPERCALL, %eax
	vmcall
.endm
.macro body_vmmcall
	mov	$GUEST_HYPERCALL, %eax
	vmmcall
.endm
.macro body_cr0
	.byte	0x0f, 0x20, 0xc0	/* mov %cr0, %eax in both modes */
	xor	$0x40000, %eax		/* CR0.AM, a bit that KVM keeps to itself */
	.byte	0x0f, 0x22, 0xc0	/* mov %eax, %cr0 */
.endm
.macro body_rdtsc
	rdtsc
.endm
.macro body_nop
	nop
.endm
.macro body_leaves
	mov	(%edi), %eax
	mov	4(%edi), %ecx
	cpuid
	mov	%eax, 8(%edi)
	mov	%ebx, 12(%edi)
	mov	%ecx, 16(%edi)
	mov	%edx, 20(%edi)
	add	$24, %edi
.endm

	.section .data.rel.ro, "aw"
	.balign	8
	.globl	guest_ops
guest_ops:
	guest_op cpuid, "CPUID of leaf 1, sub-leaf 5: exit reason 10, SVM 0x72"
	guest_op rdmsr, "RDMSR of IA32_PAT: 31, SVM 0x7c"
	guest_op wrmsr, "WRMSR of IA32_PAT: 32, SVM 0x7c"
	guest_op tsc_deadline, "WRMSR of IA32_TSC_DEADLINE (--irqchip: the fastpath of kvm-intel): 32"
	guest_op out, "OUT of a byte to port 0x10, to the VMM: 30, SVM 0x7b"
	guest_op in, "IN of four bytes from port 0x12, to the VMM: 30, SVM 0x7b"
	guest_op mmio_read, "read of unbacked memory, to the VMM: once 48, then 49; SVM 0x400"
	guest_op mmio_write, "write to unbacked memory, to the VMM: once 48, then 49; SVM 0x400"
	guest_op touch, "first write to a page of memory, long mode only: 48, SVM 0x400"
	guest_op hlt, "HLT, to the VMM or (--timer-us) until the timer's interrupt: 12, SVM 0x78"
	guest_op vmcall, "VMCALL of an unknown hypercall: 18"
	guest_op vmmcall, "VMMCALL of an unknown hypercall: SVM 0x81"
	guest_op cr0, "MOV to CR0 that changes CR0.AM: 28, SVM 0x65"
	guest_op rdtsc, "RDTSC: no exit"
	guest_op nop, "nothing: no exit but the host's interrupts"
	guest_op leaves, "used by --read-leaves"
	.quad	0, 0, 0, 0, 0, 0
	.section .note.GNU-stack, "", @progbits
