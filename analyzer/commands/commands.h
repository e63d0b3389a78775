/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * commands.h - every command; the list is in main.c
 */
#ifndef EXITSCOPE_ANALYZER_COMMANDS_COMMANDS_H
#define EXITSCOPE_ANALYZER_COMMANDS_COMMANDS_H

#include "analyzer/commands/command.h"

extern const struct cmd cmd_findings;
extern const struct cmd cmd_states;
extern const struct cmd cmd_explain;
extern const struct cmd cmd_list;
extern const struct cmd cmd_export;
extern const struct cmd cmd_compact;
extern const struct cmd cmd_expand;
extern const struct cmd cmd_push;
extern const struct cmd cmd_fleet;
extern const struct cmd cmd_live;
extern const struct cmd cmd_report;
extern const struct cmd cmd_top_exits;
extern const struct cmd cmd_latency;
extern const struct cmd cmd_histogram;
extern const struct cmd cmd_timeline;
extern const struct cmd cmd_slowest;
extern const struct cmd cmd_sequences;
extern const struct cmd cmd_ipi;
extern const struct cmd cmd_compare;
extern const struct cmd cmd_baseline;
extern const struct cmd cmd_symbols;
extern const struct cmd cmd_runs;
extern const struct cmd cmd_sql;
extern const struct cmd cmd_verify;
extern const struct cmd cmd_vmx_caps;

#endif
