/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * meaning.h - what a sub-key is: names of MSRs, ports, vectors, CPUID leaves, hypercalls
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_GUEST_MEANING_H
#define EXITSCOPE_ANALYZER_QUERY_GUEST_MEANING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * meaning_of_key - the name of what an exit was about
 * @isa: 1 VMX, 2 SVM
 * @reason: basic reason or exit code
 * @key, @aux: as in kvm/uapi/kvm_exit_ring.h
 * @text: holds it
 *
 * MSRs are called as in the kernel's msr-index.h without MSR_, ports by the device that a PC
 * has there (a VM may have another). Hypercalls are named as KVM and Xen number them; see
 * hypercalls.h for guests of Hyper-V. Return: @text, or NULL: no name is known.
 */
const char *meaning_of_key(int isa, int64_t reason, int64_t key, int64_t aux, char *text,
			   size_t bytes);

/* Whether a reason's key is a guest-physical address, or the number of a hypercall. */
bool meaning_is_address(int isa, int64_t reason);
bool meaning_is_hypercall(int isa, int64_t reason);

/* What a PC has at a fixed address, and from where to where; NULL: nothing. */
const char *meaning_of_address(uint64_t address, uint64_t *first, uint64_t *last);

/* What a Linux guest uses an interrupt vector for (irq_vectors.h), or the exception; NULL: unknown.
 */
const char *meaning_of_guest_vector(int vector);

#endif
