// SPDX-License-Identifier: GPL-2.0-only
/*
 * migrate_test.c - files of older versions are brought up to date and repaired
 *
 * testdata/version1.sqlite was written by the last collector of schema version 1:
 * the same capture of 900 exits as run 1 with rows and as run 2 without. Each has a
 * roll-up whose shortest time and first TSC are wrongly 0, and so have the sums of
 * long intervals above it.
 *
 * testdata/version2.sqlite was written by the last collector of schema version 2: a capture of 600
 * exits of two vCPUs, as run 1 with rows and as run 2 without. testdata/version3.sqlite likewise,
 * of 300 exits.
 */
#include <string.h>
#include <unistd.h>

#include "sql/schema.h"
#include "sql/store/internal.h"
#include "sql/store/store.h"
#include "sql/test/check.h"

/* Of versions 1 to 3. */
static const char *fixtures[] = {"sql/store/testdata/version1.sqlite.gz",
				 "sql/store/testdata/version2.sqlite.gz",
				 "sql/store/testdata/version3.sqlite.gz"};

static const char *unpack(const char *fixture, const char *name)
{
	const char *path = test_path(name);
	char command[8192];

	snprintf(command, sizeof(command), "gunzip -c '%s' >'%s'", fixture, path);
	CHECK_EQ(system(command), 0);
	return path;
}

/* A copy of the file of @version, changed by @sql. */
static const char *changed_file(int version, const char *sql)
{
	const char *path = unpack(fixtures[version - 1], "changed.sqlite");
	sqlite3 *db = NULL;

	CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	return path;
}

static const char *old_file(const char *sql)
{
	return changed_file(1, sql);
}

