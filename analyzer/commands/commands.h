/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * commands.h - every command; the list is in main.c
 */
#ifndef EXITSCOPE_ANALYZER_COMMANDS_COMMANDS_H
#define EXITSCOPE_ANALYZER_COMMANDS_COMMANDS_H

#include "analyzer/commands/compare/commands.h"
#include "analyzer/commands/exits/commands.h"
#include "analyzer/commands/file/commands.h"
#include "analyzer/commands/help.h"
#include "analyzer/commands/share/commands.h"
#include "analyzer/commands/sums/commands.h"
#include "analyzer/commands/time/commands.h"

#endif
