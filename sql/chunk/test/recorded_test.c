// SPDX-License-Identifier: GPL-2.0-only
/* recorded_test.c - recorded boots come back bit for bit, and take few bytes */
#include <string.h>

#include "sql/chunk/chunk.h"
#include "sql/store/test/recorded.h"
#include "sql/test/check.h"

/* Most bytes an exit; where a TSC cycle is an instruction, times repeat. */
#define MOST_EMULATED 1.2
#define MOST_REAL     6.5

/* All records in chunks of @per; returns their bytes an exit. */
static double check_recording(const struct recording *recording, size_t per)
{
	static struct kvm_exit_record got[CHUNK_RECORDS_MAX];
	struct chunk_encoder *encoder = chunk_encoder_new(1);
	struct chunk_decoder *decoder = chunk_decoder_new();
	size_t all = 0;

	for (size_t at = 0; at < recording->count; at += per) {
		const struct kvm_exit_record *expected = recording->records + at;
		size_t count = recording->count - at < per ? recording->count - at : per;
		const unsigned char *data;
		size_t bytes;

		CHECK_EQ(chunk_encode(encoder, expected, count, &data, &bytes), 0);
		CHECK_EQ(chunk_open(decoder, data, bytes), 0);
		CHECK_EQ(chunk_count(decoder), count);
		CHECK_EQ(chunk_records(decoder, got), 0);
		CHECK_EQ(memcmp(got, expected, count * sizeof(*got)), 0);
		all += bytes;
	}

	chunk_encoder_free(encoder);
	chunk_decoder_free(decoder);
	return (double)all / (double)recording->count;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		double most = strstr(argv[i], "svm") ? MOST_REAL : MOST_EMULATED;
		struct recording recording;
		double bytes;

		if (recording_load(argv[i], &recording))
			return 1;
		check_recording(&recording, 777);
		bytes = check_recording(&recording, CHUNK_RECORDS_MAX);
		printf("%s: %zu records, %.2f bytes an exit\n", argv[i], recording.count, bytes);
		CHECK(bytes < most);
		recording_free(&recording);
	}
	return argc > 1 ? check_result() : 1;
}
