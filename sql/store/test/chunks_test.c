// SPDX-License-Identifier: GPL-2.0-only
/* chunks_test.c - a run with chunks: every exit comes back, at every flush, and old ones go */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "sql/chunk/chunk.h"
#include "sql/store/test/fixture.h"

/* The chunks of a file, in the order of their ids, must be these exits of one vCPU. */
struct expected {
	struct kvm_exit_record *records;
	size_t count;
};

static struct kvm_exit_record *allocate(size_t count)
{
	struct kvm_exit_record *room = malloc(count * sizeof(*room));

	if (!room)
		abort();
	return room;
}

/* Compares the exits of vCPU @vcpu_id that the file has with the first @count of @expected. */
static void check_file(const char *path, int vcpu_id, const struct expected *expected)
{
	static struct kvm_exit_record got[CHUNK_RECORDS_MAX];
	static const char sql[] =
		"SELECT e.data, e.n, e.first_seq, e.last_seq, e.first_tsc, e.last_tsc FROM exit_chunk e JOIN vcpu c ON c.id = e.vcpu WHERE c.vcpu_id = ? ORDER BY e.id";
	struct chunk_decoder *decoder = chunk_decoder_new();
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;
	size_t at = 0;

	CHECK_EQ(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), 0);
	CHECK_EQ(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), 0);
	sqlite3_bind_int(stmt, 1, vcpu_id);

	while (sqlite3_step(stmt) == SQLITE_ROW) {
		size_t n = (size_t)sqlite3_column_int64(stmt, 1);

		CHECK_EQ(chunk_open(decoder, sqlite3_column_blob(stmt, 0),
				    (size_t)sqlite3_column_bytes(stmt, 0)),
			 0);
		CHECK_EQ(chunk_count(decoder), n);
		CHECK_EQ(chunk_records(decoder, got), 0);
		CHECK(at + n <= expected->count);
		CHECK(!memcmp(got, expected->records + at, n * sizeof(*got)));
		CHECK_EQ(sqlite3_column_int64(stmt, 2), got[0].seq);
		CHECK_EQ(sqlite3_column_int64(stmt, 3), got[n - 1].seq);
		CHECK(sqlite3_column_int64(stmt, 4) <= (int64_t)got[0].tsc);
		CHECK(sqlite3_column_int64(stmt, 5) >= (int64_t)got[n - 1].tsc);
		at += n;
	}
	CHECK_EQ(at, expected->count);

	sqlite3_finalize(stmt);
	sqlite3_close(db);
	chunk_decoder_free(decoder);
}

static struct store *open_compact(const char *path, uint64_t keep_cycles)
{
	struct store_run run = test_run;
	struct store *store = NULL;

	run.compact = true;
	run.keep_cycles = keep_cycles;
	CHECK_EQ(store_open(path, &store), 0);
	CHECK_EQ(store_begin(store, &run), 0);
	return store;
}

static void finish(struct store *store)
{
	CHECK_EQ(store_finish(store, "complete", SYNTHETIC_TSC_START + 1000, 2), 0);
	store_close(store);
}

static const char most_pieces[] =
	"SELECT coalesce(max(pieces), 0) FROM (SELECT count(*) AS pieces FROM exit_chunk WHERE n < 16384 GROUP BY vcpu)";

/* @most: records between two flushes, up to which there are any number. */
static void test_every_flush(const char *path, uint64_t most, size_t count)
{
	struct expected expected[2] = {{allocate(count), 0}, {allocate(count), 0}};
	struct store *store = open_compact(path, 0);
	struct synthetic s[2];
	uint64_t random = most;
	int vcpu[2];

	for (int i = 0; i < 2; i++) {
		vcpu[i] = add_vcpu(store, (uint32_t)i);
		synthetic_init(&s[i], (uint32_t)i, most);
		s[i].lose_one_in = 50;
	}

	while (expected[0].count < count) {
		for (int i = 0; i < 2; i++) {
			size_t some = 1 + random_next(&random) % most;
			struct kvm_exit_record *more = expected[i].records + expected[i].count;

			if (some > count - expected[i].count)
				some = count - expected[i].count;
			synthetic_fill(&s[i], more, some);
			CHECK_EQ(store_append(store, vcpu[i], more, some), 0);
			expected[i].count += some;
		}
		CHECK_EQ(store_flush(store), 0);

		/* What a reader finds is what a killed writer leaves. */
		if (random_next(&random) % 16 == 0) {
			check_file(path, 0, &expected[0]);
			check_file(path, 1, &expected[1]);
		}
		CHECK(query(path, most_pieces) <= 36);
	}
	finish(store);

	for (int i = 0; i < 2; i++) {
		check_file(path, i, &expected[i]);
		free(expected[i].records);
	}
	CHECK(query(path, most_pieces) <= 1);
	CHECK_EQ(query(path, "SELECT sum(recorded) - (SELECT sum(n) FROM exit_chunk) FROM vcpu"),
		 0);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit"), 0);
	CHECK_EQ(query(path, "SELECT count(*) FROM run WHERE has_raw = 1"), 1);
}

/* More vCPUs than may fill their chunks at the same time, and a vCPU that ends before the others.
 */
