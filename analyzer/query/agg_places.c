// SPDX-License-Identifier: GPL-2.0-only
/* agg_places.c - sums of the exits of chunks, column by column; see agg_places.h */
#include "analyzer/query/agg_places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/place_table.h"
#include "analyzer/query/reason.h"
#include "base/array.h"
#include "kvm/uapi/kvm_exit_ring.h"
#include "sql/compact/columns.h"

/* The place of exits that don't pass; the others come after it. */
#define SKIPPED PLACE_NONE

/* Exits that are added at once: the sums of their places stay in the second cache. */
#define BLOCK 2048U

/* How many exits ahead memory is fetched. */
#define AHEAD 16U

/* Flags whose exits are counted. */
enum counted_flag { FLAG_FASTPATH, FLAG_NESTED, FLAG_USER, FLAG_SYNTH, FLAGS };

static const uint32_t flags[FLAGS] = {
	[FLAG_FASTPATH] = KVM_EXIT_REC_FASTPATH,
	[FLAG_NESTED] = KVM_EXIT_REC_NESTED,
	[FLAG_USER] = KVM_EXIT_REC_USER,
	[FLAG_SYNTH] = KVM_EXIT_REC_SYNTH,
};

#define FLAG_BITS 16

_Static_assert(CHUNK_RECORDS_MAX < 1U << FLAG_BITS, "no count is larger than a chunk");

/*
 * struct sums - of the exits of a place
 * @parts: by enum agg_part
 * @mixed: by enum counted_flag, FLAG_BITS each, of one chunk
 * @flags: of all its exits; 0 where they may differ: then @mixed counts
 * @group: number of its group
 */
struct sums {
	uint64_t n;
	uint64_t cycles;
	uint64_t min;
	uint64_t max;
	int64_t first;
	int64_t last;
	uint64_t parts[AGG_PARTS];
	uint64_t mixed;
	uint32_t flags;
	uint32_t group;
};

struct agg_places {
	const struct agg_question *question;
	const struct agg_columns *columns; /* of the present chunk */

	/* by tuple of the chunk */
	bool passes[CHUNK_RECORDS_MAX];
	bool all_pass;
	uint64_t mixed[CHUNK_RECORDS_MAX]; /* what it adds to sums.mixed */
	uint32_t kind_of[CHUNK_RECORDS_MAX];

	struct place_table table;	   /* where places are not those of a dictionary */
	uint32_t place[CHUNK_RECORDS_MAX]; /* of each exit */
	struct sums *sums;
	uint32_t count; /* of @sums */
};

/* Whether the key is made of the tuple and the vCPU alone. */
static bool is_by_tuple(enum agg_by by)
{
	return by == BY_REASON || by == BY_VM || by == BY_VCPU || by == BY_USER_REASON;
}

/* Whether places are the numbers of a dictionary of the chunk. */
static bool has_dictionary(enum agg_by by)
{
	return is_by_tuple(by) || by == BY_RIP;
}

static bool is_inside(const struct agg_question *question, int64_t tsc)
{
	return tsc >= question->from_tsc && tsc <= question->last_tsc;
}

static const struct sums no_sums = {.min = UINT64_MAX, .first = INT64_MAX, .last = INT64_MIN};

/* Makes room for places up to @count. */
static int reserve_sums(struct agg_places *p, uint32_t count)
{
	struct sums *sums;

	if (count <= p->count)
		return 0;
	sums = array_reserve(p->sums, p->count, count - p->count, sizeof(*sums));
	if (!sums)
		return -ENOMEM;

	p->sums = sums;
	while (p->count < count)
		p->sums[p->count++] = no_sums;
	return 0;
}

struct agg_places *agg_places_new(const struct agg_question *question)
{
	struct agg_places *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->question = question;
	if (!place_table_init(&p->table) && !reserve_sums(p, SKIPPED + 1))
		return p;

	agg_places_free(p);
	return NULL;
}

void agg_places_free(struct agg_places *places)
{
	if (!places)
		return;
	place_table_free(&places->table);
	free(places->sums);
	free(places);
}

