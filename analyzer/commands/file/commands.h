/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * commands.h - the file itself: its runs, its CPU, whether it is sound, copies of it
 */
#ifndef EXITSCOPE_ANALYZER_COMMANDS_FILE_COMMANDS_H
#define EXITSCOPE_ANALYZER_COMMANDS_FILE_COMMANDS_H

#include "analyzer/commands/file/help.h"
#include "analyzer/commands/options/command.h"

extern const struct cmd cmd_compact;
extern const struct cmd cmd_expand;
extern const struct cmd cmd_runs;
extern const struct cmd cmd_sql;
extern const struct cmd cmd_verify;
extern const struct cmd cmd_vmx_caps;

#endif
