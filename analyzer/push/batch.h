/* SPDX-License-Identifier: GPL-2.0-only */
/* batch.h - rows of one table on their way to a server, and the cursors that they move */
#ifndef EXITSCOPE_ANALYZER_PUSH_BATCH_H
#define EXITSCOPE_ANALYZER_PUSH_BATCH_H

#include "analyzer/push/push.h"

/*
 * struct batch - a run's rows for one server
 * @key: of the run on servers
 * @ended: nobody writes the run any more
 * @day: days since 1970 at its start
 * @ver: grows with the run
 */
struct batch {
	struct push *push;
	struct push_target *target;
	struct push_sent *sent;
	const struct run *run;
	int64_t key;
	bool ended;
	int64_t day;
	int64_t ver;

	enum push_table table;
	struct rows rows;
	struct cursor *cursor;
	size_t cursors;
};

/*
 * What the cursors of batch->table are kept under: the run, or 0 for table reason, which is the
 * same for all runs of a file.
 */
static inline int64_t batch_cursor_key(const struct batch *batch)
{
	return batch->table == PUSH_REASON ? 0 : batch->key;
}

/* Whether it is time to send. */
bool batch_is_full(const struct batch *batch);

/* Add a row; one value per column. Return: 0, or -1 with app->error. */
int batch_put(struct batch *batch, const struct value *value);

/*
 * The cursor of @part is to move when what is in the batch was accepted. A later one of the same
 * part replaces it, if it comes right after it. Return: 0, or -1 with app->error.
 */
int batch_move(struct batch *batch, const struct cursor *cursor);

/*
 * Send the rows, if there are any, and count them in @sent; then write the cursors. The batch is
 * empty afterwards. Return: 0, or -1 with app->error, and the batch keeps its rows and cursors.
 */
int batch_flush(struct batch *batch);

void batch_free(struct batch *batch);

#endif