/* The key of an exit of a tuple, with what its group depends on in addition. */
static void make_key(const struct agg_places *p, uint32_t tuple, uint64_t number, int64_t key[4])
{
	const struct agg_columns *c = p->columns;
	struct agg_exit exit = {
		.reason = reason_key(p->question->run->isa, (int64_t)c->reason[tuple]),
		.vcpu = c->vcpu,
		.flags = (int64_t)c->flags[tuple],
		.has_number = true,
		.number = number,
		.aux = (int64_t)c->aux[tuple],
	};

	switch (p->question->by) {
	case BY_SUBKEY:
	case BY_REGION:
		exit.has_number = exit.flags & KVM_EXIT_REC_KEY;
		break;

	case BY_CR3:
		exit.has_number = exit.flags & KVM_EXIT_REC_CR3;
		break;

	case BY_USER_REASON:
		exit.number = c->user_reason[tuple];
		break;

	case BY_RIP:
		exit.number = c->rip[number];
		break;

	default:
		break;
	}
	agg_key(p->question, &exit, key);
}

/* What follows from the tuples of the chunk. */
static void read_tuples(struct agg_places *p)
{
	const struct agg_columns *c = p->columns;
	const struct run *run = p->question->run;

	p->all_pass = true;
	for (uint32_t i = 0; i < c->tuples; i++) {
		p->passes[i] = reason_passes(run, reason_key(run->isa, (int64_t)c->reason[i]));
		p->all_pass &= p->passes[i];

		p->mixed[i] = 0;
		for (int j = 0; j < FLAGS; j++) {
			if (c->flags[i] & flags[j])
				p->mixed[i] |= 1ULL << FLAG_BITS * j;
		}
	}
}

/* Places are the numbers of a dictionary, after SKIPPED. */
static int place_by_dictionary(struct agg_places *p)
{
	const struct agg_columns *c = p->columns;
	bool is_tuple = is_by_tuple(p->question->by);
	const uint64_t *number = is_tuple ? c->tuple : c->number;
	uint32_t count = is_tuple ? c->tuples : c->rips;

	if (reserve_sums(p, SKIPPED + 1 + count))
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		p->sums[SKIPPED + 1 + i] = no_sums;
		if (is_tuple)
			p->sums[SKIPPED + 1 + i].flags = (uint32_t)c->flags[i];
	}
	for (uint32_t i = 0; i < c->count; i++)
		p->place[i] = SKIPPED + 1 + (uint32_t)number[i];
	return 0;
}

/* The kinds of the chunk's tuples. */
static int find_kinds(struct agg_places *p)
{
	const struct agg_columns *c = p->columns;

	for (uint32_t i = 0; i < c->tuples; i++) {
		const struct place_kind kind = {c->reason[i], c->flags[i], c->aux[i]};

		if (place_table_kind(&p->table, &kind, &p->kind_of[i]))
			return -ENOMEM;
	}
	return 0;
}

/* Makes a place for a number that exit @exit is the first one to have; SKIPPED: no memory. */
static uint32_t add_place(struct agg_places *p, uint32_t exit, uint64_t number)
{
	const struct agg_columns *c = p->columns;
	uint32_t tuple = (uint32_t)c->tuple[exit], place = p->count;
	struct agg *agg = p->question->agg;
	struct group *group;
	int64_t key[4];

	make_key(p, tuple, number, key);
	group = agg_group(agg, key);
	if (!group || reserve_sums(p, place + 1) ||
	    place_table_add(&p->table, p->kind_of[tuple], number, place))
		return SKIPPED;
	if (!group->example)
		group->example = exit_chunk_row(c->id, exit);

	p->sums[place].group = (uint32_t)(group - agg->group);
	p->sums[place].flags = (uint32_t)c->flags[tuple];
	return place;
}

/* Places are found by the exit's kind and its number. */
static int place_by_number(struct agg_places *p, uint32_t begin, uint32_t end, bool is_cut)
{
	const struct agg_columns *c = p->columns;
	const struct agg_question *q = p->question;

	for (uint32_t i = begin; i < end; i++) {
		uint32_t tuple = (uint32_t)c->tuple[i];
		uint64_t number = c->number ? c->number[i] : 0;

		if (c->number && i + AHEAD < end)
			place_table_prefetch(&p->table, p->kind_of[c->tuple[i + AHEAD]],
					     c->number[i + AHEAD]);
		p->place[i] = SKIPPED;
		if (!p->passes[tuple] || (is_cut && !is_inside(q, (int64_t)c->tsc[i])))
			continue;
		if (q->by == BY_SLOT)
			number = (uint64_t)agg_bin(q->bins, run_since(q->run, (int64_t)c->tsc[i]));

		p->place[i] = place_table_find(&p->table, p->kind_of[tuple], number);
		if (!p->place[i])
			p->place[i] = add_place(p, i, number);
		if (!p->place[i])
			return -ENOMEM;
		__builtin_prefetch(&p->sums[p->place[i]], 1);
	}
	return 0;
}

