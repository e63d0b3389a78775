/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * asm/barrier.h - the kernel's barriers for the proofs: the same checks as of user space
 */
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
