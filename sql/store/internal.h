/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * internal.h - what the files of the store share; nobody else includes this
 *
 * RETURN VALUES: as in store.h, unless said otherwise.
 */
#ifndef EXITSCOPE_SQL_STORE_INTERNAL_H
#define EXITSCOPE_SQL_STORE_INTERNAL_H

#include <sqlite3.h>

#include "sql/compact/chunk_row.h"
#include "sql/hist.h"
#include "sql/own.h"
#include "sql/store/statements.h"
#include "sql/store/store.h"
#include "sql/store/tally.h"
#include "sql/text.h"

/* Intervals of exit_rollup (where the run has no other) and of exit_hist_packed, in ms. */
#define STORE_ROLLUP_MS 100U
#define STORE_HIST_MS	1000U

/* How many pieces of a chunk become one (chunks.c). */
#define STORE_FANOUT 8

/* STORE_FANOUT - 1 of each level, and the one that comes; 8^5 exits are more than a chunk has. */
#define STORE_PIECES (5 * (STORE_FANOUT - 1) + 1)

/* A chunk in the file with some exits of the chunk that is being filled, in their order. */
struct piece {
	int64_t id;
	uint32_t end; /* the number of the exit after its last one */
	uint32_t level;
};

/* The chunk of a vCPU that is being filled. */
struct filling {
	struct kvm_exit_record *records;
	uint32_t count;
	uint32_t piece_count;
	struct piece pieces[STORE_PIECES];
};

struct vcpu_state {
	int64_t id; /* in table vcpu */
	uint64_t next_seq;
	uint64_t recorded;
	uint64_t dropped;
	uint64_t last_tsc; /* of the last record */
	uint64_t uneven;   /* records whose parts don't add up to their cycles */
	bool dirty;	   /* its counts changed since the last flush */
	struct filling filling;
};

/* A row of table loss that waits for the next flush. */
struct loss {
	int64_t vcpu;
	uint64_t first_seq;
	uint64_t n;
	uint64_t tsc_before;
	uint64_t tsc_after;
	bool has_before;
	bool has_after;
};

/* Losses in memory; when there are more, they are written before the flush. */
#define STORE_LOSSES 4096

/* How long another program may keep the file locked, in ms, when memory is full or a run ends. */
#define STORE_PATIENCE_MS 60000

/* Rows that wait for the next flush, as pages of a database (rows.c). */
struct row_image {
	unsigned char *pages;
	uint32_t *last_row; /* of each leaf: its last row's number */
	uint32_t leaves;
	uint32_t rows;
	uint32_t cells;	  /* of the last leaf */
	uint32_t content; /* where its cells begin, from below */
};

/* Chunks that wait for the next flush (chunks.c). */
struct chunk_writer {
	struct chunk_encoder *encoder; /* NULL until the first run with chunks */
	int64_t first_id;	       /* of the run */
	int64_t next_id;
	uint64_t trimmed_tsc; /* when old chunks were last deleted */
	size_t waiting;	      /* exits of all vCPUs in memory */

	struct chunk_row *queue; /* their data are of malloc() */
	size_t queue_count;
	size_t queue_bytes;
	int64_t *stale; /* ids of chunks to be deleted */
	size_t stale_count;
};

struct store {
	sqlite3 *db;
	char *path;
	int lock_fd;  /* holds the file's flock */
	bool made;    /* by us */
	bool empty;   /* when we opened it: store_discard() leaves it so */
	bool restore; /* as it was, when it is closed */

	char *found; /* where the file is, if it was moved or deleted */

	int64_t run; /* id of the open run; 0: none, or failed */
	int64_t failed_run;
	bool raw;
	bool chosen; /* rows are those of store_keep() */
	bool compact;
	bool is_split;
	uint32_t isa;
	bool in_transaction;
	uint64_t tsc_start;
	uint64_t rollup_cycles;
	uint64_t hist_cycles;

	struct vcpu_state *vcpus;
	int vcpu_count;
	uint64_t recorded;
	uint64_t dropped;
	uint64_t unread;
	uint64_t unflushed;
	bool pending; /* memory holds something for the next flush */

	/* rows from first_row on are there */
	uint64_t keep_cycles; /* 0: however old */
	uint64_t keep_rows;   /* 0: however many */
	uint64_t last_tsc;
	int64_t first_row;
	int64_t last_row;

