// SPDX-License-Identifier: GPL-2.0-only
/*
 * unknown_test.c - the views have NULL, not 0, where a run's source does not know a time or a flag,
 * and no histogram of such a time
 */
#include <sqlite3.h>
#include <string.h>

#include "sql/test/check.h"
#include "sql/text.h"

/*
 * Two runs of one exit of 500 cycles each, with a vCPU each: run 1 does not know the parts. 1,500
 * cycles long, so that the second interval, where the exits are, is cut off at its half.
 */
static const char two_runs[] =
	"INSERT INTO run (id, label, source, isa, tsc_khz, tsc_start, tsc_end, started_ns,"
	" rollup_cycles, hist_cycles, has_split, collector)"
	" VALUES (1, '', 'trace.dat', 1, 1000000, 0, 1500, 0, 1000, 1000, 0, ''),"
	" (2, '', 'device', 1, 1000000, 0, 1500, 0, 1000, 1000, 1, '');"
	"INSERT INTO vm (id, run_id, kvm_vm_id, tgid) VALUES (1, 1, 1, 1), (2, 2, 1, 1);"
	"INSERT INTO vcpu (id, vm_id, vcpu_id, ring_id, recorded) VALUES (1, 1, 0, 0, 1), (2, 2, 0, 1, 1);"
	"INSERT INTO exit (vcpu, seq, tsc, reason, flags, cycles, halted_cycles, userspace_cycles,"
	" preempted_cycles, rip, qualification, info2, intr_info, error_code, user_reason, pcpu)"
	" SELECT id, 0, 1000, 10, 1, 500, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM vcpu;"
	"INSERT INTO exit_rollup (vcpu, slot, reason, n, cycles, halted_cycles, userspace_cycles,"
	" preempted_cycles, min_cycles, max_cycles, n_fastpath, n_nested, n_user, n_synth, first_tsc,"
	" last_tsc) SELECT id, 1, 10, 1, 500, 0, 0, 0, 500, 500, 1, 0, 0, 0, 1000, 1000 FROM vcpu;"
	"INSERT INTO exit_hist SELECT id, 1, 10, part, 300, 1 FROM vcpu, (SELECT 0 AS part UNION SELECT 1);"
	"INSERT INTO exit_hist_packed VALUES (1, 2, 10, '#', NULL), (2, 2, 10, '#', NULL);";

static const char untimed[] =
	"INSERT INTO crosscheck (run_id, source, name, n) VALUES (1, 'trace', 'untimed', 1);"
	"UPDATE exit SET cycles = 0 WHERE vcpu = 1;"
	"UPDATE exit_rollup SET cycles = 0, min_cycles = 0, max_cycles = 0 WHERE vcpu = 1;";

/* Columns of @view, the words of @columns, of run 1: are NULL; of run 2: are not. */
static void check_null(sqlite3 *db, const char *view, const char *columns)
{
	char list[512];
	char *rest = list;

	snprintf(list, sizeof(list), "%s", columns);
	for (char *column; (column = strsep(&rest, " "));) {
		char sql[256];
		sqlite3_stmt *stmt = NULL;

		snprintf(sql, sizeof(sql),
			 "SELECT count(*), count(%s), count(*) FILTER (WHERE run = 1) FROM %s",
			 column, view);
		CHECK_EQ(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
		CHECK_EQ(sqlite3_step(stmt), SQLITE_ROW);
		CHECK_EQ(sqlite3_column_int64(stmt, 0), 2);
		if (sqlite3_column_int64(stmt, 1) != 1 || sqlite3_column_int64(stmt, 2) != 1) {
			fprintf(stderr, "%s.%s: not NULL in run 1 alone\n", view, column);
			check_failures++;
		}
		sqlite3_finalize(stmt);
	}
}

static sqlite3_int64 value(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3_int64 is = -1;

	CHECK_EQ(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	CHECK_EQ(sqlite3_step(stmt), SQLITE_ROW);
	is = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return is;
}

/* The parts and the flags. */
static void test_parts(sqlite3 *db)
{
	check_null(db, "exits",
		   "handler_cycles halted_cycles userspace_cycles preempted_cycles handler_ns "
		   "halted_ns userspace_ns preempted_ns fastpath nested to_user synthesized "
		   "no_reentry tsc_back");
	check_null(db, "rollups",
		   "handler_cycles halted_cycles userspace_cycles preempted_cycles fastpath nested "
		   "to_user synthesized");
	check_null(db, "top_exits",
		   "handler_cycles halted_cycles userspace_cycles preempted_cycles handler_ns "
		   "halted_ns userspace_ns preempted_ns busy_ns fastpath nested to_user "
		   "synthesized");
	check_null(db, "exits_by_vcpu", "halted_cycles halted_ns");
	check_null(db, "timeline", "halted_cycles halted_ns");

	CHECK_EQ(value(db, "SELECT sum(cycles) FROM top_exits"), 1000);
	CHECK_EQ(value(db, "SELECT sum(n) FROM histograms WHERE run = 1 AND part = 'total'"), 2);
	CHECK_EQ(value(db, "SELECT count(*) FROM histograms WHERE run = 1 AND part = 'handler'"),
		 0);
	CHECK_EQ(value(db, "SELECT sum(n) FROM histograms WHERE run = 2 AND part = 'handler'"), 2);
	CHECK_EQ(value(db, "SELECT count(*) FROM interval_histograms WHERE vcpu = 1 AND part = 1"),
		 0);
	CHECK_EQ(value(db, "SELECT count(*) FROM interval_histograms WHERE vcpu = 2 AND part = 1"),
		 2);
}

static void test_durations(sqlite3 *db)
{
	CHECK_EQ(sqlite3_exec(db, untimed, NULL, NULL, NULL), SQLITE_OK);
	check_null(db, "exits", "cycles ns");
	check_null(db, "rollups", "cycles min_cycles max_cycles");
	check_null(db, "top_exits",
		   "cycles ns time_share mean_ns min_ns max_ns min_cycles max_cycles");
	check_null(db, "exits_by_vcpu", "cycles ns mean_ns max_cycles");
	check_null(db, "timeline", "cycles ns max_cycles");

	CHECK_EQ(value(db, "SELECT sum(exits) FROM top_exits WHERE run = 1"), 1);
	CHECK_EQ(value(db, "SELECT has_durations FROM runs WHERE run = 1"), 0);
	CHECK_EQ(value(db, "SELECT count(*) FROM histograms WHERE run = 1"), 0);
	CHECK_EQ(value(db, "SELECT count(*) FROM latency WHERE run = 1"), 0);
	CHECK_EQ(value(db, "SELECT count(*) FROM interval_histograms WHERE vcpu = 1"), 0);
	CHECK_EQ(value(db, "SELECT count(*) FROM latency WHERE run = 2"), 1);
}

/* One exit in the 500 ns of the last interval that were recorded. */
static void test_last_interval(sqlite3 *db)
{
	CHECK_EQ(value(db, "SELECT per_s FROM timeline WHERE run = 2"), 2000000);
}

int main(void)
{
	sqlite3 *db = NULL;

	CHECK_EQ(sqlite3_open(":memory:", &db), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(db, sql_schema, NULL, NULL, NULL), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(db, sql_exit_reason, NULL, NULL, NULL), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(db, sql_views, NULL, NULL, NULL), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(db, two_runs, NULL, NULL, NULL), SQLITE_OK);
	test_parts(db);
	test_last_interval(db);
	test_durations(db);
	sqlite3_close(db);
	return check_result();
}
