// SPDX-License-Identifier: GPL-2.0-only
/*
 * outfile.c - write a file as a whole or not at all; see outfile.h
 */
#include "analyzer/output/outfile.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/output.h"

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

/* The unfinished file; a signal removes it. */
static char temp_path[PATH_MAX];

static int failed(struct app *app, const char *path)
{
	return app_fail(app, "%s: %s (it was not written)", path, strerror(errno ? errno : EIO));
}

static void on_signal(int number)
{
	unlink(temp_path);
	signal(number, SIG_DFL);
	raise(number);
}

static void catch_signals(void (*handler)(int))
{
	for (size_t i = 0; i < SIGNALS; i++)
		signal(signals[i], handler);
}

/* An empty file next to @path, with the rights that a new file would have. */
static int make_temp(struct app *app, const char *path)
{
	mode_t mask = umask(0);
	sigset_t all, before;
	int fd;

	umask(mask);
	if (snprintf(temp_path, sizeof(temp_path), "%s.XXXXXX", path) >= (int)sizeof(temp_path))
		return app_fail(app, "%s: the name is too long", path);
	/* No signal may come while there is a file and nobody to remove it. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	fd = mkstemp(temp_path);
	if (fd >= 0)
		catch_signals(on_signal);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (fd < 0)
		return failed(app, path);
	if (fchmod(fd, 0666 & ~mask) || close(fd))
		return failed(app, path);
	return 0;
}

int outfile_replace(struct app *app, const char *path, outfile_make make, void *arg)
{
	int rc = make_temp(app, path);

	if (!rc)
		rc = make(app, temp_path, path, arg);
	errno = 0;
	if (!rc && rename(temp_path, path))
		rc = failed(app, path);
	if (rc)
		unlink(temp_path);
	catch_signals(SIG_DFL);
	return rc;
}

static int write_open(struct app *app, FILE *file, const char *name, outfile_put put,
		      const void *arg)
{
	int rc;

	errno = 0;
	rc = put(app, file, arg);
	if (!rc && output_flush(file))
		rc = failed(app, name);
	return rc;
}

static int write_path(struct app *app, const char *path, const char *name, outfile_put put,
		      const void *arg)
{
	FILE *file = fopen(path, "w");
	int rc;

	if (!file)
		return failed(app, name);

	rc = write_open(app, file, name, put, arg);
	if (fclose(file) && !rc)
		rc = failed(app, name);
	return rc;
}

/* What outfile_write() writes. */
struct content {
	outfile_put put;
	const void *arg;
};

static int write_temp(struct app *app, const char *temp, const char *path, void *arg)
{
	const struct content *content = arg;

	return write_path(app, temp, path, content->put, content->arg);
}

int outfile_write(struct app *app, const char *path, outfile_put put, const void *arg)
{
	struct content content = {put, arg};
	struct stat st;

	if (!strcmp(path, "-"))
		return write_open(app, stdout, "standard output", put, arg);
	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return write_path(app, path, path, put, arg);

	return outfile_replace(app, path, write_temp, &content);
}
