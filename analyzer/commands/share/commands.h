/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * commands.h - what others get: a page, other formats, rows for ClickHouse
 */
#ifndef EXITSCOPE_ANALYZER_COMMANDS_SHARE_COMMANDS_H
#define EXITSCOPE_ANALYZER_COMMANDS_SHARE_COMMANDS_H

#include "analyzer/commands/options/command.h"
#include "analyzer/commands/share/help.h"

extern const struct cmd cmd_export;
extern const struct cmd cmd_push;
extern const struct cmd cmd_fleet;
extern const struct cmd cmd_report;

#endif
