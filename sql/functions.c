// SPDX-License-Identifier: GPL-2.0-only
/*
 * functions.c - SQL functions for run databases; see functions.h
 *
 * Compiled twice: into programs, and with EXITSCOPE_EXTENSION as a loadable
 * extension, where SQLite is reached through a table of pointers.
 */
#ifdef EXITSCOPE_EXTENSION
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1
int functions_register(sqlite3 *db);
#else
#include "sql/functions.h"
#endif

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sql/hist.h"
#include "sql/hist_table.h"
#ifdef EXITSCOPE_EXTENSION
#include "sql/compact/exit_rows.h"
#include "sql/text.h"
#endif

#define SHARED_FLAGS (SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS)

/* The state of both aggregates: values (percentile), or counts of buckets. */
struct collected {
	double *value;
	uint64_t *bucket; /* [HIST_BUCKETS] */
	size_t n;
	size_t room;
	double percent;
	bool has_percent;
};

/* Notes argument P, which must be the same in every row. 0, or -1 with an error as the result. */
static int set_percent(sqlite3_context *context, struct collected *c, sqlite3_value *arg)
{
	int type = sqlite3_value_numeric_type(arg);
	double percent = sqlite3_value_double(arg);

	if (type == SQLITE_NULL || type == SQLITE_TEXT || !(percent >= 0 && percent <= 100)) {
		sqlite3_result_error(context, "P must be a number from 0 to 100", -1);
		return -1;
	}
	if (c->has_percent && c->percent != percent) {
		sqlite3_result_error(context, "P must be the same in all rows", -1);
		return -1;
	}

	c->percent = percent;
	c->has_percent = true;
	return 0;
}

/* Makes room for one more value. 0, or -1 with an error as the result. */
static int grow_values(sqlite3_context *context, struct collected *c)
{
	size_t room = c->room ? 2 * c->room : 256;
	double *value;

	if (c->n < c->room)
		return 0;

	value = sqlite3_realloc64(c->value, room * sizeof(*value));
	if (!value) {
		sqlite3_result_error_nomem(context);
		return -1;
	}
	c->value = value;
	c->room = room;
	return 0;
}

static void percentile_step(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	struct collected *c = sqlite3_aggregate_context(context, sizeof(*c));

	(void)argc;
	if (!c || set_percent(context, c, argv[1]) || sqlite3_value_type(argv[0]) == SQLITE_NULL)
		return;
	if (grow_values(context, c))
		return;
	c->value[c->n++] = sqlite3_value_double(argv[0]);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void percentile_final(sqlite3_context *context)
{
	struct collected *c = sqlite3_aggregate_context(context, 0);
	double rank, result;
	size_t below;

	if (!c || !c->n) {
		if (c)
			sqlite3_free(c->value);
		return;
	}

	qsort(c->value, c->n, sizeof(*c->value), ascending);

	/* Between two values, the nearer one weighs more. */
	rank = c->percent / 100 * (double)(c->n - 1);
	below = (size_t)rank;
	result = c->value[below];
	if (below + 1 < c->n)
		result += (c->value[below + 1] - result) * (rank - floor(rank));

	sqlite3_result_double(context, result);
	sqlite3_free(c->value);
}

/* The counts, all 0 at first. NULL with an error as the result. */
static uint64_t *get_buckets(sqlite3_context *context, struct collected *c)
{
	if (c->bucket)
		return c->bucket;

	c->bucket = sqlite3_malloc64(HIST_BUCKETS * sizeof(*c->bucket));
	if (c->bucket)
		memset(c->bucket, 0, HIST_BUCKETS * sizeof(*c->bucket));
	else
		sqlite3_result_error_nomem(context);
	return c->bucket;
}

static void bucket_step(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	struct collected *c = sqlite3_aggregate_context(context, sizeof(*c));
	sqlite3_int64 bucket = sqlite3_value_int64(argv[0]), n = sqlite3_value_int64(argv[1]);

	(void)argc;
	if (!c || set_percent(context, c, argv[2]) || sqlite3_value_type(argv[0]) == SQLITE_NULL)
		return;

	if (bucket < 0 || bucket >= HIST_BUCKETS || n < 0) {
		sqlite3_result_error(context, "no such bucket", -1);
		return;
	}
	/* The rank is computed as a double: the sum must stay a number of exits. */
	if (n > INT64_MAX / 2 - (sqlite3_int64)c->n) {
		sqlite3_result_error(context, "too many exits", -1);
		return;
	}

	if (!get_buckets(context, c))
		return;
	c->bucket[bucket] += (uint64_t)n;
	c->n += (size_t)n;
}

static void bucket_final(sqlite3_context *context)
{
	struct collected *c = sqlite3_aggregate_context(context, 0);
	uint64_t rank, seen = 0;

	if (!c || !c->bucket)
		return;

	rank = (uint64_t)ceil(c->percent / 100 * (double)c->n);
	for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
		seen += c->bucket[i];
		if (seen >= (rank ? rank : 1)) {
			sqlite3_result_int64(context, (sqlite3_int64)hist_middle(i));
			break;
		}
	}
	sqlite3_free(c->bucket);
}

