/* SPDX-License-Identifier: GPL-2.0-only */
/* qemu_guest.h - what the guest for QEMU consists of, for C and assembly */
#ifndef TESTBED_GUEST_QEMU_GUEST_H
#define TESTBED_GUEST_QEMU_GUEST_H

#define GUEST_VCPUS	  16
#define GUEST_STACK_BYTES 4096

/* Where vCPUs other than the first begin, in real mode: a page below 1 MiB. */
#define GUEST_TRAMPOLINE 0x8000

#endif
