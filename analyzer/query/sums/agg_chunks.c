// SPDX-License-Identifier: GPL-2.0-only
/*
 * agg_chunks.c - the sums of agg.h from chunks; see agg_rows.h
 *
 * A chunk is read column by column, those that are needed; agg_places.c adds them up. It is added
 * once all of them have been decoded: one that can't be read adds nothing, and is said.
 */
#include "analyzer/query/db.h"
#include "analyzer/query/sums/agg_places.h"
#include "analyzer/query/sums/agg_rows.h"
#include "sql/chunk/chunk.h"
#include "sql/compact/columns.h"

struct scan {
	struct app *app;
	const struct agg_question *question;
	struct chunk_decoder *decoder;
	struct agg_columns columns; /* of the open chunk */
	struct agg_places *places;
};

static const enum chunk_field part_fields[AGG_PARTS] = {
	[PART_HALTED] = CHUNK_HALTED_CYCLES,
	[PART_USERSPACE] = CHUNK_USERSPACE_CYCLES,
	[PART_PREEMPTED] = CHUNK_PREEMPTED_CYCLES,
	[PART_POLLED] = CHUNK_POLLED_CYCLES,
};

/* Whether a part of the chunk is outside of the window. */
static bool is_cut(const struct scan *s, int64_t first_tsc, int64_t last_tsc)
{
	return first_tsc < s->question->from_tsc || last_tsc > s->question->last_tsc;
}

/* The columns that say which group an exit is of. */
static int read_numbers(struct scan *s)
{
	struct agg_columns *c = &s->columns;
	const uint64_t *places;
	uint32_t count;

	switch (s->question->by) {
	case BY_SUBKEY:
	case BY_REGION:
		return chunk_column(s->decoder, CHUNK_KEY, &c->number);
	case BY_CR3:
		return chunk_column(s->decoder, CHUNK_GUEST_CR3, &c->number);
	case BY_PCPU:
		return chunk_column(s->decoder, CHUNK_PCPU, &c->number);
	case BY_RIP:
		return chunk_dictionary(s->decoder, CHUNK_GUEST_RIP, &c->number, &c->rip, &c->rips);
	case BY_USER_REASON:
		return chunk_dictionary(s->decoder, CHUNK_USER_REASON, &places, &c->user_reason,
					&count);
	default:
		return 0;
	}
}

/* Groups of RIPs have no part in tuples, unless some reasons alone pass. */
static bool needs_tuples(const struct agg_question *question)
{
	return question->by != BY_RIP || question->run->reasons;
}

static int read_tuples(struct scan *s)
{
	struct chunk_decoder *d = s->decoder;
	struct agg_columns *c = &s->columns;
	int rc = chunk_dictionary(d, CHUNK_REASON, &c->tuple, &c->reason, &c->tuples);

	if (!rc)
		rc = chunk_dictionary(d, CHUNK_FLAGS, &c->tuple, &c->flags, &c->tuples);
	if (!rc)
		rc = chunk_dictionary(d, CHUNK_KEY_AUX, &c->tuple, &c->aux, &c->tuples);
	return rc;
}

/* Decodes all that is needed of the open chunk. */
static int read_columns(struct scan *s, bool is_cut)
{
	struct chunk_decoder *d = s->decoder;
	struct agg_columns *c = &s->columns;
	bool has_times = agg_has_times(s->question);
	int rc = needs_tuples(s->question) ? read_tuples(s) : 0;

	if (!rc)
		rc = read_numbers(s);
	if (!rc)
		rc = chunk_column(d, CHUNK_CYCLES, &c->cycles);
	if (!rc && (is_cut || has_times))
		rc = chunk_column(d, CHUNK_TSC, &c->tsc);

	for (size_t i = 0; i < AGG_PARTS; i++) {
		if (!rc && !chunk_is_zero(d, part_fields[i]))
			rc = chunk_column(d, part_fields[i], &c->parts[i]);
	}
	return rc;
}

/* One row of the statement below. */
static int take_chunk(struct scan *s, sqlite3_stmt *stmt)
{
	const struct exit_rows_damage *damage = &s->app->on_damage;
	bool cut = is_cut(s, sqlite3_column_int64(stmt, 3), sqlite3_column_int64(stmt, 4));
	int64_t exits = sqlite3_column_int64(stmt, 2);
	int rc;

	s->columns = (struct agg_columns){
		.id = sqlite3_column_int64(stmt, 0),
		.vcpu = sqlite3_column_int64(stmt, 1),
	};
	if (!run_has_vcpu(s->question->run, s->columns.vcpu))
		return 0;

	rc = exit_chunk_open(s->decoder, s->columns.id, exits, sqlite3_column_blob(stmt, 5),
			     (size_t)sqlite3_column_bytes(stmt, 5));
	s->columns.count = chunk_count(s->decoder);
	if (!rc)
		rc = read_columns(s, cut);
	if (rc > 0) {
		damage->report(damage->context, s->columns.id, exits, chunk_strerror(rc));
		return 0;
	}
	return rc || agg_places_add(s->places, &s->columns, cut) ? app_fail(s->app, "out of memory")
								 : 0;
}

/* All chunks that may have exits of the window. */
static int scan_chunks(struct scan *s)
{
	static const char sql[] =
		"SELECT id, vcpu, n, first_tsc, last_tsc, data FROM main.exit_chunk WHERE last_tsc >= ?1 AND first_tsc <= ?2 ORDER BY id";
	sqlite3_stmt *stmt = NULL;
	int rc = db_prepare(s->app, &stmt, sql);

	if (!rc) {
		sqlite3_bind_int64(stmt, 1, s->question->from_tsc);
		sqlite3_bind_int64(stmt, 2, s->question->last_tsc);
	}
	while (!rc && (rc = db_step(s->app, stmt)) > 0)
		rc = take_chunk(s, stmt);

	sqlite3_finalize(stmt);
	return rc;
}

int agg_read_chunks(struct app *app, const struct agg_question *question)
{
	struct scan scan = {
		.app = app,
		.question = question,
		.decoder = chunk_decoder_new(),
		.places = agg_places_new(question),
	};
	int rc = -1;

	if (!scan.decoder || !scan.places)
		app_fail(app, "out of memory");
	else
		rc = scan_chunks(&scan);
	if (!rc)
		agg_places_finish(scan.places);

	agg_places_free(scan.places);
	chunk_decoder_free(scan.decoder);
	return rc;
}
