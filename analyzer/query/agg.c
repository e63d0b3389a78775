// SPDX-License-Identifier: GPL-2.0-only
/*
 * agg.c - sums and distributions of exits by a key; see agg.h
 */
#include "analyzer/query/agg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "sql/hist.h"

static uint64_t hash_key(const int64_t key[4])
{
	uint64_t h = 0;

	for (int i = 0; i < 4; i++) {
		h ^= (uint64_t)key[i];
		h *= 0x9e3779b97f4a7c15ULL;
		h ^= h >> 32;
	}
	return h;
}

/* Where the key is, or the empty place for it. @slot[] is never full. */
static uint32_t find_slot(const struct agg *agg, const int64_t key[4])
{
	uint32_t i = (uint32_t)hash_key(key) & (agg->slots - 1);

	while (agg->slot[i] && memcmp(agg->group[agg->slot[i] - 1].key, key, 4 * sizeof(*key)))
		i = (i + 1) & (agg->slots - 1);
	return i;
}

static int grow(struct agg *agg)
{
	uint32_t room = agg->room ? 2 * agg->room : 32;
	struct group *group = realloc(agg->group, room * sizeof(*group));
	uint32_t *slot;

	if (!group)
		return -ENOMEM;
	agg->group = group;
	slot = calloc(2 * (size_t)room, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	free(agg->slot);
	agg->slot = slot;
	agg->slots = 2 * room;
	agg->room = room;
	for (uint32_t i = 0; i < agg->groups; i++)
		agg->slot[find_slot(agg, agg->group[i].key)] = i + 1;
	return 0;
}

struct group *agg_group(struct agg *agg, const int64_t key[4])
{
	struct group *group;
	uint32_t i;

	if (agg->groups == agg->room && grow(agg))
		return NULL;
	i = find_slot(agg, key);
	if (agg->slot[i])
		return &agg->group[agg->slot[i] - 1];
	group = &agg->group[agg->groups++];
	agg->slot[i] = agg->groups;
	*group = (struct group){.min = UINT64_MAX, .first = INT64_MAX, .last = INT64_MIN};
	memcpy(group->key, key, sizeof(group->key));
	return group;
}

const struct group *agg_find(const struct agg *agg, const int64_t key[4])
{
	uint32_t i = agg->slots ? agg->slot[find_slot(agg, key)] : 0;

	return i ? &agg->group[i - 1] : NULL;
}

void group_add(struct group *to, const struct group *from)
{
	to->n += from->n;
	to->cycles += from->cycles;
	to->halted += from->halted;
	to->userspace += from->userspace;
	to->preempted += from->preempted;
	to->fastpath += from->fastpath;
	to->nested += from->nested;
	to->to_user += from->to_user;
	to->synthesized += from->synthesized;
	if (from->min < to->min)
		to->min = from->min;
	if (from->max > to->max)
		to->max = from->max;
	if (from->first < to->first)
		to->first = from->first;
	if (from->last > to->last)
		to->last = from->last;
}

uint64_t group_quantile(const struct group *group, double q)
{
	uint64_t value = dist_quantile(&group->dist, q);

	if (value > group->max)
		return group->max;
	return value < group->min ? group->min : value;
}

static int by_count(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	return x->key[0] < y->key[0] ? -1 : x->key[0] > y->key[0];
}

void agg_sort_by_count(struct agg *agg)
{
	if (agg->groups)
		qsort(agg->group, agg->groups, sizeof(*agg->group), by_count);
}

struct group agg_total(const struct agg *agg)
{
	struct group total = {.min = UINT64_MAX, .first = INT64_MAX, .last = INT64_MIN};

	for (uint32_t i = 0; i < agg->groups; i++)
		group_add(&total, &agg->group[i]);
	return total;
}

void agg_free(struct agg *agg)
{
	for (uint32_t i = 0; i < agg->groups; i++)
		dist_free(&agg->group[i].dist);
	free(agg->group);
	free(agg->slot);
	memset(agg, 0, sizeof(*agg));
}

bool agg_needs_rows(enum agg_by by, unsigned int flags)
{
	return (flags & AGG_EXACT) || (by != BY_REASON && by != BY_VCPU && by != BY_SLOT);
}

/* Bind vCPU, first and last interval of @width cycles, and what ?4 is. */
static void bind_slots(sqlite3_stmt *stmt, const struct run *run, int64_t vcpu, int64_t width,
		       int other)
{
	sqlite3_reset(stmt);
	sqlite3_bind_int64(stmt, 1, vcpu);
	sqlite3_bind_int64(stmt, 2, run->from ? run_grid_from(run) / width : INT64_MIN);
	sqlite3_bind_int64(stmt, 3, (run_grid_to(run) - 1) / width);
	sqlite3_bind_int(stmt, 4, other);
}

static void rollup_group(sqlite3_stmt *stmt, struct group *g)
{
	*g = (struct group){
		.n = (uint64_t)sqlite3_column_int64(stmt, 1),
		.cycles = (uint64_t)sqlite3_column_int64(stmt, 2),
		.halted = (uint64_t)sqlite3_column_int64(stmt, 3),
		.userspace = (uint64_t)sqlite3_column_int64(stmt, 4),
		.preempted = (uint64_t)sqlite3_column_int64(stmt, 5),
		.min = (uint64_t)sqlite3_column_int64(stmt, 6),
		.max = (uint64_t)sqlite3_column_int64(stmt, 7),
		.fastpath = (uint64_t)sqlite3_column_int64(stmt, 8),
		.nested = (uint64_t)sqlite3_column_int64(stmt, 9),
		.to_user = (uint64_t)sqlite3_column_int64(stmt, 10),
		.synthesized = (uint64_t)sqlite3_column_int64(stmt, 11),
		.first = sqlite3_column_type(stmt, 12) == SQLITE_NULL
				 ? INT64_MIN
				 : sqlite3_column_int64(stmt, 12),
		.last = sqlite3_column_int64(stmt, 13),
	};
}

#define ROLLUP_COLUMNS                                                                             \
	"SELECT reason, n, cycles, halted_cycles, userspace_cycles, preempted_cycles, min_cycles," \
	" max_cycles, n_fastpath, n_nested, n_user, n_synth, first_tsc, last_tsc, slot "

static const char rollup_sql[] =
	ROLLUP_COLUMNS "FROM exit_rollup WHERE vcpu = ?1 AND slot BETWEEN ?2 AND ?3 AND ?4 = 0";
static const char coarse_sql[] = ROLLUP_COLUMNS
	"FROM exit_rollup_coarse WHERE vcpu = ?1 AND level = ?4 AND slot BETWEEN ?2 AND ?3";
static const char hist_sql[] =
	"SELECT reason, bucket, n FROM exit_hist WHERE vcpu = ?1 AND slot BETWEEN ?2 AND ?3 AND part = ?4";
static const char hist_total_sql[] =
	"SELECT reason, bucket, n FROM exit_hist_total WHERE vcpu = ?1 AND part = ?4 AND ?2 < ?3";

static bool whole_run(const struct run *run)
{
	return !run->from && run->to == INT64_MAX;
}

/* Level of the roll-ups to read. */
static int read_level(const struct run *run, enum agg_by by, const struct agg *agg)
{
	if (by == BY_SLOT)
		return agg->level;
	return run->coarse && whole_run(run) ? AGG_LEVELS : 0;
}

static int64_t power_of_8(int level)
{
	return (int64_t)1 << (3 * level);
}

/* The group that roll-ups of @reason, @vcpu and @slot go to. */
static struct group *rollup_target(struct agg *agg, enum agg_by by, int64_t reason, int64_t vcpu,
				   int64_t slot)
{
	if (by == BY_SLOT)
		return agg_group(agg, (int64_t[4]){(slot - agg->origin) / agg->merge, reason});
	return agg_group(agg, (int64_t[4]){by == BY_VCPU ? vcpu : reason});
}

static int read_rollups(struct app *app, const struct run *run, enum agg_by by, struct agg *agg)
{
	int level = read_level(run, by, agg), rc = 0;
	sqlite3_stmt *stmt;

	if (db_prepare(app, &stmt, level ? coarse_sql : rollup_sql))
		return -1;
	for (unsigned int i = 0; i < run->n_vcpus && rc >= 0; i++) {
		bind_slots(stmt, run, run->vcpus[i].id, run->rollup_cycles * power_of_8(level),
			   level);
		while ((rc = db_step(app, stmt)) > 0) {
			int64_t key = reason_key(run->isa, sqlite3_column_int64(stmt, 0));
			struct group *to, row;

			if (!reason_passes(run, key))
				continue;
			to = rollup_target(agg, by, key, run->vcpus[i].id,
					   sqlite3_column_int64(stmt, 14) * power_of_8(level));
			if (!to) {
				rc = app_fail(app, "out of memory");
				break;
			}
			rollup_group(stmt, &row);
			group_add(to, &row);
		}
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int read_hist(struct app *app, const struct run *run, enum agg_by by, int part,
		     struct agg *agg)
{
	sqlite3_stmt *stmt;
	int rc = 0;

	if (db_prepare(app, &stmt, run->coarse && whole_run(run) ? hist_total_sql : hist_sql))
		return -1;
	for (unsigned int i = 0; i < run->n_vcpus && rc >= 0; i++) {
		bind_slots(stmt, run, run->vcpus[i].id, run->hist_cycles, part);
		while ((rc = db_step(app, stmt)) > 0) {
			int64_t key = reason_key(run->isa, sqlite3_column_int64(stmt, 0));
			struct group *to;

			if (!reason_passes(run, key))
				continue;
			to = rollup_target(agg, by, key, run->vcpus[i].id, 0);
			rc = !to ? -ENOMEM
				 : dist_add(&to->dist, (uint32_t)sqlite3_column_int64(stmt, 1),
					    (uint64_t)sqlite3_column_int64(stmt, 2));
			if (rc) {
				rc = app_fail(app,
					      rc == -ENOMEM
						      ? "out of memory"
						      : "the database is damaged: no such bucket");
				break;
			}
		}
	}
	sqlite3_finalize(stmt);
	return rc;
}

int agg_read(struct app *app, const struct run *run, enum agg_by by, unsigned int flags,
	     struct agg *agg)
{
	if (agg_needs_rows(by, flags))
		return agg_read_rows(app, run, by, flags, agg);
	if (read_rollups(app, run, by, agg))
		return -1;
	return (flags & AGG_DIST) ? read_hist(app, run, by, !!(flags & AGG_HANDLER), agg) : 0;
}
