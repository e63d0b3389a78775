// SPDX-License-Identifier: GPL-2.0-only
/*
 * other_run.c - opens a second run; see other_run.h
 */
#include "analyzer/commands/other_run.h"

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

void other_run_close(struct app *other)
{
	run_close(&other->run);
	sqlite3_close(other->db);
	other->db = NULL;
}
