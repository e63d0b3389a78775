// SPDX-License-Identifier: GPL-2.0-only
/* make_chunk.c - make_chunk LEVEL <RECORDS >CHUNK: for tests and fuzz/make_seeds.py */
#include <stdio.h>
#include <stdlib.h>

#include "sql/chunk/chunk.h"

int main(int argc, char **argv)
{
	static struct kvm_exit_record records[CHUNK_RECORDS_MAX];
	struct chunk_encoder *encoder = chunk_encoder_new(argc > 1 ? atoi(argv[1]) : 1);
	size_t count = fread(records, sizeof(*records), CHUNK_RECORDS_MAX, stdin);
	const unsigned char *data;
	size_t bytes;

	if (!encoder || chunk_encode(encoder, records, count, &data, &bytes)) {
		fputs("make_chunk: no records, or no memory\n", stderr);
		return 1;
	}
	fwrite(data, 1, bytes, stdout);
	chunk_encoder_free(encoder);
	return 0;
}