	struct loss losses[STORE_LOSSES];
	int loss_count;

	struct row_image image;
	struct chunk_writer chunks;
	struct tally rollup; /* of struct rollup_sums */
	struct tally hist;   /* of struct hist_counts */
	char *hist_text;     /* room for the texts of one row of exit_hist_packed */
	uint64_t (*hist_counts)[HIST_BUCKETS]; /* and for its counts, STORE_PARTS */

	/* statements/, prepared once */
	sqlite3_stmt *insert_rows;
	sqlite3_stmt *first_young_row;
	sqlite3_stmt *trim_rows;
	sqlite3_stmt *insert_chunk;
	sqlite3_stmt *delete_chunk;
	sqlite3_stmt *trim_chunks;
	sqlite3_stmt *add_rollup;
	sqlite3_stmt *find_hist;
	sqlite3_stmt *write_hist;
	sqlite3_stmt *insert_loss;
	sqlite3_stmt *insert_crosscheck;
	sqlite3_stmt *update_vcpu;
};

/* file.c */

/*
 * Opens, locks and checks @store->path. Sets lock_fd, made and empty. 0, -errno, STORE_BUSY,
 * STORE_FOREIGN, STORE_FUTURE or STORE_JOURNAL.
 */
int store_claim_file(struct store *store);
/* Leaves the file as it was found: missing, or empty. After the database is closed. */
void store_restore_file(struct store *store);
/*
 * Checks that the file still has its name (place.c). 0; STORE_MOVED, STORE_DELETED or STORE_GONE;
 * -errno, or a code of SQLite.
 */
int store_check_place(struct store *store);

/* statement.c; the texts are those of statements/. Results are codes of SQLite. */

/* Runs all statements of @sql. */
int store_exec(struct store *store, const char *sql);
/* Rolls back the open transaction, if there is one. */
void store_rollback(struct store *store);
/* Prepares the first statement of @sql; NULL if this fails. */
int store_prepare(struct store *store, const char *sql, sqlite3_stmt **stmt);
/* Bind by the name of the parameter (":run"); NULL for a text of NULL. Not for hot paths. */
void store_bind_int(sqlite3_stmt *stmt, const char *name, int64_t value);
void store_bind_text(sqlite3_stmt *stmt, const char *name, const char *text);
/* Runs a statement that gives no rows, and resets it. SQLITE_ROW: it gave one. */
int store_step(sqlite3_stmt *stmt);
/* The same, and finalizes it. */
int store_step_once(sqlite3_stmt *stmt);
/* Runs a statement and finalizes it. SQLITE_ROW: @value is its first number; SQLITE_DONE; else. */
int store_step_value(sqlite3_stmt *stmt, int64_t *value);
/* Runs all statements of @sql, with these values for :run and :level. */
int store_exec_for_run(struct store *store, const char *sql, int64_t run, int level);
/* Prepares the statements that a run needs often; finalize them in any case. */
int store_statements_prepare(struct store *store);
void store_statements_finalize(struct store *store);

/* transaction.c */

/*
 * Opens a transaction if none is open; waits for other writers. STORE_RUNLESS; after any other
 * error the run is closed by store_fail().
 */
int store_transaction(struct store *store);
/*
 * store_flush(); @must: waits for other writers. Else, while another program has the file and
 * there is room in memory, it returns 0 and everything stays there until the next flush.
 */
int store_write(struct store *store, bool must);
/*
 * Rolls back, forgets what is in memory and closes the run to more records; returns @rc, or what
 * caused it.
 */
int store_fail(struct store *store, int rc);

/* error.c */

/*
 * store_cause() - what a failed call of SQLite should be reported as
 * @rc: its result, before anything else was called for store->db
 *
 * Return: -errno of the system call that failed, STORE_NO_SHM, or @rc.
 */
int store_cause(const struct store *store, int rc);

/* records.c */

/* The state of a vCPU of the open run. -EINVAL: no such vCPU; STORE_RUNLESS. */
int store_find_vcpu(struct store *store, int vcpu, struct vcpu_state **state);
/*
 * Notes that the records from v->next_seq up to @seq are missing. @after: TSC of the next record,
 * or NULL. Returns what store_write_losses() does, where there is no room for one more.
 */
