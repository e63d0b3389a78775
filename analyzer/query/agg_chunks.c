// SPDX-License-Identifier: GPL-2.0-only
/*
 * agg_chunks.c - the sums of agg.h from chunks; see agg_rows.h
 *
 * HOW IT WORKS
 * A chunk is read column by column. First each exit gets the number of its group; a group depends
 * on the exit's tuple (reason, flags, ... as one number) and at most on one number more, such as
 * the sub-key, so a small cache finds nearly all of them. Then each column is added to its groups.
 * Columns that are 0 in the whole chunk are left out.
 *
 * A chunk is added once all columns that are needed have been decoded: one that can't be read adds
 * nothing, and is said.
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/agg_rows.h"
#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "kvm/uapi/kvm_exit_ring.h"
#include "sql/chunk/chunk.h"
#include "sql/compact/columns.h"
#include "sql/hist.h"

#define CACHE	4096U	   /* places, a power of two */
#define SKIPPED UINT32_MAX /* the group of an exit that doesn't pass */

/* The group of all exits of a tuple and a number; of all tuples, where is_without_tuple(). */
struct cached {
	uint64_t number;
	uint32_t tuple; /* + 1; 0: free */
	uint32_t group;
};

struct scan {
	struct app *app;
	const struct agg_question *question;
	struct chunk_decoder *decoder;

	/* the open chunk */
	int64_t id;
	int64_t vcpu;
	uint32_t count;

	/* its tuples */
	const uint64_t *tuple; /* of each exit */
	uint32_t tuples;
	const uint64_t *reason;
	const uint64_t *flags;
	const uint64_t *aux;
	const uint64_t *user_reason;

	/* its columns; NULL: not needed, or all 0 */
	const uint64_t *number; /* what the group depends on in addition to the tuple */
	const uint64_t *rip;	/* by_rip: what the numbers mean */
	const uint64_t *tsc;
	const uint64_t *cycles;
	const uint64_t *parts[4]; /* as part_fields[] */

	bool passes[CHUNK_RECORDS_MAX]; /* by tuple */
	uint32_t group[CHUNK_RECORDS_MAX];
	struct cached cache[CACHE];
};

/* What is added to a group as it is. */
static const struct {
	enum chunk_field field;
	size_t offset; /* in struct group */
} part_fields[] = {
	{CHUNK_HALTED_CYCLES, offsetof(struct group, halted)},
	{CHUNK_USERSPACE_CYCLES, offsetof(struct group, userspace)},
	{CHUNK_PREEMPTED_CYCLES, offsetof(struct group, preempted)},
	{CHUNK_POLLED_CYCLES, offsetof(struct group, polled)},
};

#define PARTS (sizeof(part_fields) / sizeof(*part_fields))

static const struct {
	uint32_t flag;
	size_t offset;
} flag_counts[] = {
	{KVM_EXIT_REC_FASTPATH, offsetof(struct group, fastpath)},
	{KVM_EXIT_REC_NESTED, offsetof(struct group, nested)},
	{KVM_EXIT_REC_USER, offsetof(struct group, to_user)},
	{KVM_EXIT_REC_SYNTH, offsetof(struct group, synthesized)},
};

static uint64_t *field_of(struct group *group, size_t offset)
{
	return (uint64_t *)((char *)group + offset);
}

/* Whether a part of the chunk is outside of the window. */
static bool is_cut(const struct scan *s, int64_t first_tsc, int64_t last_tsc)
{
	return first_tsc < s->question->from_tsc || last_tsc > s->question->last_tsc;
}

/* The columns that say which group an exit is of. */
static int read_numbers(struct scan *s)
{
	const uint64_t *places;
	uint32_t count;

	switch (s->question->by) {
	case BY_SUBKEY:
	case BY_REGION:
		return chunk_column(s->decoder, CHUNK_KEY, &s->number);
	case BY_CR3:
		return chunk_column(s->decoder, CHUNK_GUEST_CR3, &s->number);
	case BY_PCPU:
		return chunk_column(s->decoder, CHUNK_PCPU, &s->number);
	case BY_RIP:
		return chunk_dictionary(s->decoder, CHUNK_GUEST_RIP, &s->number, &s->rip, &count);
	case BY_USER_REASON:
		return chunk_dictionary(s->decoder, CHUNK_USER_REASON, &places, &s->user_reason,
					&count);
	default:
		return 0;
	}
}

