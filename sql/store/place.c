// SPDX-License-Identifier: GPL-2.0-only
/*
 * place.c - finds out whether the file still has its name, and saves it if it has none
 *
 * SQLite keeps writing to the file that it has open when its name changes. A file that
 * was moved has all the data once the write-ahead log, which keeps the old name, is copied into
 * it. A file that was deleted is copied to a new one while it is still open.
 */
#include "sql/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_BYTES (1 << 20)

/* Copies all of @from. */
static int copy_file(int from, int to)
{
	char *buffer = malloc(COPY_BYTES);
	off_t at = 0;
	ssize_t n = 0;
	int rc = buffer ? 0 : -ENOMEM;

	while (!rc && (n = pread(from, buffer, COPY_BYTES, at)) > 0) {
		for (ssize_t done = 0, wrote; !rc && done < n; done += wrote) {
			wrote = write(to, buffer + done, (size_t)(n - done));
			if (wrote <= 0)
				rc = wrote ? -errno : -EIO;
		}
		at += n;
	}
	if (!rc && n < 0)
		rc = -errno;
	if (!rc && fsync(to))
		rc = -errno;

	free(buffer);
	return rc;
}

/* Opens a new file: under the old name if nobody has it, else under one of our own. */
static int create_copy(struct store *store)
{
	int fd = open(store->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0) {
		store->found = strdup(store->path);
		return fd;
	}
	if (asprintf(&store->found, "%s.saved-XXXXXX", store->path) < 0) {
		store->found = NULL;
		return -1;
	}
	return mkostemp(store->found, O_CLOEXEC);
}

static int save_deleted(struct store *store)
{
	int fd = create_copy(store);
	int rc = fd >= 0 ? copy_file(store->lock_fd, fd) : -errno;

	if (fd >= 0)
		close(fd);
	return rc ? rc : STORE_DELETED;
}

static int find_moved(struct store *store)
{
	char link[64], name[4096];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", store->lock_fd);
	n = readlink(link, name, sizeof(name) - 1);
	if (n > 0)
		store->found = strndup(name, (size_t)n);
	return STORE_MOVED;
}

int store_check_place(struct store *store)
{
	struct stat named, ours;
	int rc;

	if (fstat(store->lock_fd, &ours))
		return -errno;
	if (!stat(store->path, &named) && named.st_dev == ours.st_dev &&
	    named.st_ino == ours.st_ino)
		return 0;

	/* Waits for readers of an older state: they keep the log from being copied whole. */
	rc = sqlite3_exec(store->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
	if (rc)
		return rc;

	free(store->found);
	store->found = NULL;
	return ours.st_nlink ? find_moved(store) : save_deleted(store);
}
