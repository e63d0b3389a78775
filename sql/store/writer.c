// SPDX-License-Identifier: GPL-2.0-only
/* writer.c - locks a run database, and shows whether it has a writer */
#include "sql/store/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

int writer_lock(int fd)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	int tries;

	for (tries = 0; tries < 10; tries++) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return 0;
		if (errno != EWOULDBLOCK)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return -EWOULDBLOCK;
}

int writer_probe(int fd)
{
	if (flock(fd, LOCK_SH | LOCK_NB))
		return errno == EWOULDBLOCK ? 1 : -errno;
	flock(fd, LOCK_UN);
	return 0;
}

int writer_alive(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	rc = writer_probe(fd);
	close(fd);
	return rc;
}