/*
 * Reads the name of a basic reason from the database's own view. Whether there is one. The view may
 * be anybody's, and call reason_name() itself: there it finds nothing.
 */
static bool find_name(sqlite3_context *context, int isa, sqlite3_int64 basic, char *name,
		      size_t size)
{
	static const char sql[] = "SELECT name FROM reasons WHERE isa = ?1 AND number = ?2";
	static __thread bool is_inside;
	sqlite3_stmt *stmt;
	bool found;

	if (is_inside ||
	    sqlite3_prepare_v2(sqlite3_context_db_handle(context), sql, -1, &stmt, NULL))
		return false;

	sqlite3_bind_int(stmt, 1, isa);
	sqlite3_bind_int64(stmt, 2, basic);
	is_inside = true;
	found = sqlite3_step(stmt) == SQLITE_ROW;
	if (found)
		sqlite3_snprintf((int)size, name, "%s", sqlite3_column_text(stmt, 0));

	sqlite3_finalize(stmt);
	is_inside = false;
	return found;
}

static void reason_name(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	int isa = argc > 1 ? sqlite3_value_int(argv[1]) : 1;
	sqlite3_int64 reason = sqlite3_value_int64(argv[0]),
		      basic = isa == 1 ? reason & 0xffff : reason;
	const char *failed = isa == 1 && reason >> 31 & 1 ? " FAILED_VMENTRY" : "";
	char name[64], text[96];

	if (sqlite3_value_type(argv[0]) == SQLITE_NULL)
		return;

	if (!find_name(context, isa, basic, name, sizeof(name)))
		sqlite3_snprintf(sizeof(name), name, "UNKNOWN_%lld", basic);
	sqlite3_snprintf(sizeof(text), text, "%s%s", name, failed);
	sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

static void cycles_to_ns(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	sqlite3_int64 cycles = sqlite3_value_int64(argv[0]), khz = sqlite3_value_int64(argv[1]);

	(void)argc;
	if (sqlite3_value_type(argv[0]) == SQLITE_NULL ||
	    sqlite3_value_type(argv[1]) == SQLITE_NULL)
		return;

	if (khz <= 0 || khz > INT64_MAX / 1000000)
		sqlite3_result_error(context, "TSC_KHZ must be a frequency in kHz", -1);
	else if (cycles / khz > INT64_MAX / 1000001 || cycles / khz < INT64_MIN / 1000001)
		sqlite3_result_error(context, "CYCLES are longer than 292 years", -1);
	else
		sqlite3_result_int64(context,
				     cycles / khz * 1000000 + cycles % khz * 1000000 / khz);
}

int functions_register(sqlite3 *db)
{
	int rc = sqlite3_create_function_v2(db, "percentile", 2, SHARED_FLAGS, NULL, NULL,
					    percentile_step, percentile_final, NULL);

	if (!rc)
		rc = sqlite3_create_function_v2(db, "bucket_percentile", 3, SHARED_FLAGS, NULL,
						NULL, bucket_step, bucket_final, NULL);
	for (int args = 1; args <= 2 && !rc; args++)
		rc = sqlite3_create_function_v2(db, "reason_name", args, SQLITE_UTF8, NULL,
						reason_name, NULL, NULL, NULL);
	if (!rc)
		rc = sqlite3_create_function_v2(db, "cycles_to_ns", 2, SHARED_FLAGS, NULL,
						cycles_to_ns, NULL, NULL, NULL);
	return rc ? rc : hist_table_register(db);
}

#ifdef EXITSCOPE_EXTENSION
int sqlite3_extension_init(sqlite3 *db, char **error, const sqlite3_api_routines *api);

int sqlite3_extension_init(sqlite3 *db, char **error, const sqlite3_api_routines *api)
{
	bool has_chunks = false;
	int rc;

	(void)error;
	SQLITE_EXTENSION_INIT2(api);
	rc = functions_register(db);
	if (!rc)
		rc = exit_rows_register(db, NULL);

	/* The view exits of the file reads table exit alone: these read chunks, too. */
	if (!rc)
		rc = exit_rows_shadow(db, "main", &has_chunks);
	if (!rc && has_chunks)
		rc = sqlite3_exec(db, sql_temp_views, NULL, NULL, NULL);
	return rc;
}
#endif
