// SPDX-License-Identifier: GPL-2.0-only
/*
 * compact_test.c EXTENSION - chunks have what rows have: the same answers, and every row comes back
 *
 * rows.sqlite has exits as rows, compact.sqlite is its copy with chunks, again.sqlite the copy of
 * that one with rows again.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "sql/chunk/chunk.h"
#include "sql/compact/columns.h"
#include "sql/compact/copy.h"
#include "sql/compact/exit_rows.h"
#include "sql/compact/pack.h"
#include "sql/schema.h"
#include "sql/store/store.h"
#include "sql/store/test/synthetic.h"
#include "sql/test/check.h"

#define BATCH 3000

static char rows_path[4096], compact_path[4096], again_path[4096];

/* Exits of the vCPUs of two runs, which come in turns: more than a chunk, a chunk, and some. */
static const size_t exits[][3] = {{17000, CHUNK_RECORDS_MAX, 7}, {3500, 1, 7}};
#define EXITS  (17000 + (int64_t)CHUNK_RECORDS_MAX + 7 + 3500 + 1 + 7)
#define CHUNKS (2 + 1 + 1 + 1 + 1 + 1)

static int add_exits(struct store *store, int number)
{
	static struct kvm_exit_record records[BATCH];
	static struct synthetic made[3];
	size_t done[3] = {0};
	int rc = 0;

	for (uint32_t i = 0; i < 3; i++) {
		synthetic_init(&made[i], i, 5);
		made[i].lose_one_in = 500;
	}
	for (size_t turn = 0; !rc && turn < 60; turn++) {
		size_t i = turn % 3;
		size_t left = exits[number][i] - done[i];
		size_t count = left < BATCH ? left : BATCH;

		if (!count)
			continue;
		synthetic_fill(&made[i], records, count);
		for (size_t j = 0; j < count; j += 7) {
			records[j].flags |= KVM_EXIT_REC_CR3;
			records[j].guest_cr3 = j & 1 ? UINT64_MAX - 0xfff : 0;
			records[j].value = j & 2 ? UINT64_MAX - j : 0;
			records[j].requests = j % 5 ? 0 : 1ULL << 63;
			records[j].entry_event = j & 4 ? 0x800000ec : 0;
			records[j].entry_error_code = j & 4 ? UINT32_MAX : 0;
			records[j].run_errno = j & 8 ? 4 : 0;
		}
		done[i] += count;
		rc = store_append(store, (int)i, records, count);
	}
	return rc;
}

static int add_run(struct store *store, int number)
{
	const struct store_run run = {
		.source = "capture",
		.collector = "compact_test",
		.isa = KVM_EXIT_ISA_VMX,
		.tsc_khz = SYNTHETIC_TSC_KHZ,
		.tsc_start = SYNTHETIC_TSC_START,
		.raw = true,
		.split = true,
	};
	int rc = store_begin(store, &run);

	for (uint32_t i = 0; !rc && i < 3; i++) {
		const struct store_vcpu info = {.vm_id = 1, .ring_id = i + 1, .vcpu_id = i};
		int vcpu;

		rc = store_add_vcpu(store, &info, &vcpu);
	}
	if (!rc)
		rc = add_exits(store, number);
	return rc ? rc : store_finish(store, "complete", SYNTHETIC_TSC_START + 1000000000, 2);
}

static void make_rows(void)
{
	struct store *store;

	CHECK_EQ(store_open(rows_path, &store), 0);
	CHECK_EQ(add_run(store, 0), 0);
	CHECK_EQ(add_run(store, 1), 0);
	store_close(store);
}

static void execute(sqlite3 *db, const char *sql)
{
	char *error = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &error)) {
		fprintf(stderr, "%s: %s\n", sql, error);
		check_failures++;
	}
	sqlite3_free(error);
}

