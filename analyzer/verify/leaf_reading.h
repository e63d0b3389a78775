/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * leaf_reading.h - what guests read from their CPUID leaves, and which of it was imported before
 *
 * A file of readings may be imported twice, or again when its guest has written more. Some leaves
 * show a larger value at each reading: exits and time of all reasons, and those of CPUID itself. So
 * a part of the readings that is there once more, and has such a leaf, is the same part, or that of
 * another VM whose totals are the same.
 */
#ifndef EXITSCOPE_ANALYZER_VERIFY_LEAF_READING_H
#define EXITSCOPE_ANALYZER_VERIFY_LEAF_READING_H

#include <stdbool.h>
#include <stdint.h>

#define LEAF_CYCLES	   0x4ffffffe /* time of the exits of all reasons */
#define LEAF_REASON_CYCLES 0x4ffffffc /* time of the exits of the reason in ECX */

#define LEAF_EVERY -1 /* all reasons */

/*
 * @reason: LEAF_EVERY for the leaves of all reasons
 * @undefined: the guest got "not defined by the SDM"
 * @again: it and those around it are the same as earlier ones
 * @exit: the leaf_exit that is this reading, -1: none
 */
struct leaf_reading {
	int64_t leaf;
	int64_t reason;
	int64_t value;
	bool undefined;
	bool again;
	int exit;
};

/**
 * leaf_readings_find_again - set @again of all readings
 * @isa: of the run, KVM_EXIT_ISA_*
 *
 * Return: how many, or -1: no memory.
 */
int leaf_readings_find_again(struct leaf_reading *readings, int count, int isa);

#endif
