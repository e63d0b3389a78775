/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * input.h - what all fuzz targets share
 *
 * A target defines LLVMFuzzerTestOneInput(), which runs one input. libFuzzer calls it with made-up
 * inputs, replay.c with those in corpus/.
 */
#ifndef EXITSCOPE_FUZZ_INPUT_H
#define EXITSCOPE_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "collector/source/source.h"

/* Run one input; return 0. Whatever is wrong ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The path of a file with that content, the same at each call. It never blocks. */
const char *input_file(const uint8_t *data, size_t size);

/* End the process with a message if @ok is false. */
#define INPUT_CHECK(ok) input_check(ok, #ok, __FILE__, __LINE__)
void input_check(bool ok, const char *text, const char *file, int line);

/*
 * input_read_source - read all that a source gives, then close it
 * @source: not NULL
 * @made: it makes the records itself, of events
 *
 * Checks what every source promises: vCPUs are announced in order, nothing of a vCPU comes after
 * its end. Records that were made are in the order of their seq, and those of a vCPU take no
 * longer than the run; those of a capture file are as they are, the store checks them. Return 0 or
 * the error that it ended with.
 */
int input_read_source(struct source *source, bool made);

#endif
