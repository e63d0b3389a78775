// SPDX-License-Identifier: GPL-2.0-only
/*
 * place.c - finds out whether the file still has its name, and saves it if it has none
 *
 * SQLite keeps writing to the file that it has open when its name changes. A file that
 * was moved has all the data once the write-ahead log, which keeps the old name, is copied into
 * it. A file that was deleted is copied to a new one while it is still open: under its old name;
 * else under one of our own, in its folder, in the nearest folder above that takes it, or
 * in $TMPDIR (/var/tmp).
 */
#include "sql/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
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

/*
 * Copies the file to a new one, which is open as @fd (or negative: -errno). @path, of the heap, is
 * its name, and becomes store->found.
 */
static int save_as(struct store *store, int fd, char *path)
{
	int rc = fd >= 0 ? copy_file(store->lock_fd, fd) : fd;

	if (fd >= 0)
		close(fd);
	if (!rc) {
		store->found = path;
		return 0;
	}

	if (fd >= 0)
		unlink(path);
	free(path);
	return rc;
}

static int save_under_old_name(struct store *store)
{
	char *path = strdup(store->path);
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;

	return save_as(store, fd < 0 ? -errno : fd, path);
}

/* Under a name of our own. */
static int save_in(struct store *store, const char *folder)
{
	const char *slash = strrchr(store->path, '/');
	char *path;
	int fd;

	if (asprintf(&path, "%s/%s.saved-XXXXXX", folder, slash ? slash + 1 : store->path) < 0)
		return -ENOMEM;
	fd = mkostemp(path, O_CLOEXEC);
	return save_as(store, fd < 0 ? -errno : fd, path);
}

/* The file's folder may be gone, too. The root is nobody's place for data. */
static int save_deleted(struct store *store)
{
	const char *temporary = getenv("TMPDIR");
	char *path = strdup(store->path);
	const char *folder = path, *above;
	int rc = save_under_old_name(store);

	while (rc && folder && (above = dirname((char *)folder)) && strcmp(above, "/")) {
		rc = save_in(store, above);
		folder = strcmp(above, ".") ? above : NULL;
	}
	if (rc)
		rc = save_in(store, temporary && *temporary ? temporary : "/var/tmp");

	free(path);
	return rc ? STORE_GONE : STORE_DELETED;
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
