// SPDX-License-Identifier: GPL-2.0-only
/*
 * file.c - the file before SQLite opens it, and after it was closed
 *
 * SQLite might recover or checkpoint (write) a database that is not ours. So the file is locked
 * and checked without it.
 */
#include "sql/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sql/journal.h"
#include "sql/store/writer.h"

/* Places in the header of a database file (sqlite.org/fileformat.html, 1.3). */
#define HEADER_BYTES	      100
#define HEADER_MAGIC	      "SQLite format 3"
#define HEADER_USER_VERSION   60
#define HEADER_APPLICATION_ID 68

static uint32_t big_endian(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Checks the header of the file; an empty file (*@empty) has none. */
static int check_header(int fd, bool *empty)
{
	unsigned char header[HEADER_BYTES];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return STORE_FOREIGN;
	*empty = !st.st_size;
	if (*empty)
		return 0;

	n = pread(fd, header, sizeof(header), 0);
	if (n < 0)
		return -errno;
	if (n < HEADER_BYTES || memcmp(header, HEADER_MAGIC, sizeof(HEADER_MAGIC)) ||
	    big_endian(header + HEADER_APPLICATION_ID) != SCHEMA_APPLICATION_ID)
		return STORE_FOREIGN;
	return big_endian(header + HEADER_USER_VERSION) > STORE_VERSION ? STORE_FUTURE : 0;
}

/* Opens the file. A new one is for its owner alone: only root may read the device. */
static int open_file(struct store *store)
{
	int fd = open(store->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	store->made = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(store->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	store->lock_fd = fd;
	return fd < 0 ? -errno : 0;
}

int store_claim_file(struct store *store)
{
	bool empty = true;
	int rc = open_file(store);

	if (rc)
		return rc;

	rc = writer_lock(store->lock_fd);
	if (rc)
		return rc == -EWOULDBLOCK ? STORE_BUSY : rc;

	rc = check_header(store->lock_fd, &empty);
	/* SQLite never rolls an empty file back. */
	if (!rc && !empty) {
		rc = journal_names_another(store->path);
		if (rc > 0)
			rc = STORE_JOURNAL;
	}
	store->empty = !rc && empty;
	return rc;
}

void store_restore_file(struct store *store)
{
	static const char *const sides[] = {"-wal", "-shm", "-journal"};

	if (store->made)
		unlink(store->path);
	else if (ftruncate(store->lock_fd, 0))
		return;

	for (size_t i = 0; i < sizeof(sides) / sizeof(*sides); i++) {
		char *side;

		if (asprintf(&side, "%s%s", store->path, sides[i]) < 0)
			continue;
		unlink(side);
		free(side);
	}
}
