/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * other_run.h - a second run to compare with, of the same file or another one
 */
#ifndef EXITSCOPE_ANALYZER_COMMANDS_OPTIONS_OTHER_RUN_H
#define EXITSCOPE_ANALYZER_COMMANDS_OPTIONS_OTHER_RUN_H

#include "analyzer/query/app.h"

/**
 * other_run_open - open what a word names: a run of --db, a file's last run, or FILE:RUN
 * @word: cut in two if it is FILE:RUN; must outlive @other
 * @other: filled in, with the filter of @app; for other_run_close() in any case
 *
 * Return: 0, or -1 with app->error.
 */
int other_run_open(struct app *app, char *word, struct app *other);
/*
 * Gives two runs the same window: where one was moved out to whole intervals, as it has no single
 * exits, the other one is, too. Before anything is read of them. 0, or -1 with app->error.
 */
int other_run_join_windows(struct app *app, struct app *a, struct app *b);

void other_run_close(struct app *other);

#endif