/* As a reader opens it; @damage may be NULL. */
static sqlite3 *open_run(const char *path, const struct exit_rows_damage *damage)
{
	sqlite3 *db;

	CHECK_EQ(sqlite3_open(path, &db), 0);
	CHECK_EQ(schema_harden(db), 0);
	CHECK_EQ(schema_check(db, SCHEMA_VERSION, SCHEMA_READ), 0);
	CHECK_EQ(schema_add_tables(db, SCHEMA_VERSION, "main"), 0);
	CHECK_EQ(schema_add_views(db, NULL), 0);
	CHECK_EQ(exit_rows_register(db, damage), 0);
	CHECK_EQ(exit_rows_shadow(db, "main", NULL), 0);
	return db;
}

/* Copies a database; the words of the error, or "". */
static const char *copy_run(const char *from, const char *to, enum copy_form form,
			    const struct exit_rows_damage *damage, int64_t *count)
{
	static struct copy copy;

	unlink(to);
	copy = (struct copy){.from = open_run(from, damage), .form = form};
	CHECK_EQ(sqlite3_open(to, &copy.to), 0);
	CHECK_EQ(compact_copy(&copy), *copy.error ? -1 : 0);
	CHECK_EQ(sqlite3_close(copy.to), 0);
	CHECK_EQ(sqlite3_close(copy.from), 0);
	if (count)
		*count = copy.exits;
	return copy.error;
}

/* The number that a query gives. */
static int64_t ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t value = INT64_MIN;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) || sqlite3_step(stmt) != SQLITE_ROW)
		fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
	else
		value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return value;
}

static void test_columns_are_those_of_the_table(void)
{
	sqlite3_stmt *stmt;
	sqlite3 *own;
	int count = 0;

	CHECK_EQ(schema_open_own(SCHEMA_VERSION, &own), 0);
	CHECK_EQ(sqlite3_prepare_v2(own, "SELECT name FROM pragma_table_info('exit') WHERE cid > 0",
				    -1, &stmt, NULL),
		 0);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(stmt, 0);

		CHECK(count < exit_column_count && !strcmp(exit_columns[count].name, name));
		count++;
	}
	CHECK_EQ(count, exit_column_count);
	CHECK(count < EXIT_COLUMNS_MAX);
	sqlite3_finalize(stmt);
	sqlite3_close(own);
}

/* Every table of both files has the same rows. */
static void check_same_tables(const char *path, const char *other)
{
	sqlite3_stmt *stmt;
	sqlite3 *db;

	CHECK_EQ(sqlite3_open(path, &db), 0);
	CHECK_EQ(sqlite3_prepare_v2(db, "ATTACH ? AS other", -1, &stmt, NULL), 0);
	sqlite3_bind_text(stmt, 1, other, -1, SQLITE_STATIC);
	CHECK_EQ(sqlite3_step(stmt), SQLITE_DONE);
	sqlite3_finalize(stmt);

	CHECK_EQ(sqlite3_prepare_v2(db, "SELECT name FROM sqlite_schema WHERE type = 'table'", -1,
				    &stmt, NULL),
		 0);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(stmt, 0);
		char *sql = sqlite3_mprintf(
			"SELECT (SELECT count(*) FROM (SELECT * FROM main.%s EXCEPT SELECT * FROM other.%s)) + abs((SELECT count(*) FROM main.%s) - (SELECT count(*) FROM other.%s))",
			name, name, name, name);

		if (ask(db, sql))
			fprintf(stderr, "table %s differs\n", name);
		CHECK_EQ(ask(db, sql), 0);
		sqlite3_free(sql);
	}
	sqlite3_finalize(stmt);
	CHECK_EQ(sqlite3_close(db), 0);
}

