// SPDX-License-Identifier: GPL-2.0-only
/*
 * hist_text_test.c - histograms come back from their texts, in C, as a table-valued function and
 * in the plain SQL of the view; damaged texts do no harm
 */
#include "sql/hist_text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sql/functions.h"
#include "sql/test/check.h"
#include "sql/text.h"

static char text[HIST_TEXT_BYTES];

/* A run with one vCPU. */
static const char one_vcpu[] =
	"INSERT INTO run (id, label, source, isa, tsc_khz, tsc_start, started_ns, rollup_cycles,"
	" hist_cycles, collector) VALUES (1, '', 'device', 1, 1000, 0, 0, 1000, 1000, '');"
	"INSERT INTO vm (id, run_id, kvm_vm_id, tgid) VALUES (1, 1, 1, 1);"
	"INSERT INTO vcpu (id, vm_id, vcpu_id, ring_id) VALUES (1, 1, 0, 1);";

static sqlite3 *open_views(void)
{
	sqlite3 *db = NULL;

	CHECK_EQ(sqlite3_open(":memory:", &db), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(db, sql_schema, NULL, NULL, NULL), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(db, sql_views, NULL, NULL, NULL), SQLITE_OK);
	CHECK_EQ(functions_register(db), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(db, one_vcpu, NULL, NULL, NULL), SQLITE_OK);
	return db;
}

/* Makes @bytes of the text the only histogram of the database. */
static void store_text(sqlite3 *db, uint32_t bytes)
{
	static const char sql[] = "REPLACE INTO exit_hist_packed VALUES (1, 2, 3, ?, NULL)";
	sqlite3_stmt *stmt = NULL;

	CHECK_EQ(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	sqlite3_bind_text(stmt, 1, text, (int)bytes, SQLITE_STATIC);
	CHECK_EQ(sqlite3_step(stmt), SQLITE_DONE);
	sqlite3_finalize(stmt);
}

/* Reads rows (bucket, n) of @sql, with @bytes of the text as ?1; whether they are those of @n. */
static bool rows_equal(sqlite3 *db, const char *sql, uint32_t bytes, const uint64_t *n)
{
	uint64_t read[HIST_BUCKETS] = {0};
	sqlite3_stmt *stmt = NULL;
	int rc;

	CHECK_EQ(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	sqlite3_bind_text(stmt, 1, text, (int)bytes, SQLITE_STATIC);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		sqlite3_int64 bucket = sqlite3_column_int64(stmt, 0);

		CHECK(bucket >= 0 && bucket < HIST_BUCKETS && !read[bucket]);
		read[bucket] = (uint64_t)sqlite3_column_int64(stmt, 1);
	}
	CHECK_EQ(rc, SQLITE_DONE);
	sqlite3_finalize(stmt);
	return !memcmp(read, n, sizeof(read));
}

/* The three readers agree with @n. */
static void check_round_trip(sqlite3 *db, const uint64_t n[HIST_BUCKETS])
{
	uint32_t bytes = hist_text_write(n, text);
	uint64_t read[HIST_BUCKETS] = {0};
	struct hist_text reader;
	uint32_t bucket;
	uint64_t count;
	int found;

	CHECK(bytes <= HIST_TEXT_BYTES);
	hist_text_begin(&reader, text, bytes);
	while ((found = hist_text_next(&reader, &bucket, &count)) > 0)
		read[bucket] = count;
	CHECK_EQ(found, 0);
	CHECK(!memcmp(read, n, sizeof(read)));

	CHECK(rows_equal(db, "SELECT bucket, n FROM hist_buckets(?)", bytes, n));
	store_text(db, bytes);
	CHECK(rows_equal(db, "SELECT bucket, n FROM interval_histograms WHERE part = 0", 0, n));
	CHECK(rows_equal(db, "SELECT bucket, n FROM interval_histograms WHERE part = 1", 0, n));
}

static void test_edges(sqlite3 *db)
{
	static const uint64_t counts[] = {
		1, 46, 47, 48, 990, 2047, 2048, 8388607, 8388608, UINT64_C(1) << 40, INT64_MAX};
	static const uint32_t places[] = {
		0, 1, 47, 48, 990, 991, 2046, 2047, 2048, 3000, HIST_BUCKETS - 1};
	uint64_t n[HIST_BUCKETS] = {0};

	check_round_trip(db, n);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		for (size_t k = 0; k < sizeof(counts) / sizeof(*counts); k++) {
			memset(n, 0, sizeof(n));
			n[places[i]] = counts[k];
			check_round_trip(db, n);
		}
	}
	for (uint32_t i = 0; i < HIST_BUCKETS; i++)
		n[i] = 1 + i * 1000;
	check_round_trip(db, n);
}

