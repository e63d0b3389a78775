/* SPDX-License-Identifier: GPL-2.0-only */
/* in_qemu.h - what the libraries inside QEMU share: its exported functions and variables */
#ifndef TESTBED_EMULATOR_IN_QEMU_H
#define TESTBED_EMULATOR_IN_QEMU_H

#include <stdbool.h>

/* False: not QEMU, but a program that has inherited LD_PRELOAD. */
bool in_qemu(void);

/*
 * qemu_symbol() - the address of what QEMU exports as @name
 * @library:	who asks, for the message
 *
 * A QEMU that lacks it ends, with status 1 and one line: no library may seem to do its work that
 * does not.
 */
void *qemu_symbol(const char *library, const char *name);

/* The same for what newer versions of QEMU call @newer_name. */
void *qemu_symbol_renamed(const char *library, const char *name, const char *newer_name);

#endif
