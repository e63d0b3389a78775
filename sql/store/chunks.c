// SPDX-License-Identifier: GPL-2.0-only
/*
 * chunks.c - exits in chunks in place of rows (store_run.compact), while a run is recorded
 *
 * HOW IT WORKS
 * The exits of a vCPU wait in memory until they make a whole chunk. A flush writes what came since
 * the last one as a small chunk, a piece, so that a killed writer loses no more than with rows.
 * STORE_FANOUT pieces of one level become one of the next level, and the whole chunk replaces
 * all its pieces: an exit is encoded two to five times, however long it is from flush to flush.
 *
 *	flush		1	2	...	7	8		the chunk is full
 *	in the file	|a|	|a|b|	...	|a|b|c|d|e|f|g|	|abcdefgh|	|abcdefgh......|
 *
 * What is encoded waits in a queue for the next flush, as rows do: a reader that has the file
 * locked stops nobody until the queue is full.
 *
 * A chunk always gets a new id, above all others: who has read all exits up to a rowid finds the
 * later ones above it, and those of joined pieces once more.
 */
#include "sql/store/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/array.h"
#include "sql/compact/columns.h"

/* Most exits that wait in memory for their chunk: 24 MiB. Then the longest is made early. */
#define WAITING_MAX (8 * CHUNK_RECORDS_MAX)

/* Room for the exits of a chunk. It takes memory only as far as it is used. */
#define FILLING_BYTES (CHUNK_RECORDS_MAX * sizeof(struct kvm_exit_record))

/* Bytes of chunks that wait for a flush before the store waits for it. */
#define QUEUE_BYTES (8U << 20)

int store_chunks_begin(struct store *store)
{
	struct chunk_writer *w = &store->chunks;
	sqlite3_stmt *stmt;
	int64_t last = 0;
	int rc;

	if (!w->encoder)
		w->encoder = chunk_encoder_new(CHUNK_ROW_LEVEL);
	if (!w->encoder)
		return -ENOMEM;

	rc = store_prepare(store, store_sql_last_chunk, &stmt);
	if (!rc)
		rc = store_step_value(stmt, &last);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;

	/* No collector gets that far: half of the ids are left for this run. */
	if (last < 0 || last > EXIT_CHUNK_ID_MAX / 2)
		return SQLITE_CORRUPT;
	w->first_id = last + 1;
	w->next_id = last + 1;
	w->trimmed_tsc = store->tsc_start;
	return 0;
}

