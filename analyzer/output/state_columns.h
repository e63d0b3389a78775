/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * state_columns.h - the columns of the states that vCPUs are in
 */
#ifndef EXITSCOPE_ANALYZER_OUTPUT_STATE_COLUMNS_H
#define EXITSCOPE_ANALYZER_OUTPUT_STATE_COLUMNS_H

/*
 * Of struct out_column, STATE_GUEST to STATE_WAITING in the order of enum state. STATE_POLLED's is
 * to be OUT_HIDDEN where the recording doesn't know it.
 */
#define STATE_COLUMNS                                                                              \
	{"guest", "GUEST", OUT_SHARE, 0}, {"handler", "HANDLER", OUT_SHARE, 0},                    \
		{"userspace", "USERSPACE", OUT_SHARE, 0}, {"polled", "POLLED", OUT_SHARE, 0},      \
		{"halted", "HALTED", OUT_SHARE, 0},                                                \
	{                                                                                          \
		"waiting", "WAITING", OUT_SHARE, 0                                                 \
	}

#endif
