// SPDX-License-Identifier: GPL-2.0-only
/*
 * screen.c - a full terminal screen; see screen.h
 *
 * Signals that end or stop the program are blocked but while it waits, so no
 * drawing is ever cut in the middle. Signals of a crash restore the terminal
 * with calls that are allowed in a handler.
 */
#include "analyzer/live/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/width.h"

/* The alternate screen without a cursor, and back (DEC private modes 1049, 25). */
#define ENTER "\033[?1049h\033[?25l\033[2J"
#define LEAVE "\033[?25h\033[?1049l"

static const int end_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

static struct termios saved;
static sigset_t outside; /* signal mask while waiting */
static volatile sig_atomic_t taken, ended, resized, stopped;

static void put(const char *text)
{
	ssize_t n = write(STDOUT_FILENO, text, strlen(text));

	(void)n; /* a terminal that is gone needs nothing restored */
}

static void give_back(void)
{
	if (!taken)
		return;
	taken = 0;
	put(LEAVE);
	tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

static void take(void)
{
	struct termios keys = saved;

	keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO); /* ISIG stays: Ctrl-C and Ctrl-Z are signals */
	keys.c_cc[VMIN] = 1;
	keys.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &keys);
	taken = 1;
	put(ENTER);
}

static void on_signal(int number)
{
	if (number == SIGWINCH)
		resized = 1;
	else if (number == SIGTSTP)
		stopped = 1;
	else
		ended = 1;
}

static void on_crash(int number)
{
	give_back();
	signal(number, SIG_DFL);
	raise(number);
}

bool screen_possible(void)
{
	const char *term = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term &&
	       strcmp(term, "dumb");
}

static void handle(int number, void (*handler)(int), sigset_t *block)
{
	struct sigaction action = {.sa_handler = handler};

	sigaction(number, &action, NULL);
	if (block)
		sigaddset(block, number);
}

int screen_open(bool full)
{
	sigset_t block;

	sigemptyset(&block);
	for (size_t i = 0; i < sizeof(end_signals) / sizeof(end_signals[0]); i++)
		handle(end_signals[i], on_signal, &block);
	if (full) {
		if (tcgetattr(STDIN_FILENO, &saved))
			return -errno;
		handle(SIGWINCH, on_signal, &block);
		handle(SIGTSTP, on_signal, &block);
		for (size_t i = 0; i < sizeof(crash_signals) / sizeof(crash_signals[0]); i++)
			handle(crash_signals[i], on_crash, NULL);
	}
	if (sigprocmask(SIG_BLOCK, &block, &outside))
		return -errno;
	if (full)
		take();
	return 0;
}

void screen_close(void)
{
	give_back();
	sigprocmask(SIG_SETMASK, &outside, NULL);
}

void screen_size(int *rows, int *columns)
{
	struct winsize size;

	*rows = 24;
	*columns = 80;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col) {
		*rows = size.ws_row;
		*columns = size.ws_col;
	}
}

/* Ctrl-Z: the shell gets its screen back until it lets us go on. */
static void stop(void)
{
	stopped = 0;
	give_back();
	raise(SIGSTOP);
	take();
}

static int read_key(void)
{
	unsigned char key;
	ssize_t n = read(STDIN_FILENO, &key, 1);

	return n == 1 && key ? key : n < 0 && errno == EINTR ? SCREEN_TIME : SCREEN_END;
}

int screen_wait(double seconds)
{
	struct pollfd keyboard = {.fd = taken ? STDIN_FILENO : -1, .events = POLLIN};
	struct timespec time = {.tv_sec = (time_t)seconds,
				.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
	int n = ppoll(&keyboard, 1, &time, &outside);

	if (ended)
		return SCREEN_END;
	if (stopped) {
		stop();
		return SCREEN_RESIZE;
	}
	if (resized) {
		resized = 0;
		return SCREEN_RESIZE;
	}
	return n > 0 ? read_key() : SCREEN_TIME;
}

/* One line, cropped to @columns. */
static void draw_line(FILE *out, const char *line, size_t length, int columns)
{
	const char *mode = *line == '\1' ? "\033[7m" : *line == '\2' ? "\033[1m" : "";
	char *text = strndup(line + (*mode ? 1 : 0), length - (*mode ? 1 : 0));
	int width;

	/* Without memory the line stays empty. */
	if (text)
		text[width_fit(text, columns)] = '\0';
	width = text ? width_of(text) : 0;

	fputs(mode, out);
	/* Text of a database is no command to the terminal. */
	for (const char *at = text; at && *at; at++)
		putc((unsigned char)*at < ' ' || *at == 0x7f ? '?' : *at, out);
	while (*line == '\1' && width++ < columns)
		putc(' ', out);
	fputs("\033[m\033[K", out);
	free(text);
}

int screen_draw(const char *text, const char *last_line)
{
	char *frame = NULL;
	size_t size, sent = 0;
	int rows, columns;
	FILE *out = open_memstream(&frame, &size);

	if (!out)
		return -errno;
	screen_size(&rows, &columns);
	fputs("\033[H", out);
	for (int row = 1; row < rows; row++) {
		size_t length = strcspn(text, "\n");

		draw_line(out, text, length, columns);
		fputs("\r\n", out);
		text += length + (text[length] == '\n');
	}
	draw_line(out, last_line, strlen(last_line), columns);
	if (fclose(out)) {
		free(frame);
		return -ENOMEM;
	}
	while (sent < size) {
		ssize_t n = write(STDOUT_FILENO, frame + sent, size - sent);

		if (n < 0 && errno != EINTR)
			break;
		sent += n > 0 ? (size_t)n : 0;
	}
	free(frame);
	return sent < size ? -errno : 0;
}
