// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench.c - what a chunk takes and how fast chunks are made and read
 *
 *	bazel run -c opt //sql/chunk:bench [-- CAPTURE...]
 *
 * Each recording as it is, and repeated with noise on its times (see recorded.h), as on a machine
 * whose TSC is real. All figures are of one thread, chunks in memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sql/chunk/chunk.h"
#include "sql/chunk/format.h"
#include "sql/store/test/recorded.h"

#define LEVEL	    1
#define NOISY_COUNT (1U << 20)
#define ROUNDS	    5

struct chunks {
	unsigned char **data;
	size_t *bytes;
	size_t count;
	size_t all_bytes;
};

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

static void *check_memory(void *memory)
{
	if (!memory)
		fail("out of memory");
	return memory;
}

/* Records of one chunk: up to the most, of one vCPU. */
static size_t chunk_length(const struct kvm_exit_record *records, size_t count)
{
	size_t n = 0;

	while (n < count && n < CHUNK_RECORDS_MAX && records[n].vcpu_id == records->vcpu_id)
		n++;
	return n;
}

/* Makes all chunks once; returns the CPU seconds. @keep: where they go, or NULL. */
static double encode_all(struct chunk_encoder *encoder, const struct recording *recording,
			 struct chunks *keep)
{
	double start = cpu_seconds();
	size_t n;

	for (size_t i = 0; i < recording->count; i += n) {
		const unsigned char *data;
		size_t bytes;

		n = chunk_length(recording->records + i, recording->count - i);
		if (chunk_encode(encoder, recording->records + i, n, &data, &bytes))
			fail("can't encode");
		if (!keep)
			continue;

		keep->data[keep->count] = check_memory(malloc(bytes));
		memcpy(keep->data[keep->count], data, bytes);
		keep->bytes[keep->count++] = bytes;
		keep->all_bytes += bytes;
	}
	return cpu_seconds() - start;
}

/*
 * Questions to one chunk. Each returns a number of its answer, so that no work is left out.
 */

/* The sums by reason, as top-exits --exact has them. */
static uint64_t scan_reasons(struct chunk_decoder *decoder)
{
	static uint64_t cycles[CHUNK_RECORDS_MAX];
	const uint64_t *places, *reasons, *column;
	uint32_t tuples;

	if (chunk_dictionary(decoder, CHUNK_REASON, &places, &reasons, &tuples) ||
	    chunk_column(decoder, CHUNK_CYCLES, &column))
		fail("damaged");
	for (uint32_t i = 0; i < chunk_count(decoder); i++)
		cycles[places[i]] += column[i];
	return reasons[0];
}

/* The sums by guest RIP. */
static uint64_t scan_rips(struct chunk_decoder *decoder)
{
	static uint64_t cycles[CHUNK_RECORDS_MAX];
	const uint64_t *places, *rips, *column;
	uint32_t count;

	if (chunk_dictionary(decoder, CHUNK_GUEST_RIP, &places, &rips, &count) ||
	    chunk_column(decoder, CHUNK_CYCLES, &column))
		fail("damaged");
	for (uint32_t i = 0; i < chunk_count(decoder); i++)
		cycles[places[i]] += column[i];
	return rips[0];
}

/* Sub-keys, and when they came. */
static uint64_t scan_keys(struct chunk_decoder *decoder)
{
	const uint64_t *keys, *tsc;
	uint64_t mixed = 0;

	if (chunk_column(decoder, CHUNK_KEY, &keys) || chunk_column(decoder, CHUNK_TSC, &tsc))
		fail("damaged");
	for (uint32_t i = 0; i < chunk_count(decoder); i++)
		mixed += keys[i] ^ tsc[i];
	return mixed;
}

static uint64_t scan_records(struct chunk_decoder *decoder)
{
	static struct kvm_exit_record records[CHUNK_RECORDS_MAX];

	if (chunk_records(decoder, records))
		fail("damaged");
	return records[0].tsc;
}

