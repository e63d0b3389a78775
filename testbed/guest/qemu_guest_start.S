/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * qemu_guest_start.S - the first instructions of each vCPU of the guest for QEMU
 *
 * The first vCPU comes from the firmware as PVH says: at guest_start, in 32-bit protected mode
 * with flat segments, EBX = struct hvm_start_info. The others come from the trampoline, in real
 * mode. Both go on in long mode with 4 GiB mapped as they are, and call C.
 */
#include "testbed/guest/qemu_guest.h"

#define XEN_ELFNOTE_PHYS32_ENTRY 18

#define CODE32 0x08
#define DATA   0x10
#define CODE64 0x18

#define CR0_PE_PG  0x80000001
#define CR4_PAE	   0x20
#define MSR_EFER   0xc0000080
#define EFER_LME   0x100
#define TABLE	   0x003 /* present, writable */
#define LARGE_PAGE 0x083

.macro load_data_segments
	mov	$DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
.endm

	.section .note.pvh, "a", @note
	.balign	4
	.long	4, 8, XEN_ELFNOTE_PHYS32_ENTRY
	.asciz	"Xen"
	.quad	guest_start

	.text
	.code32
	.globl	guest_start
guest_start:
	cli
	lgdtl	gdt_pointer
	ljmpl	$CODE32, $1f
1:	load_data_segments

	/* 2,048 large pages in four tables, which one table above them points to. */
	xor	%ecx, %ecx
2:	mov	%ecx, %eax
	shl	$21, %eax
	or	$LARGE_PAGE, %eax
	mov	%eax, large_pages(, %ecx, 8)
	inc	%ecx
	cmp	$2048, %ecx
	jb	2b
	mov	$large_pages + TABLE, %eax
	mov	%eax, pointers
	add	$4096, %eax
	mov	%eax, pointers + 8
	add	$4096, %eax
	mov	%eax, pointers + 16
	add	$4096, %eax
	mov	%eax, pointers + 24
	movl	$pointers + TABLE, top_table

	mov	%ebx, start_info
	xor	%ebx, %ebx
	jmp	long_mode

ap_protected:
	load_data_segments
	mov	$1, %eax
	cpuid
	shr	$24, %ebx /* the initial APIC id */

/* EBX: the vCPU's APIC id */
long_mode:
	mov	%cr4, %eax
	or	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	$top_table, %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_LME, %eax
	wrmsr
	mov	%cr0, %eax
	or	$CR0_PE_PG, %eax
	mov	%eax, %cr0
	ljmpl	$CODE64, $1f

	.code64
1:	mov	%ebx, %edi
	lea	1(%rdi), %eax
	shl	$12, %eax /* GUEST_STACK_BYTES */
	lea	stacks(%rax), %rsp
	mov	start_info, %esi
	call	guest_main
	hlt

	.code16
	.globl	trampoline, trampoline_end
trampoline:
	cli
	mov	%cs, %ax
	mov	%ax, %ds
	lgdtl	trampoline_gdt - trampoline
	mov	%cr0, %eax
	or	$1, %eax
	mov	%eax, %cr0
	ljmpl	$CODE32, $ap_protected
trampoline_gdt:
	.word	gdt_end - gdt - 1
	.long	gdt
trampoline_end:

	.section .rodata
	.balign	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
	.quad	0x00af9b000000ffff
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt

	.bss
	.balign	4096
top_table:
	.skip	4096
pointers:
	.skip	4096
large_pages:
	.skip	4 * 4096
stacks:
	.skip	GUEST_VCPUS * GUEST_STACK_BYTES
start_info:
	.skip	8

	.section .note.GNU-stack, "", @progbits
