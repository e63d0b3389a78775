// SPDX-License-Identifier: GPL-2.0-only
/* replay.c - runs a fuzz target once on each file that is named (NAME.gz: on what it unpacks to) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fuzz/input.h"

/* Inputs are small; what is longer is not one. */
#define INPUT_MAX (16U << 20)

/* The content of a file, for free(). */
static unsigned char *read_input(const char *path, size_t *size)
{
	const char *end = strrchr(path, '.');
	bool packed = end && !strcmp(end, ".gz");
	unsigned char *data = malloc(INPUT_MAX);
	int got = -1;

	if (packed) {
		gzFile file = gzopen(path, "rb");

		if (file && data)
			got = gzread(file, data, INPUT_MAX);
		if (file)
			gzclose(file);
	} else {
		FILE *file = fopen(path, "rb");

		if (file && data)
			got = (int)fread(data, 1, INPUT_MAX, file);
		if (file)
			fclose(file);
	}

	if (got < 0 || got == INPUT_MAX) {
		free(data);
		return NULL;
	}
	*size = (size_t)got;
	return data;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		size_t size;
		unsigned char *read = read_input(argv[i], &size);
		unsigned char *data = read ? malloc(size ? size : 1) : NULL;

		if (!data) {
			fprintf(stderr, "%s: can't be read\n", argv[i]);
			return 1;
		}

		/* A copy of just that size: what is read after its end is seen. */
		memcpy(data, read, size);
		free(read);
		fprintf(stderr, "%s\n", argv[i]);
		LLVMFuzzerTestOneInput(data, size);
		free(data);
	}
	printf("%d inputs\n", argc - 1);
	return argc > 1 ? 0 : 1;
}
