// SPDX-License-Identifier: GPL-2.0-only
/*
 * store.c - opens, checks and creates run databases; begins and ends runs
 */
#include "sql/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sql/store/writer.h"

/* Places in the header of a database file (sqlite.org/fileformat.html, 1.3). */
#define HEADER_BYTES	      100
#define HEADER_MAGIC	      "SQLite format 3"
#define HEADER_USER_VERSION   60
#define HEADER_APPLICATION_ID 68

/* The end of a journal that names a super-journal: length, checksum, this. */
#define JOURNAL_MAGIC "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"

int store_step(sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	/* reset gives the same error again */
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? 0 : rc;
}

int store_prepare(struct store *store, const char *sql, sqlite3_stmt **stmt)
{
	return sqlite3_prepare_v2(store->db, sql, -1, stmt, NULL);
}

void store_bind_int(sqlite3_stmt *stmt, const char *name, int64_t value)
{
	sqlite3_bind_int64(stmt, sqlite3_bind_parameter_index(stmt, name), value);
}

void store_bind_text(sqlite3_stmt *stmt, const char *name, const char *text)
{
	sqlite3_bind_text(stmt, sqlite3_bind_parameter_index(stmt, name), text, -1, SQLITE_STATIC);
}

static uint32_t big_endian(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/*
 * Looks at the file without SQLite, which might recover or checkpoint (write)
 * a database that is not ours. *@empty: there is nothing in it.
 */
static int check_file(int fd, bool *empty)
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
	if (big_endian(header + HEADER_USER_VERSION) > STORE_VERSION)
		return STORE_FUTURE;
	return 0;
}

/*
 * A rollback journal that is left over may name a super-journal, which SQLite
 * deletes after the rollback, whatever file that is. The collector's own
 * transactions are of one file and have none.
 */
static int check_journal(const char *path)
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

	return n == sizeof(magic) && !memcmp(magic, JOURNAL_MAGIC, sizeof(magic)) ? STORE_JOURNAL
										  : 0;
}

/*
 * Opens the file, locks it against other writers and checks whose it is. A new one is for its
 * owner alone: it holds what only root may read from the device.
 */
static int claim_file(struct store *store, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool empty = true;
	int rc;

	store->made = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	store->lock_fd = fd;
	rc = writer_lock(fd);
	if (rc)
		return rc == -EWOULDBLOCK ? STORE_BUSY : rc;
	rc = check_file(fd, &empty);
	/* SQLite never rolls an empty file back. */
	if (!rc && !empty)
		rc = check_journal(path);
	store->empty = !rc && empty;
	return rc;
}

static int exec(struct store *store, const char *sql)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL);
}

/* The number that a query of one row and column gives. */
static int query_int(struct store *store, const char *sql, int64_t *value)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL);

	if (rc)
		return rc;
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		*value = sqlite3_column_int64(stmt, 0);
		rc = 0;
	} else if (rc == SQLITE_DONE) {
		rc = SQLITE_CORRUPT;
	}
	sqlite3_finalize(stmt);
	return rc;
}

/*
 * The tables, the meanings of the exit reasons and the views of this program, in
 * one transaction: a killed writer changes nothing. @version: of the file; 0: new.
 */
static int write_schema(struct store *store, int64_t version)
{
	int rc = exec(store, "BEGIN IMMEDIATE");

	/* Both in one transaction: what is checked is what is written to. */
	if (!rc && version)
		rc = schema_check(store->db, version, SCHEMA_UPDATE);
	if (!rc)
		rc = version ? store_migrate(store, version) : exec(store, sql_schema);
	if (!rc)
		rc = exec(store, sql_exit_reason);
	if (!rc)
		rc = exec(store, sql_views);
	if (!rc && version)
		rc = schema_check(store->db, STORE_VERSION, SCHEMA_WRITE);
	if (!rc)
		rc = exec(store, "COMMIT");

	if (rc && !sqlite3_get_autocommit(store->db))
		exec(store, "ROLLBACK");
	/* Our own text is sound, so something in the file has a name of ours. */
	return rc == SQLITE_ERROR ? STORE_TABLE : rc;
}

