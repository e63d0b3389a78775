/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * commands.h - how exits and states go on over time, in the past and live
 */
#ifndef EXITSCOPE_ANALYZER_COMMANDS_TIME_COMMANDS_H
#define EXITSCOPE_ANALYZER_COMMANDS_TIME_COMMANDS_H

#include "analyzer/commands/options/command.h"
#include "analyzer/commands/time/help.h"

extern const struct cmd cmd_states;
extern const struct cmd cmd_live;
extern const struct cmd cmd_timeline;
extern const struct cmd cmd_ipi;

#endif
