// SPDX-License-Identifier: GPL-2.0-only
/*
 * watch.c - the file of a recording in progress; see watch.h
 */
#include "analyzer/live/watch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/query/db.h"
#include "sql/store/writer.h"

int watch_open(struct app *app, int *fd)
{
	*fd = open(app->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return db_open(app, app->path, &app->db);
}

int watch_check(struct app *app, int fd)
{
	struct stat mine, there;

	if (fd < 0 || fstat(fd, &mine))
		return 0;
	if (stat(app->path, &there) || mine.st_ino != there.st_ino || mine.st_dev != there.st_dev)
		return app_fail(
			app,
			"%s: the file was deleted, moved or replaced (call analyzer live again)",
			app->path);
	app->written = writer_probe(fd) == 1;
	return 0;
}

void watch_close(struct app *app, int fd)
{
	sqlite3_close(app->db);
	app->db = NULL;
	if (fd >= 0)
		close(fd);
}
