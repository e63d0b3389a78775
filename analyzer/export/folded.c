// SPDX-License-Identifier: GPL-2.0-only
/*
 * folded.c - time as folded stacks, for flame graph tools (flamegraph.pl, inferno, speedscope)
 *
 * A line is "VM;process;reason;key;part NS": the guest process by its CR3 where that was
 * recorded, the sub-key (of faults of guest memory: its 2 MiB region), and a part of the time.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/export/export.h"
#include "analyzer/output/clean.h"
#include "analyzer/query/db.h"
#include "analyzer/query/meaning.h"
#include "analyzer/query/vms.h"
#include "analyzer/query/where.h"

#define FRAME_BYTES 256

static const char *const part_names[] = {"handler", "halted", "user space", "waiting for a CPU"};

/* Columns of the statement. */
enum { F_VM, F_CR3, F_REASON_NAME, F_REASON, F_KEY, F_AUX, F_KEY_TEXT, F_REGION, F_PART };

/* Faults of guest memory are joined by region: 49 frames instead of 23,730. */
#define IS_MEMORY "((r.isa = 1 AND x.basic_reason = 48) OR (r.isa = 2 AND x.basic_reason = 1024))"
#define FOLDED_SQL                                                                                                                                                                                                                                                                \
	"SELECT x.vm, x.cr3, x.reason_name, x.basic_reason, x.key, x.key_aux, x.key_text, CASE WHEN " IS_MEMORY                                                                                                                                                                   \
	" THEN x.key >> 21 END AS region, sum(x.handler_cycles), sum(x.halted_cycles), sum(x.userspace_cycles), sum(x.preempted_cycles) FROM exit e JOIN exits x ON x.id = e.rowid JOIN run r ON r.id = x.run WHERE %s GROUP BY x.vm, x.cr3, x.reason_name, CASE WHEN " IS_MEMORY \
	" THEN NULL ELSE x.key_text END, region ORDER BY 1, 2, 3, 8, 7"

/* A frame's name: no ';', which ends a frame, no blank at its end, nothing that a terminal obeys.
 */
static void put_frame(FILE *file, const char *text)
{
	char frame[FRAME_BYTES];

	snprintf(frame, sizeof(frame), "%s", text);
	clean_text(frame);
	for (char *c = frame; (c = strchr(c, ';'));)
		*c = ':';
	fprintf(file, "%s;", *frame ? frame : "?");
}

static void put_key(FILE *file, const struct run *run, sqlite3_stmt *stmt)
{
	char meaning[64], frame[FRAME_BYTES];
	const char *key = (const char *)sqlite3_column_text(stmt, F_KEY_TEXT);
	const char *name;

	if (!key)
		return;
	if (sqlite3_column_type(stmt, F_REGION) != SQLITE_NULL) {
		snprintf(frame, sizeof(frame), "gpa 0x%" PRIx64 " (2 MiB)",
			 (uint64_t)sqlite3_column_int64(stmt, F_REGION) << 21);
		put_frame(file, frame);
		return;
	}

	name = meaning_of_key(run->isa, sqlite3_column_int64(stmt, F_REASON),
			      sqlite3_column_int64(stmt, F_KEY), sqlite3_column_int64(stmt, F_AUX),
			      meaning, sizeof(meaning));
	snprintf(frame, sizeof(frame), "%s%s%s", key, name ? " " : "", name ? name : "");
	put_frame(file, frame);
}

static void put_stacks(FILE *file, const struct run *run, sqlite3_stmt *stmt)
{
	const char *cr3 = (const char *)sqlite3_column_text(stmt, F_CR3);
	char vm[FRAME_BYTES], process[64];

	for (int part = 0; part < 4; part++) {
		int64_t cycles = sqlite3_column_int64(stmt, F_PART + part);

		if (cycles <= 0)
			continue;
		snprintf(vm, sizeof(vm), "VM %s", vms_label(run, sqlite3_column_int64(stmt, F_VM)));
		put_frame(file, vm);
		if (cr3) {
			snprintf(process, sizeof(process), "CR3 %s", cr3);
			put_frame(file, process);
		}
		put_frame(file, (const char *)sqlite3_column_text(stmt, F_REASON_NAME));
		put_key(file, run, stmt);
		fprintf(file, "%s %" PRId64 "\n", run->has_split ? part_names[part] : "exit",
			cycles_to_ns(cycles, run->tsc_khz));
	}
}

int export_folded(struct app *app, FILE *file)
{
	sqlite3_stmt *stmt;
	int rc;

	if (app->run.no_durations)
		return app_fail(app, "export: run %" PRId64 " \"%s\" has no durations to fold",
				app->run.id, app->run.label);
	if (where_prepare(app, &app->run, FOLDED_SQL, &stmt))
		return -1;
	while ((rc = db_step(app, stmt)) > 0)
		put_stacks(file, &app->run, stmt);
	sqlite3_finalize(stmt);
	return rc;
}