int store_add_loss(struct store *store, struct vcpu_state *v, uint64_t seq, const __u64 *after);
/* Writes the losses into a transaction, which it opens if need be, and forgets them. */
int store_write_losses(struct store *store);

/* rows.c */

/* Makes the room for rows. -ENOMEM or a code of SQLite; store_rows_free() in any case. */
int store_rows_init(struct store *store);
/* Takes as many of the records as there is room for; returns how many. */
size_t store_rows_add(struct row_image *image, int64_t vcpu, const struct kvm_exit_record *records,
		      size_t count);
/* Inserts all rows into the open transaction. Only once in a transaction. */
int store_rows_write(struct store *store);
/* Forgets the rows. */
void store_rows_clear(struct row_image *image);
/* When the database is closed. */
void store_rows_free(struct store *store);

/* chunks.c; all return 0, -ENOMEM or a code of SQLite */

/* For a run with chunks, after its settings are known. */
int store_chunks_begin(struct store *store);
/* Takes as many of the records as there is room for until a flush; @count is set to how many. */
int store_chunks_add(struct store *store, struct vcpu_state *v,
		     const struct kvm_exit_record *records, size_t *count);
/* Ends the chunk of a vCPU, which takes no memory from then on; at a run's end those of all. */
int store_chunks_finish(struct store *store, struct vcpu_state *v);
int store_chunks_finish_all(struct store *store);
/* Writes what is not in the file yet into the open transaction. */
int store_chunks_write(struct store *store);
/* Deletes chunks that are older than what is to be kept, from time to time. */
int store_chunks_trim(struct store *store);
/* Forgets what is in memory. */
void store_chunks_clear(struct store *store);
/* When the database is closed. */
void store_chunks_free(struct store *store);

/* sum.c */

/* Sums of one roll-up row; fields as in table exit_rollup. */
struct rollup_sums {
	uint64_t n;
	uint64_t cycles;
	uint64_t halted_cycles;
	uint64_t userspace_cycles;
	uint64_t preempted_cycles;
	uint64_t min_cycles;
	uint64_t max_cycles;
	uint64_t n_fastpath;
	uint64_t n_nested;
	uint64_t n_user;
	uint64_t n_synth;
	uint64_t first_tsc;
	uint64_t last_tsc;
	uint64_t polled_cycles;
};

/* Makes the tables of sums in memory. 0 or -ENOMEM; store_sum_free() in any case. */
int store_sum_init(struct store *store);
/* Adds records of one vCPU to the sums in memory, which are written first if they are full. */
int store_sum_add(struct store *store, int64_t vcpu, const struct kvm_exit_record *records,
		  size_t count);
/* Adds exits of one vCPU that were counted elsewhere, with a @reason as in table exit. */
int store_sum_add_counted(struct store *store, int64_t vcpu, uint32_t reason,
			  const struct store_sums *sums);
/* Writes the sums into the open transaction and empties them. */
int store_sum_write(struct store *store);
/* Forgets the sums. */
void store_sum_clear(struct store *store);
void store_sum_free(struct store *store);

#define STORE_PARTS 2 /* exit_hist_packed.cycles, handler_cycles; exit_hist_total.part */

/* Adds the histogram in a column of @stmt's row to @n[HIST_BUCKETS]. 0, or an error of SQLite. */
int store_hist_add(uint64_t *n, sqlite3_stmt *stmt, int column);

/* meta.c */

/* The reason that a slot of the totals is of; -1: of several. */
int64_t store_slot_reason(const struct store *store, unsigned int slot);

/* coarse.c */

/* Writes exit_rollup_coarse and exit_hist_total of a run that has ended, in a transaction. */
int store_coarse_write(struct store *store, int64_t run);
/* exit_rollup_coarse alone, in the open transaction. */
int store_coarse_rollups(struct store *store, int64_t run);

/* migrate.c */

/*
 * Brings a file of schema @version (1 to STORE_VERSION) that was checked up to date, in the open
 * transaction: adds the tables that it lacks, changes those that have changed, repairs what older
 * versions did wrong.
 */
int store_migrate(struct store *store, int64_t version);

#endif