/* As schema_harden() has set it: a migration turns some of it off for a while. */
static void check_hardened(const struct store *store)
{
	static const struct {
		int option;
		int value;
	} options[] = {
		{SQLITE_DBCONFIG_DEFENSIVE, 1},
		{SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0},
		{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
		{SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		int value = -1;

		CHECK_EQ(sqlite3_db_config(store->db, options[i].option, -1, &value), 0);
		CHECK_EQ(value, options[i].value);
	}
}

static void migrate(const char *path)
{
	struct store *store = NULL;

	CHECK_EQ(store_open(path, &store), 0);
	if (store)
		check_hardened(store);
	store_close(store);
	CHECK_EQ(query(path, "PRAGMA user_version"), STORE_VERSION);
	CHECK_EQ(query(path, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
}

/* Stores a run of @count exits, and ends it without its sums. */
static void store_run_of(struct store *store, uint64_t count)
{
	const struct store_run run = {
		.source = "capture", .collector = "test", .isa = KVM_EXIT_ISA_VMX, .tsc_khz = 1000};
	const struct store_vcpu info = {.vm_id = 1};
	struct kvm_exit_record record = {.reason = 10, .cycles = 100, .handler_cycles = 90};
	int vcpu = 0;

	CHECK_EQ(store_begin(store, &run), 0);
	CHECK_EQ(store_add_vcpu(store, &info, &vcpu), 0);
	for (; record.seq < count; record.seq++) {
		CHECK_EQ(store_append(store, vcpu, &record, 1), 0);
		CHECK_EQ(store_flush(store), 0);
	}
}

/* Stores a run of an exit that has what version 4 added. */
static void store_run_with_fields(struct store *store)
{
	const struct store_run run = {
		.source = "device",
		.collector = "test",
		.isa = KVM_EXIT_ISA_VMX,
		.tsc_khz = 1000,
		.raw = true,
		.split = true,
		.has_features = true,
		.features = KVM_EXIT_FEAT_POLLED | KVM_EXIT_FEAT_VALUE | KVM_EXIT_FEAT_REQUESTS,
	};
	const struct store_vcpu info = {.vm_id = 1};
	const struct kvm_exit_record record = {
		.reason = 12,
		.flags = KVM_EXIT_REC_USER | KVM_EXIT_REC_HALTED | KVM_EXIT_REC_POLLED |
			 KVM_EXIT_REC_VALUE | KVM_EXIT_REC_REQUESTS,
		.cycles = 100,
		.handler_cycles = 10,
		.halted_cycles = 90,
		.polled_cycles = 60,
		.value = 77,
		.run_errno = 4,
	};
	int vcpu = 0;

	CHECK_EQ(store_begin(store, &run), 0);
	CHECK_EQ(store_add_vcpu(store, &info, &vcpu), 0);
	CHECK_EQ(store_append(store, vcpu, &record, 1), 0);
}

/* What the last program of version 2 said of its file. */
#define P99_SUM_NS 584400

/* What the views say of a file, as one number; of columns that all versions have. */
static const char digest[] =
	"SELECT sum(seq * 3 + cycles * 5 + handler_cycles * 7 + pcpu * 11 + halted_ns"
	" + coalesce(key, 13) + to_user * 17 + length(coalesce(key_text, '') || rip))"
	" + (SELECT sum(exits * 19 + cycles + max_cycles + last_ns) FROM top_exits)"
	" + (SELECT sum(p99_ns) FROM latency) FROM exits";

/* What a reader's statement gives in a file that stays as it is. */
static int64_t read_old(const char *path, int64_t version, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t value = INT64_MIN;
	sqlite3 *db = NULL;

	CHECK_EQ(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	CHECK_EQ(schema_harden(db), 0);
	CHECK_EQ(schema_check(db, version, SCHEMA_READ), 0);
	CHECK_EQ(schema_add_tables(db, version, "main"), 0);
	CHECK_EQ(schema_add_views(db, NULL), 0);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 1, NULL);

	CHECK_EQ(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return value;
}

#define WRONG " WHERE min_cycles = 0 OR first_tsc = 0"
#define VCPUS(run)                                                                                 \
	" (SELECT c.id FROM vcpu c JOIN vm m ON m.id = c.vm_id WHERE m.run_id = " #run ")"

/* Roll-ups of run 1 that differ from its rows. */
#define DIFFERENT                                                                                  \
	"SELECT count(*) FROM exit_rollup u JOIN (SELECT e.vcpu, (e.tsc - r.tsc_start) /"          \
	" r.rollup_cycles AS slot, e.reason, min(e.cycles) AS least, min(e.tsc) AS first"          \
	" FROM exit e JOIN run r ON r.id = 1 GROUP BY 1, 2, 3) s USING (vcpu, slot, reason)"       \
	" WHERE s.least IS NOT u.min_cycles OR s.first IS NOT u.first_tsc"

/* Sums of long intervals that differ from those of short ones. */
#define DIFFERENT_COARSE                                                                           \
	"SELECT count(*) FROM exit_rollup_coarse k JOIN (SELECT vcpu, slot / 512 AS slot, reason," \
	" min(min_cycles) AS least, min(first_tsc) AS first FROM exit_rollup GROUP BY 1, 2, 3) s"  \
	" USING (vcpu, slot, reason) WHERE k.level = 3 AND k.vcpu IN" VCPUS(                       \
		1) " AND (s.least IS NOT k.min_cycles OR s.first IS NOT k.first_tsc)"

static void test_repair(void)
{
	const char *path = old_file("");

	/* The file is what it is said to be. */
	CHECK_EQ(query(path, "PRAGMA user_version"), 1);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit_rollup" WRONG), 2);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit_rollup_coarse" WRONG), 10);
	CHECK_EQ(query(path, DIFFERENT), 1);
	CHECK_EQ(query(path, "SELECT min(first_ns) < 0 FROM top_exits WHERE run = 1"), 1);

	migrate(path);

	CHECK_EQ(query(path, "SELECT count(*) FROM exit_rollup" WRONG), 0);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit_rollup_coarse" WRONG), 0);

	/* With rows: the true values. */
	CHECK_EQ(query(path, DIFFERENT), 0);
	CHECK_EQ(query(path, DIFFERENT_COARSE), 0);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit_rollup_coarse WHERE level = 3"
			     " AND vcpu IN" VCPUS(1)) > 0,
		 1);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit_rollup WHERE first_tsc IS NULL"
			     " AND vcpu IN" VCPUS(1)),
		 0);
	CHECK_EQ(query(path, "SELECT min(first_ns) >= 0 AND min(min_ns) > 0 FROM top_exits"
			     " WHERE run = 1"),
		 1);

	/* Without: unknown, and so is what rests on them. Nothing else changes. */
	CHECK_EQ(query(path, "SELECT count(*) FROM exit_rollup WHERE first_tsc IS NULL"
			     " AND min_cycles IS NULL AND vcpu IN" VCPUS(2)),
		 1);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit_rollup_coarse WHERE first_tsc IS NULL"
			     " AND min_cycles IS NULL AND vcpu IN" VCPUS(2)),
		 5);
	CHECK_EQ(query(path, "SELECT count(*) FROM top_exits WHERE run = 2 AND first_ns IS NULL"
			     " AND min_ns IS NULL"),
		 1);
	CHECK_EQ(query(path, "SELECT count(*) FROM top_exits a JOIN top_exits b USING (reason_name)"
			     " WHERE a.run = 1 AND b.run = 2 AND a.exits = b.exits AND a.ns = b.ns"
			     " AND a.max_ns = b.max_ns AND a.last_ns = b.last_ns"),
		 query(path, "SELECT count(*) FROM top_exits WHERE run = 1"));
}

