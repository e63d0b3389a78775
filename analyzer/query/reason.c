// SPDX-License-Identifier: GPL-2.0-only
/*
 * reason.c - exit reasons as they are grouped and named; see reason.h
 */
#include "analyzer/query/reason.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/near.h"

const char *reason_name(struct app *app, int isa, int64_t key, char *text, size_t size)
{
	const char *failed = isa == 1 && (key & REASON_FAILED_ENTRY) ? " FAILED_VMENTRY" : "";
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, "SELECT name FROM reasons WHERE isa = ?1 AND number = ?2"))
		return NULL;
	sqlite3_bind_int(stmt, 1, isa);
	sqlite3_bind_int64(stmt, 2, reason_basic(isa, key));
	rc = db_step(app, stmt);
	if (rc > 0)
		snprintf(text, size, "%s%s", (const char *)sqlite3_column_text(stmt, 0), failed);
	else if (!rc)
		snprintf(text, size, "UNKNOWN_%" PRId64 "%s", reason_basic(isa, key), failed);
	sqlite3_finalize(stmt);
	return rc < 0 ? NULL : text;
}

/* What a name that is not a reason may have meant; "": nothing. */
static int near_reason(struct app *app, int isa, const char *text, char *near, size_t size)
{
	unsigned int distance = NEAR_NONE;
	sqlite3_stmt *stmt;
	int rc;

	*near = '\0';
	if (db_prepare(app, &stmt, "SELECT name FROM reasons WHERE isa = ?1"))
		return -1;
	sqlite3_bind_int(stmt, 1, isa);
	while ((rc = db_step(app, stmt)) > 0) {
		const char *name = (const char *)sqlite3_column_text(stmt, 0);
		const char *found = NULL;

		/* The name is gone with the next row. */
		near_best(text, name, &found, &distance);
		if (found)
			snprintf(near, size, "%s", found);
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int unknown_reason(struct app *app, int isa, const char *text)
{
	char near[64];

	if (!*text)
		return app_fail(app, "--reason %s: a '!' without a reason (as in '!HLT')",
				app->filter.reason);
	if (near_reason(app, isa, text, near, sizeof(near)))
		return -1;
	if (*near)
		return app_fail(app, "--reason %s: no such exit reason of %s (did you mean %s?)",
				text, isa == 1 ? "VMX" : "SVM", near);
	return app_fail(
		app,
		"--reason %s: no such exit reason of %s (analyzer sql 'SELECT number, name FROM reasons' lists them)",
		text, isa == 1 ? "VMX" : "SVM");
}

/* The number of a reason that is given by number or name. */
static int parse_reason(struct app *app, int isa, const char *text, int64_t *number)
{
	sqlite3_stmt *stmt;
	char *end;
	int rc;

	*number = strtoll(text, &end, 0);
	if (end != text && !*end && *number >= 0)
		return 0;

	if (db_prepare(app, &stmt,
		       "SELECT number FROM reasons WHERE isa = ?1 AND name = ?2 COLLATE NOCASE"))
		return -1;
	sqlite3_bind_int(stmt, 1, isa);
	sqlite3_bind_text(stmt, 2, text, -1, SQLITE_STATIC);
	rc = db_step(app, stmt);
	if (rc > 0)
		*number = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	if (!rc)
		return unknown_reason(app, isa, text);
	return rc < 0 ? -1 : 0;
}

/* One word of --reason: a reason, or '!' and a reason. */
static int add_reason(struct app *app, struct run *run, const char *word)
{
	bool excluded = *word == '!';

	if (run->reasons == REASONS_MAX)
		return app_fail(app, "--reason: more than %d reasons", REASONS_MAX);
	if (run->reasons && excluded != run->reasons_excluded)
		return app_fail(app, "--reason %s: either all reasons with '!' or none",
				app->filter.reason);
	run->reasons_excluded = excluded;
	return parse_reason(app, run->isa, word + excluded, &run->reason[run->reasons++]);
}

int reason_filter(struct app *app, struct run *run)
{
	char *list, *save = NULL;
	int rc = 0;

	run->reasons = 0;
	run->reasons_excluded = false;
	if (!app->filter.reason)
		return 0;
	list = strdup(app->filter.reason);
	if (!list)
		return app_fail(app, "out of memory");

	for (char *word = strtok_r(list, ",", &save); word && !rc;
	     word = strtok_r(NULL, ",", &save))
		rc = add_reason(app, run, word);
	if (!rc && !run->reasons)
		rc = app_fail(app, "--reason %s: no reason in it", app->filter.reason);
	free(list);
	return rc;
}

bool reason_passes(const struct run *run, int64_t key)
{
	if (!run->reasons)
		return true;

	for (unsigned int i = 0; i < run->reasons; i++)
		if (run->reason[i] == reason_basic(run->isa, key))
			return !run->reasons_excluded;
	return run->reasons_excluded;
}
