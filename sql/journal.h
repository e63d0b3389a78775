/* SPDX-License-Identifier: GPL-2.0-only */
/* journal.h - a rollback journal that another program left next to a database */
#ifndef EXITSCOPE_SQL_JOURNAL_H
#define EXITSCOPE_SQL_JOURNAL_H

/*
 * Whether the journal of database @path names a super-journal: SQLite deletes that file, whichever
 * it is, after it has rolled the database back. Our own transactions are of one file, and their
 * journals name none. Ask before the database is opened for writing.
 *
 * Returns 1 if it does, 0 if it doesn't or there is no journal, -errno if it can't be read.
 * Source: sqlite.org/fileformat.html, 3 (The Rollback Journal).
 */
int journal_names_another(const char *path);

#endif
