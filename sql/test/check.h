/* SPDX-License-Identifier: GPL-2.0-only */
/* check.h - CHECK() and what tests of databases share */
#ifndef EXITSCOPE_SQL_TEST_CHECK_H
#define EXITSCOPE_SQL_TEST_CHECK_H

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int check_failures;

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);  \
			check_failures++;                                                          \
		}                                                                                  \
	} while (0)

#define CHECK_EQ(a, b)                                                                             \
	do {                                                                                       \
		long long a_ = (long long)(a), b_ = (long long)(b);                                \
		if (a_ != b_) {                                                                    \
			fprintf(stderr, "%s:%d: %s = %lld, not %s = %lld\n", __FILE__, __LINE__,   \
				#a, a_, #b, b_);                                                   \
			check_failures++;                                                          \
		}                                                                                  \
	} while (0)

/* The number that a query gives; INT64_MIN if it gives none. */
static inline int64_t query(const char *path, const char *sql)
{
	int64_t value = INT64_MIN;
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;

	if (!sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) &&
	    !sqlite3_prepare_v2(db, sql, -1, &stmt, NULL)) {
		if (sqlite3_step(stmt) == SQLITE_ROW)
			value = sqlite3_column_int64(stmt, 0);
	} else {
		fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
	}
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return value;
}

/* A name in the test's own folder. */
static inline const char *test_path(const char *name)
{
	static char path[4096];
	const char *folder = getenv("TEST_TMPDIR");

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "/tmp", name);
	return path;
}

static inline int check_result(void)
{
	if (check_failures)
		fprintf(stderr, "%d checks failed\n", check_failures);
	return check_failures != 0;
}

#endif
