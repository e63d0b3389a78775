/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * linux/compiler.h - what exit_ring_core.h takes of the kernel's, for the proofs
 */
#define READ_ONCE(x)	 __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#define unlikely(x)	 (x)
#ifndef __always_inline
#define __always_inline inline
#endif
