// SPDX-License-Identifier: GPL-2.0-only
/* hostile_test.c - nothing that a database from elsewhere contains is executed */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sql/store/store.h"
#include "sql/test/check.h"

static const struct store_run test_run = {
	.source = "capture",
	.collector = "hostile_test",
	.isa = KVM_EXIT_ISA_VMX,
	.tsc_khz = 1000000,
	.started_ns = 1,
	.raw = 1,
	.split = 1,
};

/* Makes a database of the collector's with one run, one vCPU and two records. */
static void record_run(const char *path)
{
	const struct store_vcpu info = {.comm = "test", .vm_id = 7, .ring_id = 1, .tgid = 42};
	const struct store_leaf leaf = {.leaf = 0x4fffffff};
	struct kvm_exit_record records[2] = {{.seq = 0, .cycles = 9}, {.seq = 5, .cycles = 9}};
	struct store *store = NULL;
	int vcpu = -1;

	CHECK_EQ(store_open(path, &store), 0);
	if (!store)
		return;
	CHECK_EQ(store_begin(store, &test_run), 0);
	CHECK_EQ(store_add_vcpu(store, &info, &vcpu), 0);
	CHECK_EQ(store_add_vmx_capability(store, 0, 0x480, 1, 1), 0);
	CHECK_EQ(store_append(store, vcpu, records, 2), 0);
	CHECK_EQ(store_finish(store, "complete", 1000, 2), 0);
	CHECK_EQ(store_add_leaves(store, 0, &leaf, 1), 0);
	store_close(store);
}

static void execute(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	char *error = NULL;

	CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
	/* So that a schema may be forged and a connection sees the new one. */
	sqlite3_db_config(db, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, NULL);
	if (sqlite3_exec(db, sql, NULL, NULL, &error))
		fprintf(stderr, "%s: %s\n", sql, error);
	CHECK(!error);
	sqlite3_free(error);
	sqlite3_close(db);
}

/* A fresh database of the collector's, changed by @sql. */
static const char *changed(const char *sql)
{
	const char *path = test_path("changed.sqlite");

	unlink(path);
	record_run(path);
	execute(path, sql);
	return path;
}

