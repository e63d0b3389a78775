/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * args.h - the command line
 */
#ifndef EXITSCOPE_ANALYZER_ARGS_H
#define EXITSCOPE_ANALYZER_ARGS_H

#include <stdio.h>

#include "analyzer/query/app.h"

#define ARGS_HELP    1
#define ARGS_VERSION 2

/*
 * Parse argv[1..] into app->opt and find the command, which may be NULL with
 * ARGS_HELP and ARGS_VERSION. Returns 0, ARGS_* or -1 with app->error. The
 * strings of argv are kept.
 */
int args_parse(struct app *app, const struct cmd *const *cmds, int argc, char **argv,
	       const struct cmd **cmd);

/* Print the options that @cmd takes. */
void args_print_options(FILE *file, const struct cmd *cmd);

void args_free(struct app *app);

/*
 * Every option of a command, one by one, without dashes: for completion.
 * Returns NULL past the last.
 */
const char *args_option_name(const struct cmd *cmd, unsigned int index);

#endif
