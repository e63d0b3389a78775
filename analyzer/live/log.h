/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * log.h - a recording in progress as a log: lines of text, CSV or JSON that only grow
 */
#ifndef EXITSCOPE_ANALYZER_LIVE_LOG_H
#define EXITSCOPE_ANALYZER_LIVE_LOG_H

#include "analyzer/live/table.h"

/*
 * struct log - a log on standard output
 * @by: what a line is about: all exits (0), a reason or a VM ('r', 'v')
 * @lines: written so far
 * @width: columns of the terminal; 0: not a terminal
 */
struct log {
	const struct out_style *style;
	char by;
	uint64_t lines;
	int width;
	struct out out; /* of CSV */
};

/* Return: whether the log can begin; false: log_end() says why not. */
bool log_begin(struct log *log, const struct out_style *style, char by);

/*
 * Write the lines of a snapshot, of @limit rows at most, and hand them on. 0, or -1 with
 * app->error.
 */
int log_write(struct log *log, const struct snapshot *snapshot, unsigned int limit);

/* In any case, @failed or not. 0, or -1 with app->error. */
int log_end(struct log *log, struct app *app, bool failed);

#endif