static void refuses(int expected, const char *sql)
{
	const char *path = changed(sql);
	struct store *store = NULL;
	struct stat before;
	struct stat after;
	int rc;

	CHECK_EQ(stat(path, &before), 0);
	rc = store_open(path, &store);
	if (rc != expected)
		fprintf(stderr, "%d, not %d: %s\n", rc, expected, sql);
	CHECK_EQ(rc, expected);
	CHECK(!strchr(store_strerror(NULL, rc), '\n'));
	CHECK_EQ(store_is_refusal(rc), expected >= STORE_FOREIGN);
	store_close(store);
	CHECK_EQ(stat(path, &after), 0);
	CHECK(before.st_size == after.st_size && before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
	      before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
}

static void accepts(const char *sql)
{
	const char *path = changed(sql);
	int64_t runs = query(path, "SELECT count(*) FROM run");

	fprintf(stderr, "accepts: %s\n", sql);
	record_run(path);
	CHECK_EQ(query(path, "SELECT count(*) FROM run"), runs + 1);
	CHECK_EQ(query(path, "SELECT count(*) FROM exits WHERE run = 2"), 2);
	CHECK_EQ(query(path, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
}

#define FORGE(name, change)	"UPDATE sqlite_schema SET sql = " change " WHERE name = '" name "'"
#define REPLACE(name, old, new) FORGE(name, "replace(sql, '" old "', '" new "')")
#define INSERT_ROW(type, name, table, page, sql)                                                   \
	"INSERT INTO sqlite_schema VALUES ('" type "', '" name "', '" table "', " page ", '" sql   \
	"')"

#define WRITE(quote)                                                                               \
	"ATTACH " quote "%s" quote                                                                 \
	" AS p; CREATE TABLE p.t (x); INSERT INTO p.t VALUES (1); DETACH p"
/* Within a string of SQL, and as it is. */
#define WRITE_PWNED   WRITE("''")
#define WRITE_IN_NAME WRITE("'")

/*
 * A way to have the collector execute what a file contains: statements that write another file.
 * %s in @sql is that file's name.
 */
static void does_not_execute(const char *name, const char *sql)
{
	static char pwned[4096];
	char *statement;
	const char *path;
	struct store *store = NULL;
	int rc;

	snprintf(pwned, sizeof(pwned), "%s", test_path("PWNED"));
	unlink(pwned);
	statement = sqlite3_mprintf(sql, pwned);
	path = changed(statement);
	sqlite3_free(statement);

	rc = store_open(path, &store);
	store_close(store);
	if (rc && (strchr(store_strerror(NULL, rc), '\n') || !*store_strerror(NULL, rc))) {
		fprintf(stderr, "%s: not one line: %s\n", name, store_strerror(NULL, rc));
		check_failures++;
	}
	/* What is accepted is written to, and the views are used. */
	if (!rc) {
		record_run(path);
		CHECK_EQ(query(path, "SELECT sum(exits) FROM top_exits WHERE run = 2"), 2);
	}
	if (!access(pwned, F_OK)) {
		fprintf(stderr, "%s: executed\n", name);
		check_failures++;
	}
}

static void test_statements_after_a_table(void)
{
	static const char *const tables[] = {
		"exit",
		"run",
		"vm",
		"vcpu",
		"exit_rollup",
		"exit_hist",
		"exit_hist_packed",
		"exit_chunk",
		"loss",
		"crosscheck",
		"exit_reason",
		"leaf_reading",
		"vmx_capability",
	};
	char sql[512];

	refuses(STORE_TABLE, FORGE("exit", "sql || '; SELECT 1'"));
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		snprintf(sql, sizeof(sql), "%s WHERE name = '%s'",
			 "UPDATE sqlite_schema SET sql = sql || '; " WRITE_PWNED "'", tables[i]);
		does_not_execute(tables[i], sql);
	}
}

static void test_statements_after_a_view(void)
{
	does_not_execute("a view of ours", FORGE("exits", "sql || '; " WRITE_PWNED "'"));
	does_not_execute("any view",
			 "CREATE VIEW w AS SELECT 1;" FORGE("w", "sql || '; " WRITE_PWNED "'"));
}

static void test_statements_after_an_index(void)
{
	does_not_execute("an index",
			 "CREATE INDEX i ON exit (seq);" FORGE("i", "sql || '; " WRITE_PWNED "'"));
	does_not_execute("a table of others",
			 "CREATE TABLE t (a);" FORGE("t", "sql || '; " WRITE_PWNED "'"));
}

/* What hides from a comparison of texts. */
static void test_statements_that_hide(void)
{
	does_not_execute("in a comment", FORGE("exit", "sql || '/* */; " WRITE_PWNED " --'"));
	does_not_execute("after a comment of two lines",
			 FORGE("exit", "sql || '/*' || char(10) || '*/; " WRITE_PWNED "'"));
	does_not_execute("after a NUL",
			 FORGE("exit", "CAST(sql || char(0) || '; " WRITE_PWNED "' AS TEXT)"));
	does_not_execute("in a BLOB", FORGE("exit", "CAST(sql || '; " WRITE_PWNED "' AS BLOB)"));
	does_not_execute("before the table", FORGE("exit", "'" WRITE_PWNED "; ' || sql"));
}

/* Programs are tempted to put a name between quotes. */
static void test_statements_in_a_name(void)
{
	does_not_execute("a table's name", "CREATE TABLE \"t'); " WRITE_IN_NAME "; --\" (a)");
	does_not_execute("a view's name",
			 "CREATE VIEW \"v\"\"; " WRITE_IN_NAME "; --\" AS SELECT 1 AS a");
	does_not_execute("a column's name",
			 "ALTER TABLE loss RENAME COLUMN n TO \"n; " WRITE_IN_NAME "; --\"");
	does_not_execute("a label", "UPDATE run SET label = '''); " WRITE_PWNED "; --'");
}

static void test_tables(void)
{
	refuses(STORE_TABLE, REPLACE("exit", "cr3  ", "cr3 INTEGER CHECK (cr3 < 1), x"));
	refuses(STORE_TABLE, REPLACE("run", "DEFAULT ''recording''", "DEFAULT (hex(1))"));
	refuses(STORE_TABLE, REPLACE("loss", "tsc_after  ", "x INTEGER AS (n), tsc_after "));
	refuses(STORE_TABLE, REPLACE("vm", "ON DELETE CASCADE", "ON DELETE SET DEFAULT"));
	refuses(STORE_TABLE, "ALTER TABLE exit ADD COLUMN x INTEGER AS (hex(seq))");
	refuses(STORE_TABLE, "ALTER TABLE run ADD COLUMN x TEXT");
	refuses(STORE_TABLE, "DROP TABLE loss; CREATE TABLE loss (vcpu, first_seq, n, b, a)");
	/* SQLite compares names without case. */
	refuses(STORE_TABLE, "DROP TABLE loss; CREATE TABLE LOSS (a, b, c, d, e CHECK (hex(e)))");
	refuses(STORE_TABLE, "DROP TABLE loss; CREATE VIEW loss AS SELECT 1 a, 2 b, 3 c, 4 d, 5 e");
	refuses(STORE_TABLE, "DROP VIEW runs; CREATE TABLE runs (a)");
	/* Comments may differ, but in a string the same letters do not begin one. */
	refuses(STORE_TABLE, REPLACE("run", "''recording''", "''rec/**/ording''"));
}

static void test_active(void)
{
	refuses(STORE_ACTIVE, "CREATE TRIGGER t AFTER INSERT ON exit BEGIN DELETE FROM run; END");
	refuses(STORE_ACTIVE, "CREATE TRIGGER t INSTEAD OF INSERT ON runs BEGIN SELECT 1; END");
	/* SQLite refuses these itself, as a damaged schema. */
	refuses(SQLITE_CORRUPT, INSERT_ROW("table", "t", "t", "0",
					   "CREATE/**/TEMP TRIGGER t AFTER INSERT ON main.run "
					   "BEGIN DELETE FROM main.run; END"));
	refuses(STORE_ACTIVE,
		INSERT_ROW("table", "v", "v", "0", "CREATE VIRTUAL TABLE v USING fts3(x)"));
	refuses(STORE_ACTIVE,
		"DROP TABLE loss;" INSERT_ROW("table", "loss", "loss", "0",
					      "CREATE VIRTUAL TABLE loss USING fts3(a, b)"));
	refuses(SQLITE_CORRUPT,
		INSERT_ROW("view", "w", "w", "0", "CREATE TEMP VIEW exit AS SELECT 1"));
}

static void test_indexes(void)
{
	refuses(STORE_INDEX, "CREATE INDEX i ON exit (hex(seq))");
	refuses(STORE_INDEX, "CREATE INDEX \"i'); --\" ON exit (seq, abs(seq))");
	refuses(STORE_INDEX, "CREATE INDEX i ON run (id) WHERE abs(id) > 0");
	refuses(STORE_INDEX, "CREATE UNIQUE INDEX i ON exit (reason, cycles, seq)");
	refuses(STORE_INDEX, "CREATE INDEX i ON run (label COLLATE NOCASE)");
}

/* Text of others that is never used does no harm, and their data are theirs. */
static void test_harmless(void)
{
	accepts("CREATE TABLE note (run INTEGER REFERENCES run(id) ON DELETE CASCADE, text);"
		"CREATE UNIQUE INDEX u ON note (hex(text)); CREATE INDEX i ON exit (cycles DESC);"
		"CREATE VIEW own AS SELECT * FROM exits JOIN note USING (run);"
		"INSERT INTO note VALUES (1, 'mine'); ANALYZE");
	CHECK_EQ(query(test_path("changed.sqlite"), "SELECT count(*) FROM note"), 1);
	CHECK_EQ(query(test_path("changed.sqlite"), "SELECT count(*) FROM own"), 2);

	/* Views of our names become ours again, also where their text was another. */
	accepts("DROP VIEW exits; CREATE VIEW exits AS WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL"
		" SELECT x + 1 FROM r) SELECT x FROM r");
	/* An older version has other comments. */
	accepts(REPLACE("run", "-- CLOCK_REALTIME at", "/* the time at */ --"));
	accepts("DROP TABLE exit_hist_total; DROP TABLE exit_rollup_coarse");
}

/* A discarded run leaves nothing, and the tables of others as they are. */
static void test_discard(void)
{
	const struct store_vcpu info = {.comm = "test", .vm_id = 8, .ring_id = 2};
	const struct store_crosscheck check = {.source = "totals", .name = "exits", .vcpu = 0};
	const char *path = changed("CREATE TABLE note (run INTEGER DEFAULT (abs(-1))"
				   " REFERENCES run(id) ON DELETE SET DEFAULT);"
				   "INSERT INTO note VALUES (2)");
	struct kvm_exit_record records[2] = {{.seq = 0, .cycles = 9}, {.seq = 5, .cycles = 9}};
	struct store *store = NULL;
	int vcpu = -1;

	CHECK_EQ(store_open(path, &store), 0);
	CHECK_EQ(store_begin(store, &test_run), 0);
	CHECK_EQ(store_add_vcpu(store, &info, &vcpu), 0);
	CHECK_EQ(store_add_vmx_capability(store, 0, 0x480, 1, 1), 0);
	CHECK_EQ(store_append(store, vcpu, records, 2), 0);
	CHECK_EQ(store_add_crosscheck(store, &check), 0);
	CHECK_EQ(store_flush(store), 0);
	CHECK_EQ(query(path, "SELECT count(*) FROM loss"), 2);
	CHECK_EQ(store_discard(store), 0);
	store_close(store);

	CHECK_EQ(query(path, "SELECT count(*) FROM run"), 1);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit"), 2);
	CHECK_EQ(query(path, "SELECT count(*) FROM loss"), 1);
	/* Only the row of the other program refers to what is gone. */
	CHECK_EQ(query(path, "SELECT count(*) FROM pragma_foreign_key_check"), 1);
	CHECK_EQ(query(path, "SELECT run FROM note"), 2);
}

static void put32(unsigned char *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(value >> (24 - 8 * i));
}

/*
 * Writes the hot journal of a transaction that changed no page of @path and that
 * belongs to super-journal @victim. After the rollback SQLite deletes @victim.
 */
static void write_journal(const char *path, const char *victim)
{
	static const unsigned char magic[] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
	unsigned char header[512] = {0};
	unsigned char tail[16];
	char name[4200];
	uint32_t sum = 0;
	struct stat st;
	FILE *f;

	CHECK_EQ(stat(path, &st), 0);
	memcpy(header, magic, sizeof(magic));
	put32(header + 16, (uint32_t)(st.st_size / 4096));
	put32(header + 20, sizeof(header));
	put32(header + 24, 4096);

	for (const char *p = victim; *p; p++)
		sum += (uint32_t)*p;
	put32(tail, (uint32_t)strlen(victim));
	put32(tail + 4, sum);
	memcpy(tail + 8, magic, sizeof(magic));

	snprintf(name, sizeof(name), "%s-journal", path);
	f = fopen(name, "w");
	CHECK(f);
	if (!f)
		return;
	fwrite(header, sizeof(header), 1, f);
	put32(header, 0x40000000 / 4096 + 1); /* SQLite's lock page: no page of the file */
	fwrite(header, 4, 1, f);
	fwrite(victim, strlen(victim), 1, f);
	fwrite(tail, sizeof(tail), 1, f);
	fclose(f);
}

static void test_journal(void)
{
	static char victim[4096];
	const char *path;
	struct store *store = NULL;
	FILE *f;

	snprintf(victim, sizeof(victim), "%s", test_path("victim"));
	f = fopen(victim, "w");
	CHECK(f);
	if (f) {
		fputs("precious", f);
		fclose(f);
	}

	path = changed("PRAGMA journal_mode = DELETE");
	write_journal(path, victim);
	CHECK_EQ(store_open(path, &store), STORE_JOURNAL);
	store_close(store);
	CHECK_EQ(access(victim, F_OK), 0);
	unlink(test_path("changed.sqlite-journal"));
}

int main(void)
{
	test_statements_after_a_table();
	test_statements_after_a_view();
	test_statements_after_an_index();
	test_statements_that_hide();
	test_statements_in_a_name();
	test_tables();
	test_active();
	test_indexes();
	test_harmless();
	test_discard();
	test_journal();
	return check_result();
}