static void test_many_vcpus(void)
{
	enum { VCPUS = 40, EACH = 6000 };

	const char *path = test_path("many.sqlite");
	struct expected expected[VCPUS];
	struct store *store = open_compact(path, 0);
	struct store_vcpu_end end = {.ended = 1, .end_seq = EACH};
	struct synthetic s;

	for (uint32_t i = 0; i < VCPUS; i++) {
		expected[i] = (struct expected){allocate(EACH), EACH};
		synthetic_init(&s, i, 1);
		synthetic_fill(&s, expected[i].records, EACH);
		CHECK_EQ(add_vcpu(store, i), i);
	}
	for (size_t at = 0; at < EACH; at += 1000) {
		for (int i = 0; i < VCPUS; i++)
			CHECK_EQ(store_append(store, i, expected[i].records + at, 1000), 0);
	}
	CHECK_EQ(store_end_vcpu(store, 3, &end), 0);
	finish(store);

	for (int i = 0; i < VCPUS; i++) {
		check_file(path, i, &expected[i]);
		free(expected[i].records);
	}
	/* Memory was short, yet no chunk is small. */
	CHECK(query(path, "SELECT count(*) FROM exit_chunk") <= 2 * VCPUS);
}

/* --keep-raw: the exits of the last second of ten are there, and few older ones. */
static void test_keep(void)
{
	const char *path = test_path("keep.sqlite");
	struct store *store = open_compact(path, SYNTHETIC_TSC_KHZ * 1000ULL);
	struct synthetic s;
	int vcpu = add_vcpu(store, 0);

	synthetic_init(&s, 0, 1);
	for (int i = 0; i < 100; i++) {
		s.tsc += SYNTHETIC_TSC_KHZ * 100ULL;
		fill(store, &s, vcpu, 2000);
		CHECK_EQ(store_flush(store), 0);
	}
	finish(store);

	CHECK_EQ(query(path, "SELECT has_raw FROM run"), 2);
	CHECK_EQ(query(path, "SELECT sum(n) FROM exit_rollup"), 200000);
	CHECK(query(path, "SELECT sum(n) FROM exit_chunk") >= 18000);
	CHECK(query(path, "SELECT sum(n) FROM exit_chunk") <= 20000 + 2 * 16384);
	CHECK_EQ(query(path, "SELECT max(last_seq) FROM exit_chunk"), 199999);
}

/* Runs of one file have ids of their own; one that is discarded leaves none. */
static void test_runs(void)
{
	const char *path = test_path("runs.sqlite");
	struct store_run no_rows = test_run;
	struct store *store;
	struct synthetic s;

	for (int i = 0; i < 2; i++) {
		store = open_compact(path, 0);
		synthetic_init(&s, 0, 1);
		fill(store, &s, add_vcpu(store, 0), 20000);
		CHECK_EQ(store_flush(store), 0);
		if (i)
			CHECK_EQ(store_discard(store), 0);
		else
			CHECK_EQ(store_finish(store, "complete", 0, 2), 0);
		store_close(store);
		CHECK_EQ(query(path, "SELECT sum(n) FROM exit_chunk"), 20000);
		CHECK_EQ(query(path, "SELECT max(id) FROM exit_chunk"), 2);
	}

	no_rows.raw = false;
	no_rows.compact = true;
	CHECK_EQ(store_open(path, &store), 0);
	CHECK_EQ(store_begin(store, &no_rows), -EINVAL);
	store_close(store);

	/* Somebody left no ids for us. */
	query(path, "INSERT INTO exit_chunk VALUES (281474976710656, 1, 1, 0, 0, 0, 0, x'00')");
	no_rows.raw = true;
	CHECK_EQ(store_open(path, &store), 0);
	CHECK_EQ(store_begin(store, &no_rows), SQLITE_CORRUPT);
	store_close(store);
}

/* While a reader holds the file, exits wait as encoded chunks; all are there in the end. */
static void test_locked(void)
{
	enum { COUNT = 100000 };

	const char *path = test_path("locked.sqlite");
	struct expected expected = {allocate(COUNT), COUNT};
	struct store *store = open_compact(path, 0);
	struct synthetic s;
	sqlite3 *other = NULL;
	int vcpu = add_vcpu(store, 0);

	CHECK_EQ(store_flush(store), 0);
	CHECK_EQ(sqlite3_open_v2(path, &other, SQLITE_OPEN_READWRITE, NULL), 0);
	CHECK_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), 0);

	synthetic_init(&s, 0, 1);
	synthetic_fill(&s, expected.records, COUNT);
	for (size_t at = 0; at < COUNT; at += 10000) {
		CHECK_EQ(store_append(store, vcpu, expected.records + at, 10000), 0);
		CHECK_EQ(store_flush(store), 0);
	}
	CHECK_EQ(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), 0);
	sqlite3_close(other);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit_chunk"), 0);

	CHECK_EQ(store_flush(store), 0);
	check_file(path, 0, &expected);
	finish(store);
	check_file(path, 0, &expected);
	free(expected.records);
}

int main(void)
{
	static char path[3][4200];

	for (int i = 0; i < 3; i++)
		snprintf(path[i], sizeof(path[i]), "%s.%d", test_path("flushes.sqlite"), i);
	test_every_flush(path[0], 60, 18000);
	test_every_flush(path[1], 700, 70000);
	test_every_flush(path[2], 30000, 200000);
	test_many_vcpus();
	test_keep();
	test_runs();
	test_locked();
	return check_result();
}
