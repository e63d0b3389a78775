// SPDX-License-Identifier: GPL-2.0-only
/*
 * file_limit.c - a file that would exceed `ulimit -f`; see file_limit.h
 */
#include "base/file_limit.h"

#include <signal.h>

static volatile sig_atomic_t is_hit;

static void note(int signal_number)
{
	(void)signal_number;
	is_hit = 1;
}

void file_limit_watch(void)
{
	signal(SIGXFSZ, note);
}

bool file_limit_was_hit(void)
{
	return is_hit;
}
