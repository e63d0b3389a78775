/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * choice.h - an option whose value is one of a list of names, such as --sort
 */
#ifndef EXITSCOPE_ANALYZER_COMMANDS_OPTIONS_CHOICE_H
#define EXITSCOPE_ANALYZER_COMMANDS_OPTIONS_CHOICE_H

#include "analyzer/query/app.h"

/*
 * Find @value in @names, which ends with NULL. Returns its index, or -1 with
 * app->error, which names @option and what it may be.
 */
int choice_parse(struct app *app, const char *option, const char *value, const char *const *names);

#endif