/* Decodes all that is needed of the open chunk. */
static int read_columns(struct scan *s, bool is_cut)
{
	struct chunk_decoder *d = s->decoder;
	bool has_times = agg_has_times(s->question->by);
	int rc = chunk_dictionary(d, CHUNK_REASON, &s->tuple, &s->reason, &s->tuples);

	s->number = NULL;
	s->tsc = NULL;
	if (!rc)
		rc = chunk_dictionary(d, CHUNK_FLAGS, &s->tuple, &s->flags, &s->tuples);
	if (!rc)
		rc = chunk_dictionary(d, CHUNK_KEY_AUX, &s->tuple, &s->aux, &s->tuples);
	if (!rc)
		rc = read_numbers(s);
	if (!rc)
		rc = chunk_column(d, CHUNK_CYCLES, &s->cycles);
	if (!rc && (is_cut || has_times))
		rc = chunk_column(d, CHUNK_TSC, &s->tsc);

	for (size_t i = 0; i < PARTS; i++) {
		s->parts[i] = NULL;
		if (!rc && !chunk_is_zero(d, part_fields[i].field))
			rc = chunk_column(d, part_fields[i].field, &s->parts[i]);
	}
	return rc;
}

/* An exit of a tuple, with what its group depends on in addition. */
static struct agg_exit make_exit(const struct scan *s, uint32_t tuple, uint64_t number)
{
	struct agg_exit exit = {
		.reason = reason_key(s->question->run->isa, (int64_t)s->reason[tuple]),
		.vcpu = s->vcpu,
		.flags = (int64_t)s->flags[tuple],
		.has_number = true,
		.number = number,
		.aux = (int64_t)s->aux[tuple],
	};

	switch (s->question->by) {
	case BY_SUBKEY:
	case BY_REGION:
		exit.has_number = exit.flags & KVM_EXIT_REC_KEY;
		break;
	case BY_CR3:
		exit.has_number = exit.flags & KVM_EXIT_REC_CR3;
		break;
	case BY_USER_REASON:
		exit.number = s->user_reason[tuple];
		break;
	case BY_RIP:
		exit.number = s->rip[number];
		break;
	default:
		break;
	}

	return exit;
}

static struct cached *find_cached(struct scan *s, uint32_t tuple, uint64_t number)
{
	return &s->cache[hash_mix(tuple, number) % CACHE];
}

/* Whether the key is made of the number alone, or of the vCPU. */
static bool is_without_tuple(enum agg_by by)
{
	return by == BY_RIP || by == BY_PCPU || by == BY_VM || by == BY_VCPU;
}

/* Finds the group of exit number @exit. -1: no memory. */
static int find_group(struct scan *s, uint32_t exit, uint64_t number, uint32_t cached_tuple,
		      struct cached *cached)
{
	struct agg *agg = s->question->agg;
	const struct agg_exit one = make_exit(s, (uint32_t)s->tuple[exit], number);
	struct group *group;
	int64_t key[4];

	agg_key(s->question, &one, key);
	group = agg_group(agg, key);
	if (!group)
		return -1;
	if (!group->example)
		group->example = exit_chunk_row(s->id, exit);

	*cached = (struct cached){number, cached_tuple + 1, (uint32_t)(group - agg->group)};
	return 0;
}

static bool is_inside(const struct agg_question *question, int64_t tsc)
{
	return tsc >= question->from_tsc && tsc <= question->last_tsc;
}

/* Gives each exit its group. -1: no memory. */
static int find_groups(struct scan *s, bool is_cut)
{
	const struct agg_question *q = s->question;
	uint32_t of_all = is_without_tuple(q->by) ? 0 : UINT32_MAX;

	memset(s->cache, 0, sizeof(s->cache));
	for (uint32_t i = 0; i < s->tuples; i++)
		s->passes[i] =
			reason_passes(q->run, reason_key(q->run->isa, (int64_t)s->reason[i]));

	for (uint32_t i = 0; i < s->count; i++) {
		uint32_t tuple = (uint32_t)s->tuple[i];
		uint64_t number = s->number ? s->number[i] : 0;
		struct cached *cached;

		s->group[i] = SKIPPED;
		if (!s->passes[tuple] || (is_cut && !is_inside(q, (int64_t)s->tsc[i])))
			continue;
		if (q->by == BY_SLOT)
			number = (uint64_t)agg_bin(q->bins, run_since(q->run, (int64_t)s->tsc[i]));

		tuple &= of_all;
		cached = find_cached(s, tuple, number);
		if ((cached->tuple != tuple + 1 || cached->number != number) &&
		    find_group(s, i, number, tuple, cached))
			return -1;
		s->group[i] = cached->group;
	}
	return 0;
}

static void add_cycles(struct scan *s)
{
	struct group *groups = s->question->agg->group;

	for (uint32_t i = 0; i < s->count; i++) {
		uint64_t cycles = s->cycles[i];
		struct group *to;

		if (s->group[i] == SKIPPED)
			continue;
		to = &groups[s->group[i]];
		to->n++;
		to->cycles += cycles;
		to->min = cycles < to->min ? cycles : to->min;
		to->max = cycles > to->max ? cycles : to->max;
	}
}

static void add_times(struct scan *s)
{
	struct group *groups = s->question->agg->group;

	for (uint32_t i = 0; i < s->count; i++) {
		int64_t tsc = (int64_t)s->tsc[i];
		struct group *to;

		if (s->group[i] == SKIPPED)
			continue;
		to = &groups[s->group[i]];
		to->first = tsc < to->first ? tsc : to->first;
		to->last = tsc > to->last ? tsc : to->last;
	}
}