/* Takes the exits that don't pass from their places. */
static void skip(struct agg_places *p, bool is_cut)
{
	const struct agg_columns *c = p->columns;

	for (uint32_t i = 0; i < c->count; i++) {
		bool passes = p->passes[c->tuple[i]];

		if (is_cut)
			passes &= is_inside(p->question, (int64_t)c->tsc[i]);
		p->place[i] = passes ? p->place[i] : SKIPPED;
	}
}

static inline void add_one(struct sums *to, uint64_t cycles)
{
	to->n++;
	to->cycles += cycles;
	to->min = cycles < to->min ? cycles : to->min;
	to->max = cycles > to->max ? cycles : to->max;
}

static void add_cycles(struct agg_places *p, uint32_t begin, uint32_t end)
{
	const uint64_t *restrict cycles = p->columns->cycles;
	const uint32_t *restrict place = p->place;
	struct sums *restrict sums = p->sums;

	for (uint32_t i = begin; i < end; i++)
		add_one(&sums[place[i]], cycles[i]);
}

/* The same, and when the exits were. */
static void add_cycles_and_times(struct agg_places *p, uint32_t begin, uint32_t end)
{
	const uint64_t *restrict cycles = p->columns->cycles;
	const uint64_t *restrict tscs = p->columns->tsc;
	const uint32_t *restrict place = p->place;
	struct sums *restrict sums = p->sums;

	for (uint32_t i = begin; i < end; i++) {
		struct sums *to = &sums[place[i]];
		int64_t tsc = (int64_t)tscs[i];

		add_one(to, cycles[i]);
		to->first = tsc < to->first ? tsc : to->first;
		to->last = tsc > to->last ? tsc : to->last;
	}
}

static void add_part(struct agg_places *p, size_t part, uint32_t begin, uint32_t end)
{
	const uint64_t *restrict column = p->columns->parts[part];
	const uint32_t *restrict place = p->place;
	struct sums *restrict sums = p->sums;

	/* Most are 0. */
	for (uint32_t i = begin; i < end; i++) {
		if (column[i])
			sums[place[i]].parts[part] += column[i];
	}
}

/* Counts flags where the exits of a place may have different ones. */
static void add_flags(struct agg_places *p)
{
	const struct agg_columns *c = p->columns;
	uint64_t any = 0;

	for (uint32_t i = 0; i < c->tuples; i++)
		any |= p->mixed[i];
	for (uint32_t i = 0; any && i < c->count; i++)
		p->sums[p->place[i]].mixed += p->mixed[c->tuple[i]];
}

/* How many exits of a place have a flag. */
static uint64_t count_flag(const struct sums *sums, enum counted_flag flag)
{
	uint64_t of_all = sums->flags & flags[flag] ? sums->n : 0;

	return of_all + (uint16_t)(sums->mixed >> FLAG_BITS * flag);
}

static void add_to_group(struct group *group, const struct sums *sums)
{
	group_add(group, &(struct group){
				 .n = sums->n,
				 .cycles = sums->cycles,
				 .halted = sums->parts[PART_HALTED],
				 .userspace = sums->parts[PART_USERSPACE],
				 .preempted = sums->parts[PART_PREEMPTED],
				 .polled = sums->parts[PART_POLLED],
				 .min = sums->min,
				 .max = sums->max,
				 .fastpath = count_flag(sums, FLAG_FASTPATH),
				 .nested = count_flag(sums, FLAG_NESTED),
				 .to_user = count_flag(sums, FLAG_USER),
				 .synthesized = count_flag(sums, FLAG_SYNTH),
				 .first = sums->first,
				 .last = sums->last,
			 });
}

/* The first exit of a group is its example. */
static void set_examples(struct agg_places *p)
{
	struct group *groups = p->question->agg->group;

	for (uint32_t i = 0; i < p->columns->count; i++) {
		struct group *group = &groups[p->sums[p->place[i]].group];

		if (p->place[i] != SKIPPED && !group->example)
			group->example = exit_chunk_row(p->columns->id, i);
	}
}

