// SPDX-License-Identifier: GPL-2.0-only
/* error.c - what went wrong: which system call, and words for it */
#include "sql/store/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool store_is_refusal(int rc)
{
	return rc == STORE_FOREIGN || rc == STORE_FUTURE ||
	       (rc >= STORE_TABLE && rc <= STORE_JOURNAL);
}

/* Words for an open file that has lost its name. */
static const char *say_place(const struct store *store, int rc)
{
	static char text[4200];

	snprintf(text, sizeof(text), "it was %s during the recording (all is in %s)",
		 rc == STORE_MOVED ? "moved" : "deleted",
		 store && store->found ? store->found : "another file");
	return text;
}

/* Words for a file that SCHEMA_* refuses, NULL: @rc is none of these. */
static const char *say_refusal(int rc)
{
	switch (rc) {
	case STORE_FOREIGN:
		return "exists and is not a run database";
	case STORE_FUTURE:
		return "was written by a newer version";
	case STORE_TABLE:
		return "not a database of the collector's making: its tables differ from the collector's";
	case STORE_ACTIVE:
		return "not a database of the collector's making: it has a trigger, a virtual table or another object that runs code";
	case STORE_INDEX:
		return "not a database of the collector's making: an index on the collector's tables is unique or partial, or has an expression or a collation";
	case STORE_JOURNAL:
		return "not a database of the collector's making: its journal belongs to a transaction of several files";
	}
	return NULL;
}

const char *store_strerror(struct store *store, int rc)
{
	const char *refusal = say_refusal(rc);

	if (refusal)
		return refusal;

	switch (rc) {
	case STORE_MOVED:
	case STORE_DELETED:
		return say_place(store, rc);
	case STORE_GONE:
		return "it was deleted during the recording, and no folder takes a copy (set TMPDIR to one that has room)";
	case STORE_BUSY:
		return "another collector writes it";
	case STORE_NO_SHM:
		return "its file system has no shared memory, which SQLite needs";
	case STORE_RUNLESS:
		return "the run takes no more records";
	case SQLITE_FULL:
		return "no space left on the disk";
	case SQLITE_BUSY:
		return "another program has a transaction in it (try again when that has ended, or use another --db)";
	case SQLITE_CORRUPT:
		return "damaged (use another --db; sqlite3 FILE .recover saves what is left)";
	}
	return rc < 0 ? strerror(-rc) : sqlite3_errstr(rc);
}

/* Whether it was the memory that all users of the file share, which is mapped from NAME-shm. */
static bool is_shared_memory(int extended)
{
	return extended == SQLITE_IOERR_SHMMAP || extended == SQLITE_IOERR_SHMOPEN ||
	       extended == SQLITE_IOERR_SHMSIZE;
}

static bool is_limit(int error)
{
	return error == ENOSPC || error == EFBIG || error == EMFILE || error == ENOMEM;
}

int store_cause(const struct store *store, int rc)
{
	int extended, error;

	if (rc == SQLITE_NOMEM)
		return -ENOMEM;
	if (!store->db || (rc != SQLITE_IOERR && rc != SQLITE_CANTOPEN))
		return rc;

	extended = sqlite3_extended_errcode(store->db);
	error = sqlite3_system_errno(store->db);
	if (extended == SQLITE_IOERR_NOMEM)
		return -ENOMEM;
	if (is_shared_memory(extended) && !is_limit(error))
		return STORE_NO_SHM;
	return error ? -error : rc;
}