static void add_part(struct scan *s, const uint64_t *part, size_t offset)
{
	struct group *groups = s->question->agg->group;

	for (uint32_t i = 0; i < s->count; i++) {
		if (s->group[i] != SKIPPED)
			*field_of(&groups[s->group[i]], offset) += part[i];
	}
}

/* Counts the exits that have a flag. */
static void count_flag(struct scan *s, uint32_t flag, size_t offset)
{
	struct group *groups = s->question->agg->group;
	uint64_t any = 0;

	for (uint32_t i = 0; i < s->tuples; i++)
		any |= s->flags[i];
	if (!(any & flag))
		return;

	for (uint32_t i = 0; i < s->count; i++) {
		if (s->group[i] != SKIPPED)
			*field_of(&groups[s->group[i]], offset) += !!(s->flags[s->tuple[i]] & flag);
	}
}

/* The time that group.dist is of. */
static uint64_t dist_value(const struct scan *s, uint32_t exit)
{
	uint64_t value = s->cycles[exit];

	if (!(s->question->flags & AGG_HANDLER))
		return value;
	for (size_t i = 0; i < PARTS; i++) {
		/* The polled time is part of the halted time. */
		if (s->parts[i] && part_fields[i].field != CHUNK_POLLED_CYCLES)
			value -= s->parts[i][exit];
	}
	return value;
}

static int add_dists(struct scan *s)
{
	struct group *groups = s->question->agg->group;
	bool is_exact = s->question->flags & AGG_EXACT;
	int rc = 0;

	for (uint32_t i = 0; !rc && i < s->count; i++) {
		uint64_t value;

		if (s->group[i] == SKIPPED)
			continue;
		value = dist_value(s, i);
		rc = is_exact ? dist_add_value(&groups[s->group[i]].dist, value)
			      : dist_add(&groups[s->group[i]].dist, hist_bucket(value), 1);
	}
	return rc;
}

/* Adds the open chunk, whose columns were read. */
static int add_chunk(struct scan *s, bool is_cut)
{
	if (find_groups(s, is_cut))
		return -1;

	add_cycles(s);
	if (agg_has_times(s->question->by))
		add_times(s);
	for (size_t i = 0; i < PARTS; i++) {
		if (s->parts[i])
			add_part(s, s->parts[i], part_fields[i].offset);
	}
	for (size_t i = 0; i < sizeof(flag_counts) / sizeof(*flag_counts); i++)
		count_flag(s, flag_counts[i].flag, flag_counts[i].offset);
	return s->question->flags & AGG_DIST ? add_dists(s) : 0;
}

/* One row of the statement below. */
static int take_chunk(struct scan *s, sqlite3_stmt *stmt)
{
	const struct exit_rows_damage *damage = &s->app->on_damage;
	bool cut = is_cut(s, sqlite3_column_int64(stmt, 3), sqlite3_column_int64(stmt, 4));
	int64_t exits = sqlite3_column_int64(stmt, 2);
	int rc;

	s->id = sqlite3_column_int64(stmt, 0);
	s->vcpu = sqlite3_column_int64(stmt, 1);
	if (!run_has_vcpu(s->question->run, s->vcpu))
		return 0;

	rc = exit_chunk_open(s->decoder, s->id, exits, sqlite3_column_blob(stmt, 5),
			     (size_t)sqlite3_column_bytes(stmt, 5));
	s->count = chunk_count(s->decoder);
	if (!rc)
		rc = read_columns(s, cut);
	if (rc > 0) {
		damage->report(damage->context, s->id, exits, chunk_strerror(rc));
		return 0;
	}
	return rc || add_chunk(s, cut) ? app_fail(s->app, "out of memory") : 0;
}

int agg_read_chunks(struct app *app, const struct agg_question *question)
{
	static const char sql[] =
		"SELECT id, vcpu, n, first_tsc, last_tsc, data FROM main.exit_chunk WHERE last_tsc >= ?1 AND first_tsc <= ?2 ORDER BY id";
	struct scan *s = calloc(1, sizeof(*s));
	sqlite3_stmt *stmt = NULL;
	int rc;

	if (!s)
		return app_fail(app, "out of memory");
	s->app = app;
	s->question = question;
	s->decoder = chunk_decoder_new();

	rc = s->decoder ? db_prepare(app, &stmt, sql) : app_fail(app, "out of memory");
	if (!rc) {
		sqlite3_bind_int64(stmt, 1, question->from_tsc);
		sqlite3_bind_int64(stmt, 2, question->last_tsc);
	}
	while (!rc && (rc = db_step(app, stmt)) > 0)
		rc = take_chunk(s, stmt);

	sqlite3_finalize(stmt);
	chunk_decoder_free(s->decoder);
	free(s);
	return rc;
}