static void test_all_tables_come_back(void)
{
	int64_t count = 0;

	CHECK_EQ(strlen(copy_run(rows_path, compact_path, COPY_TO_CHUNKS, NULL, &count)), 0);
	CHECK_EQ(count, EXITS);
	CHECK_EQ(query(compact_path, "SELECT count(*) FROM exit"), 0);
	CHECK_EQ(query(compact_path, "SELECT sum(n) FROM exit_chunk"), EXITS);
	CHECK_EQ(query(compact_path, "SELECT count(*) FROM exit_chunk"), CHUNKS);
	CHECK_EQ(query(compact_path, "PRAGMA page_size"), 1024);

	CHECK_EQ(strlen(copy_run(compact_path, again_path, COPY_TO_ROWS, NULL, &count)), 0);
	CHECK_EQ(count, EXITS);
	check_same_tables(rows_path, again_path);

	/* Chunks of chunks, also from a file that has both. */
	CHECK_EQ(strlen(copy_run(compact_path, again_path, COPY_TO_CHUNKS, NULL, &count)), 0);
	check_same_tables(compact_path, again_path);
}

static void test_conditions(void)
{
	static const char *const conditions[] = {
		"1",
		"vcpu = 1",
		"vcpu = 6",
		"vcpu = 7",
		"vcpu = 1.0",
		"vcpu = '2'",
		"vcpu IN (1, 3, 5)",
		"vcpu > 4",
		"tsc >= 1000050000000",
		"tsc < 1000050000000",
		"tsc > 1000050000000 AND tsc <= 1000060000000 AND vcpu = 4",
		"tsc BETWEEN 1000050000000 AND 1000060000000",
		"tsc > 1e12",
		"tsc < 'abc'",
		"tsc >= 'abc'",
		"tsc < NULL",
		"tsc = 1000000001234",
		"seq % 1000 = 3",
		"reason = 48 AND key IS NOT NULL",
		"key IS NULL AND cr3 IS NULL",
		"cr3 < 0",
		"rowid < 0",
		"rowid > 'abc'",
		"rowid < 'abc'",
		"rowid >= NULL",
		"rowid > -1e300",
		"rowid = 2.5",
		"vcpu IN (SELECT id FROM vcpu WHERE vcpu_id = 0) AND flags & 0x1000",
	};
	sqlite3 *db = open_run(compact_path, NULL);
	char *attach = sqlite3_mprintf("ATTACH %Q AS p", rows_path);

	execute(db, attach);
	for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++) {
		char *sql = sqlite3_mprintf(
			"SELECT (SELECT count(*) FROM (SELECT * FROM exit WHERE %s EXCEPT SELECT * FROM p.exit WHERE %s)) * 1000000 + (SELECT count(*) FROM p.exit WHERE %s) - (SELECT count(*) FROM exit WHERE %s)",
			conditions[i], conditions[i], conditions[i], conditions[i]);
		int64_t differ = ask(db, sql);

		if (differ)
			fprintf(stderr, "%s: differs\n", conditions[i]);
		CHECK_EQ(differ, 0);
		sqlite3_free(sql);
	}
	/* The eponymous table is the same. */
	CHECK_EQ(ask(db, "SELECT count(*) FROM exit_rows"), ask(db, "SELECT count(*) FROM p.exit"));
	sqlite3_free(attach);
	CHECK_EQ(sqlite3_close(db), 0);
}

/* Any program with the loadable extension. */
static sqlite3 *open_with_extension(const char *extension)
{
	char *error = NULL;
	sqlite3 *db;

	CHECK_EQ(sqlite3_open(compact_path, &db), 0);
	CHECK_EQ(sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, NULL), 0);
	if (sqlite3_load_extension(db, extension, "sqlite3_extension_init", &error)) {
		fprintf(stderr, "%s: %s\n", extension, error);
		check_failures++;
	}
	sqlite3_free(error);
	return db;
}

/* Views read chunks as they read rows; id is the rowid, all else must be the same. */
static void test_view_exits(sqlite3 *db)
{
	sqlite3 *plain = open_run(rows_path, NULL);
	static const char *const questions[] = {
		"SELECT count(*) FROM exits",
		"SELECT sum(ns) + sum(handler_ns) FROM exits WHERE run = 2 AND reason_name = 'MSR_WRITE'",
		"SELECT count(DISTINCT key_text) FROM exits",
		"SELECT sum(length(rip) * seq) + count(cr3) FROM exits WHERE vcpu_id = 0",
		"SELECT count(*) FROM exit e JOIN exits x ON x.id = e.rowid WHERE e.seq = x.seq AND e.vcpu = 3",
		"SELECT max(time_ns) FROM exits WHERE run = 1",
	};

	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++)
		CHECK_EQ(ask(db, questions[i]), ask(plain, questions[i]));
	CHECK_EQ(sqlite3_close(db), 0);
	CHECK_EQ(sqlite3_close(plain), 0);
}

