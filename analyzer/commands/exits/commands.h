/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * commands.h - single exits: in the order of time, the slowest, which follows which
 */
#ifndef EXITSCOPE_ANALYZER_COMMANDS_EXITS_COMMANDS_H
#define EXITSCOPE_ANALYZER_COMMANDS_EXITS_COMMANDS_H

#include "analyzer/commands/exits/help.h"
#include "analyzer/commands/options/command.h"

extern const struct cmd cmd_list;
extern const struct cmd cmd_slowest;
extern const struct cmd cmd_sequences;

#endif
