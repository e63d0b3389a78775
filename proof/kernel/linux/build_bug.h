/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * linux/build_bug.h - the kernel's static_assert(), for the proofs: C11 has one
 */
#include <assert.h>
