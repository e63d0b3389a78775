/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * screen.h - a full terminal screen, given back as it was on every way out
 */
#ifndef EXITSCOPE_ANALYZER_LIVE_SCREEN_H
#define EXITSCOPE_ANALYZER_LIVE_SCREEN_H

#include <stdbool.h>

/* What screen_wait() returns in addition to a key (1 to 255). */
#define SCREEN_TIME   0	  /* the time is up */
#define SCREEN_RESIZE 256 /* the screen must be drawn anew */
#define SCREEN_END    257 /* SIGINT, SIGTERM, SIGHUP, SIGQUIT, or the keyboard is gone */

/* Whether standard input and output are a terminal that can be drawn on. */
bool screen_possible(void);

/*
 * Catch the signals that end the program, so that screen_wait() reports them.
 * With @full also take the whole screen and single keys. 0 or -errno.
 */
int screen_open(bool full);

/* Give everything back. Also done when the program dies of a signal that can be caught. */
void screen_close(void);

/* Rows and columns of the terminal; 24 x 80 where it does not tell. */
void screen_size(int *rows, int *columns);

/* Wait for a key, a signal or @seconds. Ctrl-Z stops and goes on in here. */
int screen_wait(double seconds);

/*
 * Show @text from the top, cropped to the screen, and @last_line at its bottom.
 * A line that begins with '\1' is shown in reverse, with '\2' in bold. 0 or -errno.
 */
int screen_draw(const char *text, const char *last_line);

#endif
