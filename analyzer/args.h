/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * args.h - the command line
 */
#ifndef EXITSCOPE_ANALYZER_ARGS_H
#define EXITSCOPE_ANALYZER_ARGS_H

#include <stdio.h>

#include "analyzer/commands/options/command.h"

#define ARGS_HELP    1
#define ARGS_VERSION 2

/**
 * args_parse - read the command line
 * @app: its path and filter are set
 * @opt: all other options; free them with args_free() in any case
 * @cmds: every command, with NULL at the end
 * @cmd: the command that argv names; may be NULL with ARGS_HELP and ARGS_VERSION
 *
 * The strings of @argv are kept. Return: 0, ARGS_* or -1 with app->error.
 */
int args_parse(struct app *app, struct options *opt, const struct cmd *const *cmds, int argc,
	       char **argv, const struct cmd **cmd);

/* Print the options that @cmd takes, a line each: name, value and help. */
void args_print_options(FILE *file, const struct cmd *cmd);

/* Free what args_parse() has allocated. The strings of argv are not @opt's. */
void args_free(struct options *opt);

#endif