/* Rows with lower rowids come before those of chunks, up and down. */
static void add_rows_to_chunks(sqlite3 *db)
{
	execute(db,
		"INSERT INTO main.exit SELECT * FROM exit_rows WHERE vcpu = 2 AND seq < 100; UPDATE main.exit SET seq = seq + 1000000");
}

static void check_order(sqlite3 *db, const char *order, int step)
{
	char *sql = sqlite3_mprintf("SELECT rowid, seq, vcpu FROM exit ORDER BY rowid%s", order);
	sqlite3_stmt *all, *one;
	int64_t last = step > 0 ? INT64_MIN : INT64_MAX;
	int64_t wrong = 0, count = 0;

	CHECK_EQ(sqlite3_prepare_v2(db, sql, -1, &all, NULL), 0);
	CHECK_EQ(sqlite3_prepare_v2(db, "SELECT seq, vcpu, reason FROM exit WHERE rowid = ?", -1,
				    &one, NULL),
		 0);
	while (sqlite3_step(all) == SQLITE_ROW) {
		int64_t row = sqlite3_column_int64(all, 0);

		wrong += step > 0 ? row <= last : row >= last;
		last = row;
		if (count++ % 1009 && count > 110)
			continue;
		sqlite3_bind_int64(one, 1, row);
		wrong += sqlite3_step(one) != SQLITE_ROW ||
			 sqlite3_column_int64(one, 0) != sqlite3_column_int64(all, 1) ||
			 sqlite3_column_int64(one, 1) != sqlite3_column_int64(all, 2) ||
			 sqlite3_step(one) != SQLITE_DONE;
		sqlite3_reset(one);
	}
	CHECK_EQ(wrong, 0);
	CHECK_EQ(
		count,
		ask(db,
		    "SELECT (SELECT count(*) FROM main.exit) + (SELECT sum(n) FROM main.exit_chunk)"));
	sqlite3_finalize(all);
	sqlite3_finalize(one);
	sqlite3_free(sql);
}

/* Ranges of rowids, against the same condition where no bound can be used ("+rowid"). */
static void check_ranges(sqlite3 *db)
{
	static const int64_t bounds[] = {
		-1,
		0,
		1,
		57,
		100,
		EXIT_CHUNK_ROWS - 1,
		EXIT_CHUNK_ROWS,
		EXIT_CHUNK_ROWS + CHUNK_RECORDS_MAX - 1,
		EXIT_CHUNK_ROWS + CHUNK_RECORDS_MAX,
		EXIT_CHUNK_ROWS + 3 * CHUNK_RECORDS_MAX + 6,
		EXIT_CHUNK_ROWS + 3 * CHUNK_RECORDS_MAX + 7,
		EXIT_CHUNK_ROWS + 900 * CHUNK_RECORDS_MAX,
		INT64_MAX,
	};
	const size_t n = sizeof(bounds) / sizeof(*bounds);

	for (size_t i = 0; i < n * n; i++) {
		char *sql = sqlite3_mprintf(
			"SELECT (SELECT count(*) || '/' || coalesce(min(seq), '') || '/' || coalesce(max(tsc), '') FROM exit WHERE rowid > %lld AND rowid <= %lld) IS (SELECT count(*) || '/' || coalesce(min(seq), '') || '/' || coalesce(max(tsc), '') FROM exit WHERE +rowid > %lld AND +rowid <= %lld)",
			bounds[i / n], bounds[i % n], bounds[i / n], bounds[i % n]);

		CHECK_EQ(ask(db, sql), 1);
		sqlite3_free(sql);
	}
}

