// SPDX-License-Identifier: GPL-2.0-only
/* agg_places.c - sums of the exits of chunks, column by column; see agg_places.h */
#include "analyzer/query/sums/agg_places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/sums/agg_places_internal.h"
#include "base/array.h"
#include "kvm/uapi/kvm_exit_ring.h"
#include "sql/compact/columns.h"

/* Exits that are added at once: the sums of their places stay in the second cache. */
#define BLOCK 2048U

/* How many exits ahead memory is fetched, where there are more places than the caches hold. */
#define AHEAD	   16U
#define FEW_PLACES 2048U

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
	if (!place_table_init(&p->table) && !reserve_sums(p, SKIPPED + 1)) {
		p->sums[SKIPPED].pages = dist_pages(&p->skipped);
		if (p->sums[SKIPPED].pages)
			return p;
	}

	agg_places_free(p);
	return NULL;
}

void agg_places_free(struct agg_places *places)
{
	if (!places)
		return;
	place_table_free(&places->table);
	dist_free(&places->skipped);
	free(places->sums);
	free(places);
}

/* The key of an exit of a tuple, with what its group depends on in addition. */
static void make_key(const struct agg_places *p, uint32_t tuple, uint64_t number, int64_t key[4])
{
	const struct agg_columns *c = p->columns;
	struct agg_exit exit = {.vcpu = c->vcpu, .has_number = true, .number = number};

	if (c->tuple) {
		exit.reason = reason_key(p->question->run->isa, (int64_t)c->reason[tuple]);
		exit.flags = (int64_t)c->flags[tuple];
		exit.aux = (int64_t)c->aux[tuple];
	}
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
		p->recent[i].place = SKIPPED;
	}
	return 0;
}

/* Sets where the exits of a place are counted in the distribution of its group. */
static int find_counts(const struct agg_places *p, struct sums *sums)
{
	struct dist *dist = &p->question->agg->group[sums->group].dist;

	if (!(p->question->flags & AGG_DIST))
		return 0;
	if (p->question->flags & AGG_EXACT) {
		/* Other places stay longer than that may be used. */
		if (has_dictionary(p->question->by))
			sums->each = dist_each(dist, p->columns->count);
		return 0;
	}
	sums->pages = dist_pages(dist);
	return sums->pages ? 0 : -ENOMEM;
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
	return find_counts(p, &p->sums[place]) ? SKIPPED : place;
}

/* The place of exit @exit; SKIPPED: no memory. */
static inline uint32_t find_place(struct agg_places *p, uint32_t exit, uint64_t number)
{
	uint32_t tuple = (uint32_t)p->columns->tuple[exit];
	struct recent *recent = &p->recent[tuple];

	if (recent->place != SKIPPED && recent->number == number)
		return recent->place;
	recent->number = number;
	recent->place = place_table_find(&p->table, p->kind_of[tuple], number);
	if (recent->place == SKIPPED)
		recent->place = add_place(p, exit, number);
	return recent->place;
}

/* Begins to load what find_place() of an exit to come needs, unless its place is at hand. */
static inline void fetch_place(const struct agg_places *p, uint32_t exit)
{
	uint32_t tuple = (uint32_t)p->columns->tuple[exit];
	uint64_t number = p->columns->number[exit];

	if (p->recent[tuple].number != number)
		place_table_prefetch(&p->table, p->kind_of[tuple], number);
}

/* Places are found by the exit's kind and its number. */
static int place_by_number(struct agg_places *p, uint32_t begin, uint32_t end, bool is_cut)
{
	const struct agg_columns *c = p->columns;
	const struct agg_question *q = p->question;
	bool passes_all = p->all_pass && !is_cut;
	bool is_large = c->number && p->count > FEW_PLACES;

	for (uint32_t i = begin; i < end; i++) {
		uint64_t number = c->number ? c->number[i] : 0;

		if (is_large && i + AHEAD < end)
			fetch_place(p, i + AHEAD);
		p->place[i] = SKIPPED;
		if (!passes_all &&
		    (!p->passes[c->tuple[i]] || (is_cut && !is_inside(q, (int64_t)c->tsc[i]))))
			continue;
		if (q->by == BY_SLOT)
			number = (uint64_t)agg_bin(q->bins, run_since(q->run, (int64_t)c->tsc[i]));

		p->place[i] = find_place(p, i, number);
		if (p->place[i] == SKIPPED)
			return -ENOMEM;
	}
	return 0;
}

/* Takes the exits that don't pass from their places. */
static void skip(struct agg_places *p, bool is_cut)
{
	const struct agg_columns *c = p->columns;

	for (uint32_t i = 0; i < c->count; i++) {
		bool passes = p->all_pass || p->passes[c->tuple[i]];

		if (is_cut)
			passes &= is_inside(p->question, (int64_t)c->tsc[i]);
		p->place[i] = passes ? p->place[i] : SKIPPED;
	}
}

/* How many exits of a place have a flag. */
static uint64_t count_flag(const struct sums *sums, uint32_t flag)
{
	return sums->flags & flag ? sums->n : 0;
}

static void add_to_group(struct group *group, const struct sums *sums)
{
	/* Values that are kept are counted when they are added. */
	if (sums->pages)
		group->dist.total += sums->n;
	group_add(group, &(struct group){
				 .n = sums->n,
				 .cycles = sums->cycles,
				 .halted = sums->parts[PART_HALTED],
				 .userspace = sums->parts[PART_USERSPACE],
				 .preempted = sums->parts[PART_PREEMPTED],
				 .polled = sums->parts[PART_POLLED],
				 .min = sums->min,
				 .max = sums->max,
				 .fastpath = count_flag(sums, KVM_EXIT_REC_FASTPATH),
				 .nested = count_flag(sums, KVM_EXIT_REC_NESTED),
				 .to_user = count_flag(sums, KVM_EXIT_REC_USER),
				 .synthesized = count_flag(sums, KVM_EXIT_REC_SYNTH),
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

		sums->group = (uint32_t)(group - agg->group);
		if (find_counts(p, sums))
			return -ENOMEM;
		add_to_group(group, sums);
		is_new |= !group->example;
	}

	if (is_new)
		set_examples(p);
	return 0;
}

static int add_by_dictionary(struct agg_places *p, bool is_cut)
{
	uint32_t count = p->columns->count;

	if (place_by_dictionary(p))
		return -ENOMEM;
	if (is_cut || !p->all_pass)
		skip(p, is_cut);

	agg_add_columns(p, 0, count);
	if (add_dictionary(p))
		return -ENOMEM;
	return agg_add_dists(p, 0, count);
}

static int add_by_number(struct agg_places *p, bool is_cut)
{
	uint32_t count = p->columns->count;
	int rc = find_kinds(p);

	for (uint32_t begin = 0; !rc && begin < count; begin += BLOCK) {
		uint32_t end = count - begin < BLOCK ? count : begin + BLOCK;

		rc = place_by_number(p, begin, end, is_cut);
		if (!rc)
			agg_add_columns(p, begin, end);
		if (!rc)
			rc = agg_add_dists(p, begin, end);
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