static int check_version(struct store *store)
{
	int64_t id;
	int64_t version;
	int64_t objects;
	int rc = query_int(store, "PRAGMA application_id", &id);

	if (!rc)
		rc = query_int(store, "PRAGMA user_version", &version);
	if (!rc)
		rc = query_int(store, "SELECT count(*) FROM sqlite_schema", &objects);
	if (rc == SQLITE_NOTADB)
		return STORE_FOREIGN;
	if (rc)
		return rc;
	if (!id && !objects)
		return write_schema(store, 0);
	if (id != SCHEMA_APPLICATION_ID || version < 1)
		return STORE_FOREIGN;
	if (version > STORE_VERSION)
		return STORE_FUTURE;
	return write_schema(store, version);
}

static int open_database(struct store *store)
{
	int rc = sqlite3_open_v2(store->path, &store->db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc)
		return rc;
	rc = schema_harden(store->db);
	if (rc)
		return rc;
	sqlite3_extended_result_codes(store->db, 0);
	sqlite3_busy_timeout(store->db, 5000);
	/* A file that is refused below stays as it is. */
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	rc = check_version(store);
	if (rc)
		return rc;
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	/*
	 * References are right by construction (ids come from our own INSERTs);
	 * checking them costs a cursor per row, a quarter of the time. So they stay
	 * off, as schema_harden() has set them.
	 */
	rc = exec(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
	if (rc)
		return rc;
	/* We hold the lock: whoever was still recording is dead. */
	return exec(store,
		    "UPDATE run SET state = 'interrupted', tsc_end = (SELECT max(last_tsc)"
		    " FROM exit_rollup r JOIN vcpu c ON c.id = r.vcpu JOIN vm m ON m.id = c.vm_id"
		    " WHERE m.run_id = run.id) WHERE state = 'recording'");
}

static int prepare(struct store *store)
{
	static const char trim_rows[] = "DELETE FROM exit WHERE rowid BETWEEN ?1 AND ?2";
	static const char insert_loss[] = "INSERT INTO loss VALUES (?,?,?,?,?)";
	static const char insert_check[] =
		"INSERT INTO crosscheck VALUES (:run, :vcpu, :source, :name, :reason, :n, :cycles)";
	static const char update_vcpu[] =
		"UPDATE vcpu SET recorded = ?2, dropped = ?3 WHERE id = ?1";
	const struct {
		const char *sql;
		sqlite3_stmt **stmt;
	} all[] = {
		{trim_rows, &store->trim_rows},
		{insert_loss, &store->insert_loss},
		{insert_check, &store->insert_check},
		{update_vcpu, &store->update_vcpu},
	};
	size_t i;
	int rc = store_rows_init(store);

	for (i = 0; !rc && i < sizeof(all) / sizeof(*all); i++)
		rc = sqlite3_prepare_v3(store->db, all[i].sql, -1, SQLITE_PREPARE_PERSISTENT,
					all[i].stmt, NULL);
	if (!rc)
		rc = store_sum_prepare(store);
	return rc ? rc : store_sum_init(store);
}

/* Leaves the file as it was found: missing, or empty. */
static void take_back(struct store *store)
{
	static const char *const sides[] = {"-wal", "-shm", "-journal"};
	char *side;
	size_t i;

	if (store->made)
		unlink(store->path);
	else if (ftruncate(store->lock_fd, 0))
		return;
	for (i = 0; i < sizeof(sides) / sizeof(*sides); i++) {
		if (asprintf(&side, "%s%s", store->path, sides[i]) < 0)
			continue;
		unlink(side);
		free(side);
	}
}

int store_open(const char *path, struct store **result)
{
	struct store *store = calloc(1, sizeof(*store));
	int rc;

	if (!store)
		return -ENOMEM;
	store->lock_fd = -1;
	/* No name has a special meaning to SQLite when a folder comes first. */
	if (asprintf(&store->path, "%s%s", *path == '/' ? "" : "./", path) < 0) {
		free(store);
		return -ENOMEM;
	}
	rc = claim_file(store, store->path);
	if (!rc) {
		rc = open_database(store);
		if (!rc)
			rc = prepare(store);
	}
	if (rc) {
		store->take_back = store->empty;
		store_close(store);
		store = NULL;
	}
	*result = store;
	return rc;
}

bool store_is_refusal(int rc)
{
	return rc == STORE_FOREIGN || rc == STORE_FUTURE ||
	       (rc >= STORE_TABLE && rc <= STORE_JOURNAL);
}

const char *store_strerror(struct store *store, int rc)
{
	static char text[4200];

	switch (rc) {
	case STORE_MOVED:
	case STORE_DELETED:
		snprintf(text, sizeof(text), "it was %s during the recording (all is in %s)",
			 rc == STORE_MOVED ? "moved" : "deleted",
			 store && store->found ? store->found : "another file");
		return text;
	case STORE_FOREIGN:
		return "exists and is not a run database";
	case STORE_FUTURE:
		return "was written by a newer version";
	case STORE_BUSY:
		return "another collector writes it";
	case STORE_TABLE:
		return "not a database of the collector's making: its tables differ from the "
		       "collector's";
	case STORE_ACTIVE:
		return "not a database of the collector's making: it has a trigger, a virtual "
		       "table or another object that runs code";
	case STORE_INDEX:
		return "not a database of the collector's making: an index on the collector's "
		       "tables is unique or partial, or has an expression or a collation";
	case STORE_JOURNAL:
		return "not a database of the collector's making: its journal belongs to a "
		       "transaction of several files";
	case STORE_RUNLESS:
		return "the run takes no more records";
	case SQLITE_FULL:
		return "no space left on the disk";
	}
	return rc < 0 ? strerror(-rc) : sqlite3_errstr(rc);
}

/* Binds the texts of a run in the order of the INSERT below, from place 2 on. */
static void bind_texts(sqlite3_stmt *stmt, const struct store_run *run)
{
	const char *const text[] = {
		run->source,	run->environment,
		run->command,	run->host,
		run->kernel,	run->cpu_model,
		run->microcode, run->ept,
		run->vpid,	run->unrestricted_guest,
		run->nested,	run->module_parameters,
		run->collector, run->label,
	};
	int i;

	for (i = 0; i < (int)(sizeof(text) / sizeof(*text)); i++)
		sqlite3_bind_text(stmt, i + 1, text[i], -1, SQLITE_STATIC);
}

static int insert_run(struct store *store, const struct store_run *run)
{
	static const char sql[] =
		"INSERT INTO run (source, environment, command, host, kernel, cpu_model,"
		" microcode, ept, vpid, unrestricted_guest, nested, module_parameters, collector,"
		" label, isa, tsc_khz, tsc_start, started_ns, rollup_cycles, hist_cycles,"
		" has_raw, has_split) VALUES (?, coalesce(?, 'unknown'), ?, ?, ?, ?, ?, ?, ?, ?,"
		" ?, ?, ?, coalesce(?, 'run ' || (SELECT coalesce(max(id), 0) + 1 FROM run)),"
		" ?, ?, ?, ?, ?, ?, ?, ?)";
	const int64_t value[] = {
		run->isa,
		run->tsc_khz,
		(int64_t)run->tsc_start,
		run->started_ns,
		(int64_t)store->rollup_cycles,
		(int64_t)store->hist_cycles,
		!run->raw	   ? 0
		: run->keep_cycles ? 2
				   : 1,
		run->split,
	};
	sqlite3_stmt *stmt;
	int i;
	int rc = sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL);

	if (rc)
		return rc;
	bind_texts(stmt, run);
	for (i = 0; i < (int)(sizeof(value) / sizeof(*value)); i++)
		sqlite3_bind_int64(stmt, 15 + i, value[i]);
	rc = store_step(stmt);
	sqlite3_finalize(stmt);
	return rc;
}