static void test_random(sqlite3 *db)
{
	uint64_t n[HIST_BUCKETS];

	srandom(1);
	for (int round = 0; round < 20; round++) {
		uint32_t one_in = 1 + (uint32_t)random() % 400;

		for (uint32_t i = 0; i < HIST_BUCKETS; i++)
			n[i] = random() % one_in ? 0 : 1 + ((uint64_t)random() >> random() % 31);
		check_round_trip(db, n);
	}
}

/* What the format is, byte by byte. */
static void test_form(void)
{
	const uint64_t n[HIST_BUCKETS] = {2, 0, 47, 48, [10] = 4096};
	/* 5; skip 1; 95 as U+00A1; 97 as U+00A3; skip 6; high 2; 1 */
	static const char expected[] = "%\"\xc2\xa1\xc2\xa3,\xe1\x81\x84!";

	CHECK_EQ(hist_text_write(n, text), sizeof(expected) - 1);
	CHECK(!memcmp(text, expected, sizeof(expected) - 1));
}

/* Random bytes end, stay within the buckets, and the function says that they are damaged. */
static void test_damaged(sqlite3 *db)
{
	static const char *const damaged[] = {"\x01",	  "\x7f",	  "\xc2",
					      "\xc0\x80", "\xe0\x80",	  "\xff",
					      "\xc2\x80", "\xef\xbf\xbd", "\xf0\x9f\x98\x80"};
	struct hist_text reader;
	uint32_t bucket;
	uint64_t n;

	for (size_t i = 0; i < sizeof(damaged) / sizeof(*damaged); i++) {
		sqlite3_stmt *stmt = NULL;

		hist_text_begin(&reader, damaged[i], (uint32_t)strlen(damaged[i]));
		CHECK_EQ(hist_text_next(&reader, &bucket, &n), -1);

		sqlite3_prepare_v2(db, "SELECT * FROM hist_buckets(?)", -1, &stmt, NULL);
		sqlite3_bind_text(stmt, 1, damaged[i], -1, SQLITE_STATIC);
		CHECK_EQ(sqlite3_step(stmt), SQLITE_CORRUPT);
		sqlite3_finalize(stmt);
	}

	for (int round = 0; round < 100000; round++) {
		char bytes[24];
		uint32_t size = (uint32_t)random() % sizeof(bytes);

		for (uint32_t i = 0; i < size; i++)
			bytes[i] = (char)(random() >> 8);
		hist_text_begin(&reader, bytes, size);
		while (hist_text_next(&reader, &bucket, &n) > 0)
			CHECK(bucket < HIST_BUCKETS);
	}
}

static int count_steps(void *steps)
{
	return ++*(int *)steps > 1000;
}

/*
 * A forged file has anything in place of a text, and as long as it likes: plain SQL ends as well.
 * STRICT is not checked when a page is read, so the table here has no types.
 */
static void test_forged(void)
{
	static const char forged[] =
		"DROP TABLE exit_hist_packed;"
		"CREATE TABLE exit_hist_packed (vcpu, slot, reason, cycles, handler_cycles);"
		"INSERT INTO exit_hist_packed VALUES (1, 0, 10, x'2122', x''), (1, 1, 10, 5, 1.5),"
		" (1, 2, 10, char(65, 0, 65), NULL), (1, 3, 10, printf('%400000s', ''), NULL)";
	static const char *const sql[] = {"SELECT count(*) FROM interval_histograms",
					  "SELECT count(*) FROM histograms"};
	sqlite3 *db = open_views();
	int steps = 0;

	CHECK_EQ(sqlite3_exec(db, forged, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_progress_handler(db, 10000, count_steps, &steps);
	for (size_t i = 0; i < sizeof(sql) / sizeof(*sql); i++) {
		steps = 0;
		CHECK_EQ(sqlite3_exec(db, sql[i], NULL, NULL, NULL), SQLITE_OK);
	}
	sqlite3_close(db);
}

int main(void)
{
	sqlite3 *db = open_views();

	test_edges(db);
	test_random(db);
	test_form();
	test_damaged(db);
	test_forged();
	sqlite3_close(db);
	return check_result();
}