static void test_rowids(void)
{
	sqlite3 *db = open_run(compact_path, NULL);

	check_order(db, "", 1);
	check_order(db, " DESC", -1);
	add_rows_to_chunks(db);
	check_order(db, "", 1);
	check_order(db, " DESC", -1);
	check_ranges(db);

	/* The exits before one of them, as analyzer slowest --around asks. */
	CHECK_EQ(
		ask(db,
		    "SELECT sum(seq) FROM (SELECT seq FROM exit WHERE vcpu = 1 AND rowid < (SELECT rowid FROM exit WHERE vcpu = 1 AND seq > 10000 LIMIT 1) ORDER BY rowid DESC LIMIT 3)"),
		ask(db,
		    "SELECT sum(seq) FROM (SELECT seq FROM exit WHERE vcpu = 1 AND seq <= 10000 ORDER BY seq DESC LIMIT 3)"));
	CHECK_EQ(sqlite3_close(db), 0);
}

struct noted {
	int64_t chunk;
	int64_t exits;
	int calls;
};

static void note(void *context, int64_t chunk, int64_t count, const char *why)
{
	struct noted *noted = context;

	CHECK_EQ(strcmp(why, "damaged"), 0);
	noted->chunk = chunk;
	noted->exits = count;
	noted->calls++;
}

static void test_damage_costs_one_chunk(void)
{
	struct noted noted = {0};
	const struct exit_rows_damage damage = {note, &noted};
	sqlite3_stmt *stmt;
	sqlite3 *db = open_run(compact_path, NULL);
	int64_t all, count;

	all = ask(db, "SELECT count(*) FROM exit");
	execute(db,
		"UPDATE main.exit_chunk SET data = CAST(substr(data, 1, 100) || x'00' || substr(data, 102) AS BLOB) WHERE id = 3");

	/* Without a function to call the statement fails. */
	CHECK_EQ(sqlite3_prepare_v2(db, "SELECT sum(seq) FROM exit", -1, &stmt, NULL), 0);
	CHECK_EQ(sqlite3_step(stmt), SQLITE_CORRUPT);
	CHECK(strstr(sqlite3_errmsg(db), "chunk 3"));
	sqlite3_finalize(stmt);
	CHECK_EQ(sqlite3_close(db), 0);

	db = open_run(compact_path, &damage);
	CHECK_EQ(ask(db, "SELECT count(*) FROM exit"), all - 7);
	CHECK_EQ(noted.chunk, 3);
	CHECK_EQ(noted.exits, 7);
	CHECK_EQ(noted.calls, 1);

	/* Its exits are right, but how many they are is not. */
	execute(db, "UPDATE main.exit_chunk SET n = n + 1 WHERE id = 2");
	CHECK_EQ(ask(db, "SELECT count(*) FROM exit"), all - 7 - (int64_t)CHUNK_RECORDS_MAX);
	execute(db, "UPDATE main.exit_chunk SET n = n - 1 WHERE id = 2");
	CHECK_EQ(ask(db, "SELECT count(*) FROM exit"), all - 7);
	CHECK_EQ(sqlite3_close(db), 0);

	CHECK_EQ(strlen(copy_run(compact_path, again_path, COPY_TO_ROWS, &damage, &count)), 0);
	CHECK_EQ(count, all - 7);
}