int store_begin(struct store *store, const struct store_run *run)
{
	int rc;

	if (store->run || !run->tsc_khz)
		return -EINVAL;
	store->tsc_start = run->tsc_start;
	store->rollup_cycles = (uint64_t)run->tsc_khz * STORE_ROLLUP_MS;
	store->hist_cycles = (uint64_t)run->tsc_khz * STORE_HIST_MS;
	store->isa = run->isa;
	store->raw = run->raw;
	store->keep_cycles = run->keep_cycles;
	store->mark_count = 0;
	store->last_tsc = 0;
	store->first_row = 0;
	store->last_row = 0;
	store->failed_run = 0;
	store->vcpu_count = 0;
	store->recorded = 0;
	store->dropped = 0;
	store->unread = 0;
	store->unflushed = 0;
	store->pending = false;
	store->loss_count = 0;
	rc = insert_run(store, run);
	if (!rc)
		store->run = sqlite3_last_insert_rowid(store->db);
	return rc;
}

int store_finish(struct store *store, const char *state, uint64_t tsc_end, int64_t ended_ns)
{
	sqlite3_stmt *stmt;
	int64_t run;
	int flushed = store->run ? store_write(store, true) : 0;
	int rc;

	run = store->run ? store->run : store->failed_run;
	if (!run)
		return STORE_RUNLESS;
	rc = sqlite3_prepare_v2(
		store->db, "UPDATE run SET state = ?2, tsc_end = ?3, ended_ns = ?4 WHERE id = ?1",
		-1, &stmt, NULL);
	if (rc)
		return rc;
	sqlite3_bind_int64(stmt, 1, run);
	sqlite3_bind_text(stmt, 2, flushed ? "interrupted" : state, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 3, (sqlite3_int64)tsc_end);
	sqlite3_bind_int64(stmt, 4, ended_ns);
	rc = store_step(stmt);
	sqlite3_finalize(stmt);
	if (!rc && !flushed)
		rc = store_coarse_write(store, run);
	store->run = 0;
	store->failed_run = 0;
	if (flushed || rc)
		return flushed ? flushed : rc;
	return store_check_place(store);
}

