// SPDX-License-Identifier: GPL-2.0-only
/* journal.c - see journal.h */
#include "sql/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The end of a journal that names a super-journal: length, checksum, this. */
#define JOURNAL_MAGIC "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"

int journal_names_another(const char *path)
{
	char magic[sizeof(JOURNAL_MAGIC) - 1];
	ssize_t n = 0;
	char *name;
	off_t end;
	int fd;

	if (asprintf(&name, "%s-journal", path) < 0)
		return -ENOMEM;
	fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	free(name);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;

	end = lseek(fd, 0, SEEK_END);
	if (end >= (off_t)sizeof(magic))
		n = pread(fd, magic, sizeof(magic), end - (off_t)sizeof(magic));
	close(fd);

	return n == sizeof(magic) && !memcmp(magic, JOURNAL_MAGIC, sizeof(magic));
}
