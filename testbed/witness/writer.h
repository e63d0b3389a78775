/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * writer.h - what the libraries inside the two emulators share
 *
 * Any failure ends the emulator with one line on stderr: a boot without its witness must not
 * pass for one that was observed. Both emulators run all CPUs in one thread: no locks here.
 */
#ifndef TESTBED_WITNESS_WRITER_H
#define TESTBED_WITNESS_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "testbed/witness/witness.h"

#define WITNESS_MAX_CPUS 16U

/* Ends the emulator: "witness: WHAT" on stderr, status 1. */
_Noreturn void witness_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Returns the address of the emulator's exported symbol @name; ends the emulator if it has none. */
void *witness_symbol(const char *name);

/* Makes every call of @function, which has at least 14 bytes of code, one of @to. */
void witness_replace(void *function, void *to);

/* Creates the file that the environment variable WITNESS_FILE names. */
void witness_create(uint32_t isa);

/* Stores what is known only once the machine is made; to be called before the first exit. */
void witness_describe(bool exact, uint32_t late, uint32_t cpus);

/* Appends @exit to the file. */
void witness_append(const struct witness_exit *exit);

/* Counts an entry or an exit that came without its other half. */
void witness_unpaired(void);

#endif