/*
 * Deletes a run and what belongs to it. Not by foreign keys: tables of others may
 * refer to ours, and SQLite would evaluate their expressions.
 */
static int delete_run(struct store *store, int64_t run)
{
#define VCPUS "(SELECT c.id FROM vcpu c JOIN vm m ON m.id = c.vm_id WHERE m.run_id = ?1)"
	static const char *const deletes[] = {
		"DELETE FROM exit WHERE vcpu IN " VCPUS,
		"DELETE FROM exit_rollup WHERE vcpu IN " VCPUS,
		"DELETE FROM exit_hist WHERE vcpu IN " VCPUS,
		"DELETE FROM exit_rollup_coarse WHERE vcpu IN " VCPUS,
		"DELETE FROM exit_hist_total WHERE vcpu IN " VCPUS,
		"DELETE FROM loss WHERE vcpu IN " VCPUS,
		"DELETE FROM crosscheck WHERE run_id = ?1",
		"DELETE FROM vmx_capability WHERE run_id = ?1",
		"DELETE FROM leaf_reading WHERE run_id = ?1",
		"DELETE FROM vcpu WHERE vm_id IN (SELECT id FROM vm WHERE run_id = ?1)",
		"DELETE FROM vm WHERE run_id = ?1",
		"DELETE FROM run WHERE id = ?1",
	};
#undef VCPUS
	sqlite3_stmt *stmt;
	int rc = exec(store, "BEGIN");

	for (size_t i = 0; !rc && i < sizeof(deletes) / sizeof(*deletes); i++) {
		rc = sqlite3_prepare_v2(store->db, deletes[i], -1, &stmt, NULL);
		if (rc)
			break;
		sqlite3_bind_int64(stmt, 1, run);
		rc = store_step(stmt);
		sqlite3_finalize(stmt);
	}
	if (!rc)
		rc = exec(store, "COMMIT");

	if (rc && !sqlite3_get_autocommit(store->db))
		exec(store, "ROLLBACK");
	return rc;
}

int store_discard(struct store *store)
{
	int rc;

	if (store->run)
		store_fail(store, 0);
	if (store->empty) {
		store->take_back = true;
		return 0;
	}
	/* On a full disk this may give room to delete in. */
	exec(store, "PRAGMA wal_checkpoint(TRUNCATE)");
	rc = delete_run(store, store->failed_run);
	store->failed_run = 0;
	return rc;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	sqlite3_finalize(store->insert_rows);
	sqlite3_finalize(store->trim_rows);
	sqlite3_finalize(store->insert_loss);
	sqlite3_finalize(store->insert_check);
	sqlite3_finalize(store->update_vcpu);
	store_sum_free(store);
	sqlite3_close(store->db);
	store_rows_free(store);
	if (store->take_back)
		take_back(store);
	/* Last: closing any descriptor of the file drops SQLite's own locks. */
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	free(store->vcpus);
	free(store->found);
	free(store->path);
	free(store);
}
