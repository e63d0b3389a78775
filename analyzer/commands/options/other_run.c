// SPDX-License-Identifier: GPL-2.0-only
/*
 * other_run.c - opens a second run; see other_run.h
 */
#include "analyzer/commands/options/other_run.h"

#include <string.h>
#include <sys/stat.h>

#include "analyzer/query/db.h"

/* Whether a word names a file; "FILE:RUN" is cut in two. */
static bool is_file(char *word, char **run)
{
	struct stat st;
	char *colon;

	*run = NULL;
	if (!stat(word, &st))
		return true;
	colon = strrchr(word, ':');
	if (!colon)
		return strchr(word, '/') || strstr(word, ".sqlite");
	*colon = '\0';
	if (!stat(word, &st)) {
		*run = colon + 1;
		return true;
	}
	*colon = ':';
	return false;
}

int other_run_open(struct app *app, char *word, struct app *other)
{
	char *run;

	*other = *app;
	other->db = NULL;
	memset(&other->run, 0, sizeof(other->run));
	if (is_file(word, &run))
		other->path = word;
	else
		run = word;

	if (db_open(other, other->path, &other->db) || run_open(other, run, &other->run)) {
		memcpy(app->error, other->error, sizeof(app->error));
		return -1;
	}
	return 0;
}

/* @cycles as ns, up to the next one: not before it. */
static int64_t ns_up(int64_t cycles, int64_t tsc_khz)
{
	int64_t ns = cycles_to_ns(cycles, tsc_khz);

	return ns_to_cycles(ns, tsc_khz) < cycles ? ns + 1 : ns;
}

/* Let a run have the window of @other, if that was moved out. 1: it had another one. */
static int follow(struct app *app, const struct run *other)
{
	struct filter *filter = &app->filter, before = *filter;

	if (!other->widened)
		return 0;
	if (filter->from_ns >= 0)
		filter->from_ns = ns_up(other->from, other->tsc_khz);
	if (filter->to_ns >= 0 && other->to != INT64_MAX)
		filter->to_ns = cycles_to_ns(other->to, other->tsc_khz);
	if (filter->from_ns == before.from_ns && filter->to_ns == before.to_ns)
		return 0;

	if (run_set_window(app, &app->run))
		return -1;
	app->run.follows = !app->run.widened;
	return 1;
}

int other_run_join_windows(struct app *app, struct app *a, struct app *b)
{
	/* Intervals of other lengths move the first one out once more; each time less is left. */
	for (int i = 0; i < 8; i++) {
		int moved_b = follow(b, &a->run), moved_a = moved_b < 0 ? -1 : follow(a, &b->run);

		if (moved_a < 0) {
			memcpy(app->error, *b->error ? b->error : a->error, sizeof(app->error));
			return -1;
		}
		if (!moved_a && !moved_b)
			break;
	}
	return 0;
}

void other_run_close(struct app *other)
{
	run_close(&other->run);
	sqlite3_close(other->db);
	other->db = NULL;
}
