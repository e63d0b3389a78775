// SPDX-License-Identifier: GPL-2.0-only
/*
 * out_run.c - the lines that say what a result is about and how complete it is
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/output/out.h"
#include "analyzer/output/units.h"
#include "analyzer/query/db.h"

static void json_run(struct json *j, const char *name, const struct run *run)
{
	json_open(j, name, '{');
	json_int(j, "id", run->id);
	json_text(j, "label", run->label);
	json_text(j, "state", run->state);
	json_text(j, "source", run->source);
	json_text(j, "environment", run->environment);
	json_text(j, "isa", run->isa == 1 ? "VMX" : "SVM");
	json_int(j, "tsc_khz", run->tsc_khz);
	json_int(j, "duration_ns", cycles_to_ns(run->length_cycles, run->tsc_khz));
	json_int(j, "recorded", run->exits);
	json_int(j, "dropped", run->dropped);
	json_int(j, "filtered", run->filtered);
	json_int(j, "unread", run->unread);
	if (run->no_durations)
		json_bool(j, "has_durations", false);
	if (run->dropped_estimated)
		json_bool(j, "dropped_is_estimate", true);
	if (run->exits + run->dropped)
		json_real(j, "coverage", (double)run->exits / (double)(run->exits + run->dropped));
	else
		json_null(j, "coverage");
	json_close(j, '{');
}

static void coverage_line(struct out *out, const struct run *run)
{
	char recorded[UNITS_TEXT], dropped[UNITS_TEXT], share[UNITS_TEXT], unread[UNITS_TEXT];
	const char *about = run->dropped_estimated ? "~" : "";
	char filtered[UNITS_TEXT];

	if (!(run->exits + run->dropped)) {
		out_line(out, "coverage: no exit was recorded");
		return;
	}
	out_line(out,
		 "coverage: %s%s (%s recorded, %s%s dropped%s%s%s; %s unread before the recording)",
		 about,
		 units_share((double)run->exits / (double)(run->exits + run->dropped), share),
		 units_count(run->exits, recorded), about, units_count(run->dropped, dropped),
		 run->filtered ? ", " : "",
		 run->filtered ? units_count(run->filtered, filtered) : "",
		 run->filtered ? " filtered out" : "", units_count(run->unread, unread));
}

void out_run(struct out *out, const char *name, const struct run *run)
{
	char length[UNITS_TEXT], from[UNITS_TEXT];

	if (out->format == OUT_JSON)
		json_run(&out->json, name, run);
	out_line(out, "run %" PRId64 " \"%s\": %s%s", run->id, run->label,
		 units_ns((double)cycles_to_ns(run->length_cycles, run->tsc_khz), length),
		 !strcmp(run->state, "recording")     ? ", still being recorded or cut off"
		 : !strcmp(run->state, "interrupted") ? ", interrupted"
						      : "");
	coverage_line(out, run);
	out->no_durations = run->no_durations;
	if (run->no_durations)
		out_note(out, "This recording has no durations: only counts can be told.");
	if (!strcmp(run->environment, "emulated"))
		out_note(
			out,
			"Emulated machine: times are not real latencies (in Bochs a cycle is one instruction).");
	if (run->rows_from)
		out_note(
			out,
			"Single exits are kept from %s of the run on only: no earlier one counts here.",
			units_ns((double)cycles_to_ns(run->rows_from, run->tsc_khz), from));
	if (!run->has_split)
		out_note(
			out,
			"Source %s does not tell handler, halted, user-space and preempted time apart.",
			run->source);
}

void out_range_note(struct out *out, const struct run *run)
{
	int64_t end = run_grid_to(run);
	char from[UNITS_TEXT], to[UNITS_TEXT];

	if (!run->from && run->to == INT64_MAX)
		return;
	if (end > run->length_cycles)
		end = run->length_cycles;
	out_note(out, "Whole intervals: counted from %s to %s (--exact: to the cycle).",
		 units_ns((double)cycles_to_ns(run_grid_from(run), run->tsc_khz), from),
		 units_ns((double)cycles_to_ns(end, run->tsc_khz), to));
}

void out_sql_value(struct out *out, sqlite3_stmt *stmt, int i)
{
	const unsigned char *blob;
	char hex[129] = "";

	switch (sqlite3_column_type(stmt, i)) {
	case SQLITE_INTEGER:
		out_int(out, sqlite3_column_int64(stmt, i));
		break;
	case SQLITE_FLOAT:
		out_real(out, sqlite3_column_double(stmt, i));
		break;
	case SQLITE_NULL:
		out_none(out);
		break;
	case SQLITE_BLOB:
		blob = sqlite3_column_blob(stmt, i);
		for (int b = 0; b < sqlite3_column_bytes(stmt, i) && b < 64; b++)
			sprintf(hex + 2 * b, "%02x", blob[b]);
		out_text(out, hex);
		break;
	default:
		out_text(out, (const char *)sqlite3_column_text(stmt, i));
	}
}

static enum out_type column_type(sqlite3_stmt *stmt, int i, bool row)
{
	switch (row ? sqlite3_column_type(stmt, i) : SQLITE_TEXT) {
	case SQLITE_INTEGER:
		return OUT_ID;
	case SQLITE_FLOAT:
		return OUT_NUMBER;
	default:
		return OUT_TEXT;
	}
}

int out_sql_rows(struct out *out, struct app *app, const char *name, sqlite3_stmt *stmt)
{
	int columns = sqlite3_column_count(stmt), rc = db_step(app, stmt);
	struct out_column column[columns ? columns : 1];

	if (rc < 0 || !columns)
		return rc;
	for (int i = 0; i < columns; i++)
		column[i] = (struct out_column){sqlite3_column_name(stmt, i),
						sqlite3_column_name(stmt, i),
						column_type(stmt, i, rc > 0), 0};
	out_table(out, name, column, columns);
	for (; rc > 0; rc = db_step(app, stmt))
		for (int i = 0; i < columns; i++)
			out_sql_value(out, stmt, i);
	if (!rc)
		out_table_end(out);
	return rc;
}

int out_query(struct out *out, struct app *app, const char *name, const struct out_column *column,
	      int columns, const char *sql)
{
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, sql))
		return -1;
	out_table(out, name, column, columns);
	while ((rc = db_step(app, stmt)) > 0)
		for (int i = 0; i < columns; i++)
			out_sql_value(out, stmt, i);
	if (!rc)
		out_table_end(out);
	sqlite3_finalize(stmt);
	return rc;
}

void out_slide_note(struct out *out, uint64_t slide, double guessed)
{
	char share[UNITS_TEXT];

	if (guessed >= 0 && guessed < 0.5)
		out_note(
			out,
			"The kernel's offset (KASLR) could not be told: only %s of the places fit the symbols; give --slide.",
			units_share(guessed, share));
	else if (guessed >= 0 && slide)
		out_note(out,
			 "Guessed: the kernel runs 0x%" PRIx64
			 " above its symbols (KASLR); %s of the places fit.",
			 slide, units_share(guessed, share));
}
