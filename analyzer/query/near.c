// SPDX-License-Identifier: GPL-2.0-only
/*
 * near.c - what a mistyped name may have meant; see near.h
 */
#include "analyzer/query/near.h"

#include <ctype.h>
#include <string.h>

#define LONGEST 48 /* letters; longer words are not compared */

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Edit distance with swaps of neighbours: three rows of the usual table. */
static unsigned int distance_of(const char *a, const char *b)
{
	size_t rows = strlen(a), columns = strlen(b);
	unsigned int table[3][LONGEST + 1];

	for (size_t j = 0; j <= columns; j++)
		table[0][j] = (unsigned int)j;

	for (size_t i = 1; i <= rows; i++) {
		unsigned int *row = table[i % 3], *before = table[(i + 2) % 3];
		const unsigned int *two_before = table[(i + 1) % 3];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= columns; j++) {
			int x = tolower((unsigned char)a[i - 1]),
			    y = tolower((unsigned char)b[j - 1]);

			row[j] = least(before[j - 1] + (x != y), least(before[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
			    y == tolower((unsigned char)a[i - 2]))
				row[j] = least(row[j], two_before[j - 2] + 1);
		}
	}
	return table[rows % 3][columns];
}

void near_best(const char *typed, const char *name, const char **best, unsigned int *distance)
{
	size_t letters = strlen(typed);
	unsigned int d;

	if (letters < 3 || letters > LONGEST || strlen(name) > LONGEST)
		return;

	d = distance_of(typed, name);
	if (d < *distance && 3 * d <= letters) {
		*best = name;
		*distance = d;
	}
}