/* The fastest of some rounds, in million exits per CPU second. */
static double scan_rate(const struct chunks *chunks, size_t records,
			uint64_t (*scan)(struct chunk_decoder *decoder))
{
	struct chunk_decoder *decoder = check_memory(chunk_decoder_new());
	uint64_t first = 0;
	double best = 0;

	for (int round = 0; round < ROUNDS; round++) {
		double start = cpu_seconds();
		uint64_t answer = 0;
		double rate;

		for (size_t i = 0; i < chunks->count; i++) {
			if (chunk_open(decoder, chunks->data[i], chunks->bytes[i]))
				fail("damaged");
			answer += scan(decoder);
		}
		rate = (double)records / (cpu_seconds() - start) / 1e6;
		best = rate > best ? rate : best;

		if (round && answer != first)
			fail("the same question has two answers");
		first = answer;
	}
	chunk_decoder_free(decoder);
	return best;
}

/* What the streams take, in bytes an exit. */
static void print_streams(const struct chunks *chunks, size_t records)
{
	double bytes[256] = {0};

	for (size_t i = 0; i < chunks->count; i++) {
		const unsigned char *data = chunks->data[i];
		const unsigned char *entry = data + CHUNK_AT_DIRECTORY;

		for (int n = chunk_get16(data + CHUNK_AT_STREAMS); n;
		     n--, entry += CHUNK_ENTRY_BYTES)
			bytes[*entry] += chunk_get32(entry + 4) + chunk_get32(entry + 8);
	}

	printf("  bytes an exit:");
	for (int i = 0; i < 256; i++) {
		const char *name = i < CHUNK_FIELDS	   ? chunk_fields[i].name
				   : i == CHUNK_STREAM_RIP ? "place of rip"
							   : "place of tuple";

		if (bytes[i] / (double)records >= 0.005)
			printf(" %s %.2f", name, bytes[i] / (double)records);
	}
	putchar('\n');
}

static void measure(const char *name, const struct recording *recording)
{
	struct chunk_encoder *encoder = check_memory(chunk_encoder_new(LEVEL));
	struct chunks chunks = {
		.data = check_memory(calloc(recording->count, sizeof(*chunks.data))),
		.bytes = check_memory(calloc(recording->count, sizeof(*chunks.bytes))),
	};
	double records = (double)recording->count;
	double seconds;

	encode_all(encoder, recording, &chunks);
	seconds = encode_all(encoder, recording, NULL);
	for (int round = 1; round < ROUNDS; round++) {
		double again = encode_all(encoder, recording, NULL);

		seconds = again < seconds ? again : seconds;
	}

	printf("%-24s %9zu %7.2f %7.1f %8.1f %8.1f %8.1f %8.1f\n", name, recording->count,
	       (double)chunks.all_bytes / records, records / seconds / 1e6,
	       scan_rate(&chunks, recording->count, scan_reasons),
	       scan_rate(&chunks, recording->count, scan_rips),
	       scan_rate(&chunks, recording->count, scan_keys),
	       scan_rate(&chunks, recording->count, scan_records));
	print_streams(&chunks, recording->count);

	for (size_t i = 0; i < chunks.count; i++)
		free(chunks.data[i]);
	free(chunks.data);
	free(chunks.bytes);
	chunk_encoder_free(encoder);
}

/* The recording as one vCPU that repeats it with noise. */
static void measure_noisy(const char *name, const struct recording *recording)
{
	struct recording noisy = *recording;
	struct repeat repeat;

	noisy.count = NOISY_COUNT;
	noisy.records = check_memory(malloc(noisy.count * sizeof(*noisy.records)));
	repeat_init(&repeat, recording, 1);
	repeat_fill(&repeat, noisy.records, noisy.count);
	measure(name, &noisy);
	free(noisy.records);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fputs("usage: bench CAPTURE.cap[.gz]...\n", stderr);
		return 2;
	}

	printf("%-24s %9s %7s %7s %35s\n", "", "", "bytes/", "encode", "scan, M exits per CPU s");
	printf("%-24s %9s %7s %7s %8s %8s %8s %8s\n", "records of", "records", "exit", "M/CPU s",
	       "reasons", "rips", "keys+tsc", "all");
	for (int i = 1; i < argc; i++) {
		struct recording recording;
		const char *base = strrchr(argv[i], '/');
		char name[64];

		if (recording_load(argv[i], &recording))
			return 1;
		base = base ? base + 1 : argv[i];
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(base, "."), base);
		measure(name, &recording);
		strncat(name, ", noise", sizeof(name) - strlen(name) - 1);
		measure_noisy(name, &recording);
		recording_free(&recording);
	}
	return 0;
}
