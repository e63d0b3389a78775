/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmds.h - every command; the list is in main.c
 */
#ifndef EXITSCOPE_ANALYZER_CMDS_H
#define EXITSCOPE_ANALYZER_CMDS_H

#include "analyzer/app.h"

extern const struct cmd cmd_top_exits;

#endif