/* Sums that rest on rows of which some are gone stay unknown. */
static void test_trimmed_rows(void)
{
	const char *path = old_file("UPDATE exit_rollup SET n = n + 1 WHERE min_cycles = 0");

	migrate(path);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit_rollup" WRONG), 0);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit_rollup WHERE first_tsc IS NULL"), 2);
}

/* Histograms of intervals as rows (versions 1 and 2) stay, and are read as those of today. */
static void test_version2(void)
{
	static const char count[] = "SELECT sum(n) FROM interval_histograms WHERE part = 0";
	static const char p99[] = "SELECT sum(p99_ns) FROM latency WHERE run < 3";
	const char *path = unpack(fixtures[1], "version2.sqlite");
	struct store *store = NULL;

	CHECK_EQ(query(path, "PRAGMA user_version"), 2);
	CHECK_EQ(read_old(path, 2, count), 1200);
	CHECK_EQ(read_old(path, 2, "SELECT sum(p99_ns) FROM latency"), P99_SUM_NS);

	CHECK_EQ(store_open(path, &store), 0);
	store_run_of(store, 10);
	store_close(store);
	CHECK_EQ(query(path, "PRAGMA user_version"), STORE_VERSION);
	CHECK_EQ(query(path, "SELECT sum(n) FROM exit_hist WHERE part = 0"), 1200);
	CHECK_EQ(query(path, count), 1210);
	CHECK_EQ(query(path, p99), P99_SUM_NS);
	CHECK_EQ(query(path, "SELECT sum(exits) FROM latency WHERE run = 3"), 10);

	/* Without the sums of whole runs, as after a kill, views read the intervals. */
	query(path, "DELETE FROM exit_hist_total");
	CHECK_EQ(query(path, p99), P99_SUM_NS);
	CHECK_EQ(query(path, "SELECT sum(exits) FROM latency WHERE run = 3"), 10);
}

/*
 * Rows that lack the columns of later versions stay as they are; what they lack is unknown, and
 * runs of today stand in the same file.
 */
