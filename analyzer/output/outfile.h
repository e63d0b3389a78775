/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * outfile.h - write a file as a whole or not at all
 *
 * It is written next to its place and renamed when all of it is there: a full
 * disk, an error or Ctrl-C leaves an older file as it was, and no rest.
 */
#ifndef EXITSCOPE_ANALYZER_OUTPUT_OUTFILE_H
#define EXITSCOPE_ANALYZER_OUTPUT_OUTFILE_H

#include <stdio.h>

#include "analyzer/query/app.h"

/* Write everything to @file; @arg is what outfile_write() got. 0, or -1 with app->error. */
typedef int (*outfile_put)(struct app *app, FILE *file, const void *arg);

/*
 * Fill the empty file @temp, which comes in the place of @path (for messages); @arg is what
 * outfile_replace() got. 0, or -1 with app->error.
 */
typedef int (*outfile_make)(struct app *app, const char *temp, const char *path, void *arg);

/* Let @make fill a new file, with @arg, then put it in the place of @path. */
int outfile_replace(struct app *app, const char *path, outfile_make make, void *arg);

/*
 * Let @put write to @path, with @arg: a file as above, "-" for stdout, or what is not a file
 * on disk (a pipe, a device). 0, or -1 with app->error.
 */
int outfile_write(struct app *app, const char *path, outfile_put put, const void *arg);

#endif
