/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * output.h - whether what a program printed has arrived
 */
#ifndef EXITSCOPE_BASE_OUTPUT_H
#define EXITSCOPE_BASE_OUTPUT_H

#include <errno.h>
#include <stdio.h>

/*
 * Writes what @file still holds. A write that failed before, inside a printf(), counts too:
 * fflush() alone says nothing of it. Return: 0 or -errno; -EIO where the reason is not known any
 * more
 */
static inline int output_flush(FILE *file)
{
	if (!fflush(file) && !ferror(file))
		return 0;
	return errno ? -errno : -EIO;
}

#endif