static struct kvm_exit_record *allocate(void)
{
	void *room = mmap(NULL, FILLING_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	return room == MAP_FAILED ? NULL : room;
}

/* Forgets the exits of a chunk; gives the memory back unless all vCPUs may keep theirs. */
static void empty(struct store *store, struct filling *f)
{
	store->chunks.waiting -= f->count;
	f->count = 0;
	f->piece_count = 0;
	if ((unsigned int)store->vcpu_count > WAITING_MAX / CHUNK_RECORDS_MAX)
		madvise(f->records, FILLING_BYTES, MADV_DONTNEED);
}

/* Notes that the pieces from number @from on are to be deleted from the file. */
static int drop_pieces(struct chunk_writer *w, const struct filling *f, uint32_t from)
{
	uint32_t count = f->piece_count - from;
	int64_t *more;

	if (!count)
		return 0;
	more = array_reserve(w->stale, w->stale_count, count, sizeof(*more));
	if (!more)
		return -ENOMEM;

	w->stale = more;
	for (uint32_t i = from; i < f->piece_count; i++)
		more[w->stale_count++] = f->pieces[i].id;
	return 0;
}

/* Encodes the exits from number @from on; the chunk waits in the queue. */
static int queue_chunk(struct store *store, const struct vcpu_state *v, uint32_t from, int64_t *id)
{
	const struct filling *f = &v->filling;
	struct chunk_writer *w = &store->chunks;
	struct chunk_row *row = array_reserve(w->queue, w->queue_count, 1, sizeof(*row));
	unsigned char *data;
	int rc;

	if (!row)
		return -ENOMEM;
	w->queue = row;
	row += w->queue_count;

	rc = chunk_row_make(w->encoder, f->records + from, f->count - from, row);
	if (rc)
		return rc;
	data = malloc(row->bytes);
	if (!data)
		return -ENOMEM;
	memcpy(data, row->data, row->bytes);

	row->data = data;
	row->vcpu = v->id;
	row->id = w->next_id++;
	*id = row->id;
	w->queue_bytes += row->bytes;
	w->queue_count++;
	store->pending = true;
	return 0;
}

int store_chunks_finish(struct store *store, struct vcpu_state *v)
{
	struct filling *f = &v->filling;
	bool is_written = f->piece_count == 1 && f->pieces[0].end == f->count;
	int64_t id;
	int rc = 0;

	if (!f->count)
		return 0;

	if (!is_written)
		rc = queue_chunk(store, v, 0, &id);
	if (!rc && !is_written)
		rc = drop_pieces(&store->chunks, f, 0);
	if (!rc)
		empty(store, f);
	return rc;
}

/* Makes room in memory. */
static int finish_longest(struct store *store)
{
	struct vcpu_state *longest = &store->vcpus[0];

	for (int i = 1; i < store->vcpu_count; i++) {
		if (store->vcpus[i].filling.count > longest->filling.count)
			longest = &store->vcpus[i];
	}
	return store_chunks_finish(store, longest);
}

int store_chunks_add(struct store *store, struct vcpu_state *v,
		     const struct kvm_exit_record *records, size_t *count)
{
	struct chunk_writer *w = &store->chunks;
	struct filling *f = &v->filling;
	size_t added = 0;
	int rc = 0;

	if (!f->records)
		f->records = allocate();
	if (!f->records)
		return -ENOMEM;

	while (!rc && added < *count && w->queue_bytes < QUEUE_BYTES) {
		size_t some = CHUNK_RECORDS_MAX - f->count;

		some = some < *count - added ? some : *count - added;
		memcpy(f->records + f->count, records + added, some * sizeof(*records));
		f->count += (uint32_t)some;
		w->waiting += some;
		added += some;

		if (f->count == CHUNK_RECORDS_MAX)
			rc = store_chunks_finish(store, v);
		while (!rc && w->waiting > WAITING_MAX)
			rc = finish_longest(store);
	}
	*count = added;
	return rc;
}

/* Encodes what the file has not yet, together with the pieces before it that it makes a level. */
static int queue_piece(struct store *store, struct vcpu_state *v)
{
	struct filling *f = &v->filling;
	uint32_t first = f->piece_count;
	uint32_t level = 0;
	int64_t id;
	int rc;

	if (f->count == (first ? f->pieces[first - 1].end : 0))
		return 0;

	/* Levels fall from piece to piece, so the first of the last ones says it of all of them. */
	while (first >= STORE_FANOUT - 1 && f->pieces[first - (STORE_FANOUT - 1)].level == level) {
		first -= STORE_FANOUT - 1;
		level++;
	}

	rc = queue_chunk(store, v, first ? f->pieces[first - 1].end : 0, &id);
	if (!rc)
		rc = drop_pieces(&store->chunks, f, first);
	if (rc)
		return rc;

	f->pieces[first] = (struct piece){.id = id, .end = f->count, .level = level};
	f->piece_count = first + 1;
	return 0;
}

/* Inserts the queue and deletes what it replaces. */
static int write_queue(struct store *store)
{
	struct chunk_writer *w = &store->chunks;
	int rc = 0;

	for (size_t i = 0; !rc && i < w->queue_count; i++)
		rc = chunk_row_insert(store->insert_chunk, &w->queue[i]);
	for (size_t i = 0; !rc && i < w->stale_count; i++) {
		sqlite3_bind_int64(store->delete_chunk, 1, w->stale[i]);
		rc = store_step(store->delete_chunk);
	}
	return rc;
}

static void clear_queue(struct chunk_writer *w)
{
	for (size_t i = 0; i < w->queue_count; i++)
		free((unsigned char *)w->queue[i].data);
	w->queue_count = 0;
	w->queue_bytes = 0;
	w->stale_count = 0;
}

int store_chunks_write(struct store *store)
{
	int rc = 0;

	for (int i = 0; !rc && i < store->vcpu_count; i++)
		rc = queue_piece(store, &store->vcpus[i]);
	if (!rc)
		rc = write_queue(store);
	if (!rc)
		clear_queue(&store->chunks);
	return rc;
}

int store_chunks_finish_all(struct store *store)
{
	int rc = 0;

	for (int i = 0; !rc && i < store->vcpu_count; i++)
		rc = store_chunks_finish(store, &store->vcpus[i]);
	return rc;
}

/* In how many steps the kept time passes. */
#define TRIM_STEPS 64

int store_chunks_trim(struct store *store)
{
	struct chunk_writer *w = &store->chunks;
	uint64_t oldest = store->last_tsc - store->keep_cycles;

	/* The statement reads all chunks, so not at every flush. */
	if (store->last_tsc < store->keep_cycles ||
	    store->last_tsc - w->trimmed_tsc < store->keep_cycles / TRIM_STEPS + 1)
		return 0;

	w->trimmed_tsc = store->last_tsc;
	sqlite3_bind_int64(store->trim_chunks, 1, w->first_id);
	sqlite3_bind_int64(store->trim_chunks, 2, (sqlite3_int64)oldest);
	return store_step(store->trim_chunks);
}

void store_chunks_clear(struct store *store)
{
	for (int i = 0; i < store->vcpu_count; i++) {
		struct filling *f = &store->vcpus[i].filling;

		if (f->records)
			munmap(f->records, FILLING_BYTES);
		*f = (struct filling){0};
	}
	clear_queue(&store->chunks);
	store->chunks.waiting = 0;
}

void store_chunks_free(struct store *store)
{
	store_chunks_clear(store);
	chunk_encoder_free(store->chunks.encoder);
	free(store->chunks.queue);
	free(store->chunks.stale);
}
