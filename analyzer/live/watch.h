/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * watch.h - the file of a recording in progress: whether its collector lives, and whether it is
 * still the file that the path names
 */
#ifndef EXITSCOPE_ANALYZER_LIVE_WATCH_H
#define EXITSCOPE_ANALYZER_LIVE_WATCH_H

#include "analyzer/query/app.h"

/**
 * watch_open - open the database app->path for reading, and a descriptor that sees its collector
 * @fd: the descriptor; -1: there is none
 *
 * Return: 0, or -1 with app->error; call watch_close() in any case.
 */
int watch_open(struct app *app, int *fd);

/* Sets app->written anew. -1 with app->error: the file was deleted, or another took its place. */
int watch_check(struct app *app, int fd);

/* The database first: SQLite's locks end when any descriptor of the file is closed. */
void watch_close(struct app *app, int fd);

#endif