/* A row that would not come back as it was is refused, and named. */
static void test_other_values_are_refused(void)
{
	static const char *const changes[][2] = {
		{"reason = -1", "reason"},
		{"flags = 1 << 32", "flags"},
		{"pcpu = 65536", "pcpu"},
		{"user_reason = 256", "user_reason"},
		{"key = NULL, flags = flags | 0x800", "key"},
		{"key = 5, key_aux = NULL, flags = flags | 0x800", "key_aux"},
		{"key = 5, key_aux = 5, flags = flags & ~0x800", "key"},
		{"cr3 = 5, flags = flags & ~0x1000", "cr3"},
		{"value = 0", "value"},
		{"entry_event = 1 << 32", "entry_event"},
	};

	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		char words[64];
		sqlite3 *db;
		char *sql =
			sqlite3_mprintf("UPDATE main.exit SET %s WHERE rowid = 5", changes[i][0]);

		CHECK_EQ(sqlite3_open(rows_path, &db), 0);
		execute(db, "CREATE TEMP TABLE kept AS SELECT * FROM main.exit WHERE rowid = 5");
		execute(db, sql);
		snprintf(words, sizeof(words), ": %s has a value", changes[i][1]);
		CHECK(strstr(copy_run(rows_path, again_path, COPY_TO_CHUNKS, NULL, NULL), words));
		execute(db, "DELETE FROM main.exit WHERE rowid = 5");
		execute(db,
			"INSERT INTO main.exit SELECT * FROM kept; UPDATE main.exit SET rowid = 5 WHERE rowid = (SELECT max(rowid) FROM main.exit)");
		CHECK_EQ(sqlite3_close(db), 0);
		sqlite3_free(sql);
	}
	CHECK_EQ(strlen(copy_run(rows_path, again_path, COPY_TO_CHUNKS, NULL, NULL)), 0);
}

/* What somebody makes so that the extension runs for ever, or his view. */
static void test_tables_that_are_none(void)
{
	static const char *const made[] = {
		"CREATE VIRTUAL TABLE main.exit USING exit_rows(main)",
		"CREATE VIRTUAL TABLE main.exit_chunk USING exit_rows(main)",
		"CREATE VIEW main.exit AS SELECT * FROM exit_rows",
		"CREATE VIEW main.exit_chunk AS SELECT 1 AS id, 1 AS vcpu, 1 AS n, x'00' AS data FROM exit_rows",
		"CREATE TABLE main.exit_chunk (id, vcpu, n, data); INSERT INTO exit_chunk VALUES (-1, 'x', 'y', 'z'), (NULL, NULL, NULL, NULL), (1 << 60, 1, 1, x'')",
		"CREATE TABLE main.other (a)",
	};
	const char *path = test_path("made.sqlite");

	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++) {
		sqlite3_stmt *stmt = NULL;
		sqlite3 *db;
		int rc;

		unlink(path);
		CHECK_EQ(sqlite3_open(path, &db), 0);
		CHECK_EQ(exit_rows_register(db, NULL), 0);
		execute(db, made[i]);
		rc = sqlite3_prepare_v2(db, "SELECT * FROM exit_rows", -1, &stmt, NULL);
		if (!rc)
			rc = sqlite3_step(stmt);
		CHECK(rc == SQLITE_DONE || rc == SQLITE_ERROR || rc == SQLITE_CORRUPT);
		sqlite3_finalize(stmt);
		CHECK_EQ(sqlite3_close(db), 0);
	}
}

/* What SQLite says comes through; it is not always memory. */
static void test_error_of_pack(void)
{
	sqlite3 *db = NULL;
	struct pack *pack;

	CHECK_EQ(sqlite3_open(":memory:", &db), 0);
	pack = pack_new(db, db);
	CHECK_EQ(pack_begin(pack), -1);
	CHECK(!strcmp(pack_error(pack), "no such table: vcpu"));
	pack_free(pack);
	sqlite3_close(db);
}

int main(int argc, char **argv)
{
	snprintf(rows_path, sizeof(rows_path), "%s", test_path("rows.sqlite"));
	snprintf(compact_path, sizeof(compact_path), "%s", test_path("compact.sqlite"));
	snprintf(again_path, sizeof(again_path), "%s", test_path("again.sqlite"));
	make_rows();

	test_columns_are_those_of_the_table();
	test_all_tables_come_back();
	test_conditions();
	test_view_exits(open_run(compact_path, NULL));
	if (argc > 1)
		test_view_exits(open_with_extension(argv[1]));
	test_other_values_are_refused();
	test_rowids();
	test_damage_costs_one_chunk();
	test_tables_that_are_none();
	test_error_of_pack();
	return check_result();
}