/* Adds the sums of the chunk's dictionary to their groups. */
static int add_dictionary(struct agg_places *p)
{
	bool is_tuple = is_by_tuple(p->question->by);
	uint32_t count = is_tuple ? p->columns->tuples : p->columns->rips;
	struct agg *agg = p->question->agg;
	bool is_new = false;

	for (uint32_t i = 0; i < count; i++) {
		struct sums *sums = &p->sums[SKIPPED + 1 + i];
		struct group *group;
		int64_t key[4];

		if (!sums->n)
			continue;
		make_key(p, is_tuple ? i : 0, is_tuple ? 0 : i, key);
		group = agg_group(agg, key);
		if (!group)
			return -ENOMEM;

		add_to_group(group, sums);
		sums->group = (uint32_t)(group - agg->group);
		is_new |= !group->example;
	}

	if (is_new)
		set_examples(p);
	return 0;
}

/* The time that group.dist is of. */
static uint64_t dist_value(const struct agg_columns *c, bool is_handler, uint32_t exit)
{
	uint64_t value = c->cycles[exit];

	for (size_t i = 0; is_handler && i < AGG_PARTS; i++) {
		/* The polled time is in the halted time. */
		if (i != PART_POLLED && c->parts[i])
			value -= c->parts[i][exit];
	}
	return value;
}

/* Keeps each value, of the whole time. */
static int add_values(struct agg_places *p, const uint64_t *value, uint32_t begin, uint32_t end)
{
	struct group *groups = p->question->agg->group;
	const uint32_t *place = p->place;
	const struct sums *sums = p->sums;

	for (uint32_t i = begin; i < end; i++) {
		struct dist *to = &groups[sums[place[i]].group].dist;

		if (place[i] != SKIPPED && dist_add_value(to, value[i]))
			return -ENOMEM;
	}
	return 0;
}

static int add_dists(struct agg_places *p, uint32_t begin, uint32_t end)
{
	const struct agg_columns *c = p->columns;
	struct group *groups = p->question->agg->group;
	bool is_handler = p->question->flags & AGG_HANDLER;
	bool is_exact = p->question->flags & AGG_EXACT;

	/* None passed so far. */
	if (!groups)
		return 0;
	if (is_exact && !is_handler && has_dictionary(p->question->by))
		return add_values(p, c->cycles, begin, end);
	for (uint32_t i = begin; i < end; i++) {
		uint64_t value = dist_value(c, is_handler, i);
		struct dist *to = &groups[p->sums[p->place[i]].group].dist;

		if (i + AHEAD < end)
			__builtin_prefetch(&groups[p->sums[p->place[i + AHEAD]].group].dist.page);
		if (p->place[i] == SKIPPED)
			continue;
		if (is_exact ? dist_add_value(to, value) : dist_add(to, hist_bucket(value), 1))
			return -ENOMEM;
	}
	return 0;
}

/* Adds the columns of some exits to the sums of their places. */
static void add_columns(struct agg_places *p, uint32_t begin, uint32_t end)
{
	if (agg_has_times(p->question->by))
		add_cycles_and_times(p, begin, end);
	else
		add_cycles(p, begin, end);
	for (size_t i = 0; i < AGG_PARTS; i++) {
		if (p->columns->parts[i])
			add_part(p, i, begin, end);
	}
}

static int add_by_dictionary(struct agg_places *p, bool is_cut)
{
	uint32_t count = p->columns->count;

	if (place_by_dictionary(p))
		return -ENOMEM;
	if (is_cut || !p->all_pass)
		skip(p, is_cut);

	add_columns(p, 0, count);
	if (!is_by_tuple(p->question->by))
		add_flags(p);
	if (add_dictionary(p))
		return -ENOMEM;
	return p->question->flags & AGG_DIST ? add_dists(p, 0, count) : 0;
}

static int add_by_number(struct agg_places *p, bool is_cut)
{
	uint32_t count = p->columns->count;
	int rc = find_kinds(p);

	for (uint32_t begin = 0; !rc && begin < count; begin += BLOCK) {
		uint32_t end = count - begin < BLOCK ? count : begin + BLOCK;

		rc = place_by_number(p, begin, end, is_cut);
		if (!rc)
			add_columns(p, begin, end);
		if (!rc && p->question->flags & AGG_DIST)
			rc = add_dists(p, begin, end);
	}
	return rc;
}

int agg_places_add(struct agg_places *places, const struct agg_columns *columns, bool is_cut)
{
	places->columns = columns;
	read_tuples(places);
	return has_dictionary(places->question->by) ? add_by_dictionary(places, is_cut)
						    : add_by_number(places, is_cut);
}

void agg_places_finish(struct agg_places *places)
{
	struct group *groups = places->question->agg->group;

	for (uint32_t i = SKIPPED + 1; !has_dictionary(places->question->by) && i < places->count;
	     i++)
		add_to_group(&groups[places->sums[i].group], &places->sums[i]);
}
