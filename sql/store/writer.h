/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * writer.h - who writes a run database
 *
 * A writer holds flock(2) on the file as long as it lives. A run in state
 * 'recording' in a file without a writer was cut off: its writer is dead, and
 * the next one will call it 'interrupted'.
 */
#ifndef EXITSCOPE_SQL_STORE_WRITER_H
#define EXITSCOPE_SQL_STORE_WRITER_H

/*
 * Takes the writer's lock of an open file; waits 0.1 s for programs that call writer_alive().
 * -EWOULDBLOCK: there is a writer.
 */
int writer_lock(int fd);

/*
 * Whether the file has a writer now: 1 or 0, or -errno. Only before this process
 * opens the file with SQLite, whose locks end when any descriptor is closed.
 */
int writer_alive(const char *path);

/*
 * The same of a file that was opened before SQLite opened it, and stays open as long as SQLite has
 * it open: this may be called at any time.
 */
int writer_probe(int fd);

#endif
