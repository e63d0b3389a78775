/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * order.h - the loads and stores of kvm/ring/exit_ring_core.h for BPF programs
 *
 * LLVM 14 has no atomic loads and stores for BPF. x86 keeps the order of loads and stores that
 * the compiler keeps, so a volatile access is an acquire or a release here.
 */
#ifndef EXITSCOPE_BPF_ORDER_H
#define EXITSCOPE_BPF_ORDER_H

#define exit_ring_load_acquire(p) (*(const volatile __typeof__(*(p)) *)(p))
#define exit_ring_store_release(p, v)                                                              \
	({                                                                                         \
		__asm__ volatile("" ::: "memory");                                                 \
		*(volatile __typeof__(*(p)) *)(p) = (v);                                           \
	})
#define exit_ring_store(p, v) (*(volatile __typeof__(*(p)) *)(p) = (v))
#define exit_ring_unlikely(x) __builtin_expect(!!(x), 0)
#define EXIT_RING_INLINE      static inline __attribute__((always_inline))

#endif
