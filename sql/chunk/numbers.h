/* SPDX-License-Identifier: GPL-2.0-only */
/* numbers.h - numbers as widths and bytes, the two parts of a stream (see chunk.h) */
#ifndef EXITSCOPE_SQL_CHUNK_NUMBERS_H
#define EXITSCOPE_SQL_CHUNK_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

#define NUMBERS_MAX 16384U

/* Numbers are stored 8 bytes at once and loaded in twos, widths 16 bytes at once. */
#define NUMBERS_SLACK 16U

#define NUMBERS_WIDTHS_BYTES(count) (((size_t)(count) + 1) / 2)
#define NUMBERS_BYTES_MAX	    (NUMBERS_MAX * sizeof(uint64_t))

/* A stream that is written; @widths and @bytes have room for NUMBERS_MAX numbers and the slack. */
struct numbers {
	unsigned char *widths;
	unsigned char *bytes; /* @used of them are */
	size_t used;
	size_t count;
	uint64_t any; /* 0: all were 0 so far, and neither part was written */
};

/* Return 0 or -ENOMEM; in both cases numbers_free() may follow. */
int numbers_init(struct numbers *numbers);
void numbers_free(struct numbers *numbers);
void numbers_clear(struct numbers *numbers);

/* Append; never more than NUMBERS_MAX in all. */
void numbers_put_zeros(struct numbers *numbers, size_t count);
void numbers_put(struct numbers *numbers, const uint64_t *values, size_t count);

/*
 * numbers_bytes() - how many bytes the numbers of @count widths have
 * @widths: NUMBERS_WIDTHS_BYTES(@count) and NUMBERS_SLACK bytes; the latter are overwritten
 *
 * Return: up to 8 * @count; SIZE_MAX: a width is above 8, or the half after the last is not 0.
 */
size_t numbers_bytes(unsigned char *widths, size_t count);

/* Read numbers whose widths were checked: @bytes are numbers_bytes() and NUMBERS_SLACK. */
void numbers_get(uint64_t *values, size_t count, const unsigned char *widths,
		 const unsigned char *bytes);

/* The same on a CPU without SSSE3; nearly all CPUs with VMX or SVM have it. */
void numbers_get_plain(uint64_t *values, size_t count, const unsigned char *widths,
		       const unsigned char *bytes);

#endif