static void test_added_columns(int version)
{
	static const char unknown[] =
		"SELECT count(*) FROM exits WHERE polled_cycles IS NULL AND polled_ns IS NULL"
		" AND value IS NULL AND requests IS NULL AND entry_event IS NULL AND event_type IS NULL"
		" AND event_error_code IS NULL AND run_errno IS NULL AND run_errno_name IS NULL";
	const char *path = unpack(fixtures[version - 1], "older.sqlite");
	int64_t exits = query(path, "SELECT count(*) FROM exits");
	int64_t before = read_old(path, version, digest);
	struct store *store = NULL;

	CHECK_EQ(query(path, "PRAGMA user_version"), version);
	CHECK(exits > 0 && before > 0);
	CHECK_EQ(version > 1 ? query(path, digest) : before, before);
	CHECK_EQ(read_old(path, version, unknown), exits);
	CHECK_EQ(read_old(path, version, "SELECT count(polled_cycles) FROM rollups"), 0);

	migrate(path);
	CHECK_EQ(query(path, digest), before);
	CHECK_EQ(query(path, unknown), exits);
	CHECK_EQ(query(path, "SELECT count(polled_cycles) FROM rollups"), 0);
	CHECK_EQ(query(path, "SELECT sum(has_polled + has_value + has_event) FROM runs"), 0);

	CHECK_EQ(store_open(path, &store), 0);
	store_run_with_fields(store);
	CHECK_EQ(store_finish(store, "complete", 0, 0), 0);
	store_close(store);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(query(path, "SELECT polled_cycles = 60 AND value = 77 AND requests = 0"
				     " AND run_errno = 4 FROM exits WHERE run = 3"),
			 1);
		CHECK_EQ(query(path, "SELECT polled_cycles FROM top_exits WHERE run = 3"), 60);
		CHECK_EQ(query(path, unknown), exits);
		CHECK_EQ(query(path, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"),
			 1);
		query(path, "VACUUM");
	}
}

/* The indexes and tables of others stay; what is refused stays as it is. */
static void test_other_objects(void)
{
	const char *path = old_file("CREATE INDEX mine ON exit_rollup (n);"
				    "CREATE TABLE note (text); INSERT INTO note VALUES ('mine')");
	struct store *store = NULL;

	migrate(path);
	CHECK_EQ(query(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'mine'"), 1);
	CHECK_EQ(query(path, "SELECT count(*) FROM note"), 1);

	path = old_file("ALTER TABLE exit_rollup ADD COLUMN x INTEGER");
	CHECK_EQ(store_open(path, &store), STORE_TABLE);
	store_close(store);
	CHECK_EQ(query(path, "PRAGMA user_version"), 1);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit_rollup" WRONG), 2);
}

/* A file that claims to be of another version than its tables are. */
static void test_forged_version(void)
{
	struct store *store = NULL;

	CHECK_EQ(store_open(old_file("PRAGMA user_version = 2"), &store), STORE_TABLE);
	store_close(store);
	CHECK_EQ(store_open(changed_file(3, "PRAGMA user_version = 4"), &store), STORE_TABLE);
	store_close(store);
	CHECK_EQ(store_open(changed_file(3, "PRAGMA user_version = 1"), &store), STORE_TABLE);
	store_close(store);
	CHECK_EQ(store_open(old_file("PRAGMA user_version = 0"), &store), STORE_FOREIGN);
	store_close(store);
	CHECK_EQ(store_open(old_file("PRAGMA user_version = -1"), &store), STORE_FUTURE);
	store_close(store);
}

/* An exit whose TSC and time are truly 0 stays what it is. */
static void test_true_zero(void)
{
	const char *path = old_file(
		"UPDATE run SET tsc_start = 0; UPDATE exit SET tsc = 0, cycles = 0;"
		"UPDATE exit_rollup SET slot = 0, n = 1000 WHERE 0; DELETE FROM exit_rollup;"
		"INSERT INTO exit_rollup SELECT vcpu, 0, reason, count(*), 0, 0, 0, 0, 0, 0, 0, 0,"
		" 0, 0, 0, 0 FROM exit GROUP BY vcpu, reason");

	migrate(path);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit_rollup WHERE first_tsc IS NULL"), 0);
}

int main(int argc, char **argv)
{
	for (int i = 0; i < 3 && i + 1 < argc; i++)
		fixtures[i] = argv[i + 1];
	test_repair();
	test_version2();
	for (int version = 1; version < STORE_VERSION; version++)
		test_added_columns(version);
	test_trimmed_rows();
	test_other_objects();
	test_forged_version();
	test_true_zero();
	return check_result();
}
