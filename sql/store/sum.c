// SPDX-License-Identifier: GPL-2.0-only
/*
 * sum.c - roll-ups and histograms
 *
 * What came since the last flush is summed in memory and then added to the rows
 * of the database, so a killed writer leaves sums that match its rows.
 */
#include "sql/store/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sql/hist.h"

/* Keys in memory: when there are more, they are written before the flush. */
#define ROLLUP_KEYS 8192U
#define HIST_KEYS   512U

#define PARTS 2 /* exit_hist.part */

/* Histograms of one key. */
struct hist_counts {
	uint32_t n[PARTS][HIST_BUCKETS];
};

/* What the last record of a reason was added to, and for which times that is so. */
struct hot {
	struct rollup_sums *sums;
	struct hist_counts *hist;
	uint64_t from; /* TSC */
	uint64_t width;
	uint32_t reason;
};

#define HOT_REASONS 64U /* a power of two */

int store_sum_init(struct store *store)
{
	int rc = tally_init(&store->rollup, sizeof(struct rollup_sums), ROLLUP_KEYS);

	return rc ? rc : tally_init(&store->hist, sizeof(struct hist_counts), HIST_KEYS);
}

void store_sum_clear(struct store *store)
{
	tally_clear(&store->rollup);
	tally_clear(&store->hist);
}

void store_sum_free(struct store *store)
{
	tally_free(&store->rollup);
	tally_free(&store->hist);
}

static void add_rollup(struct rollup_sums *s, const struct kvm_exit_record *r)
{
	if (!s->n || r->cycles < s->min_cycles)
		s->min_cycles = r->cycles;
	if (r->cycles > s->max_cycles)
		s->max_cycles = r->cycles;
	if (!s->n || r->tsc < s->first_tsc)
		s->first_tsc = r->tsc;
	if (r->tsc > s->last_tsc)
		s->last_tsc = r->tsc;
	s->n++;
	s->cycles += r->cycles;
	s->halted_cycles += r->halted_cycles;
	s->userspace_cycles += r->userspace_cycles;
	s->preempted_cycles += r->preempted_cycles;
	s->n_fastpath += !!(r->flags & KVM_EXIT_REC_FASTPATH);
	s->n_nested += !!(r->flags & KVM_EXIT_REC_NESTED);
	s->n_user += !!(r->flags & KVM_EXIT_REC_USER);
	s->n_synth += !!(r->flags & KVM_EXIT_REC_SYNTH);
}

/*
 * Finds the sums for a record at @since cycles after the start. Interval 0
 * reaches to both sides of the start, as division in SQL goes towards 0.
 */
static int find_sums(struct store *store, int64_t vcpu, const struct kvm_exit_record *r,
		     struct hot *hot)
{
	int64_t since = (int64_t)(r->tsc - store->tsc_start);
	int64_t slot = since / (int64_t)store->rollup_cycles;
	const struct tally_key rollup = {(uint32_t)vcpu, r->reason, slot};
	const struct tally_key hist = {(uint32_t)vcpu, r->reason,
				       since / (int64_t)store->hist_cycles};

	/* The sums last: what is made here and gets no record must not be written as a row. */
	hot->hist = tally_at(&store->hist, &hist);
	if (!hot->hist)
		return -ENOSPC;
	hot->sums = tally_at(&store->rollup, &rollup);
	if (!hot->sums)
		return -ENOSPC;

	hot->reason = r->reason;
	hot->from = store->tsc_start + (uint64_t)slot * store->rollup_cycles;
	/* An interval of the histogram is a whole number of the roll-up's. */
	hot->width = since < 0 ? 0 : store->rollup_cycles;
	return 0;
}

/* The same; writes the sums first when memory is full. */
static int find_or_make_room(struct store *store, int64_t vcpu, const struct kvm_exit_record *r,
			     struct hot cache[HOT_REASONS], struct hot *hot)
{
	int rc = find_sums(store, vcpu, r, hot);

	if (rc != -ENOSPC)
		return rc;

	rc = store_transaction(store);
	if (!rc)
		rc = store_sum_write(store);
	memset(cache, 0, HOT_REASONS * sizeof(*cache));
	return rc ? rc : find_sums(store, vcpu, r, hot);
}

int store_sum_add(struct store *store, int64_t vcpu, const struct kvm_exit_record *records,
		  size_t count)
{
	struct hot cache[HOT_REASONS] = {0};

	for (size_t i = 0; i < count; i++) {
		const struct kvm_exit_record *r = &records[i];
		struct hot *hot = &cache[(r->reason ^ r->reason >> 26) % HOT_REASONS];

		if (hot->reason != r->reason || r->tsc - hot->from >= hot->width) {
			int rc = find_or_make_room(store, vcpu, r, cache, hot);

			if (rc)
				return rc;
		}

		add_rollup(hot->sums, r);
		hot->hist->n[0][hist_bucket(r->cycles)]++;
		hot->hist->n[1][hist_bucket(r->handler_cycles)]++;
	}
	return 0;
}

static int write_rollup(sqlite3_stmt *stmt, const struct tally_key *key,
			const struct rollup_sums *s)
{
	const uint64_t value[] = {
		key->vcpu,     (uint64_t)key->slot, key->reason,	 s->n,
		s->cycles,     s->halted_cycles,    s->userspace_cycles, s->preempted_cycles,
		s->min_cycles, s->max_cycles,	    s->n_fastpath,	 s->n_nested,
		s->n_user,     s->n_synth,	    s->first_tsc,	 s->last_tsc,
	};

	for (int i = 0; i < (int)(sizeof(value) / sizeof(*value)); i++)
		sqlite3_bind_int64(stmt, i + 1, (sqlite3_int64)value[i]);
	return store_step(stmt);
}

static int write_hist(sqlite3_stmt *stmt, const struct tally_key *key,
		      const struct hist_counts *hist)
{
	int rc = 0;

	sqlite3_bind_int64(stmt, 1, key->vcpu);
	sqlite3_bind_int64(stmt, 2, key->slot);
	sqlite3_bind_int64(stmt, 3, key->reason);

	for (int part = 0; part < PARTS; part++) {
		sqlite3_bind_int64(stmt, 4, part);
		for (uint32_t bucket = 0; !rc && bucket < HIST_BUCKETS; bucket++) {
			if (!hist->n[part][bucket])
				continue;
			sqlite3_bind_int64(stmt, 5, bucket);
			sqlite3_bind_int64(stmt, 6, hist->n[part][bucket]);
			rc = store_step(stmt);
		}
	}
	return rc;
}

static int write_rollups(struct store *store)
{
	const struct tally *tally = &store->rollup;
	uint32_t *order = tally_sorted(tally);
	int rc = order ? 0 : -ENOMEM;

	for (uint32_t i = 0; !rc && i < tally->count; i++)
		rc = write_rollup(store->add_rollup, &tally->keys[order[i]],
				  (struct rollup_sums *)tally->values + order[i]);
	free(order);
	return rc;
}

static int write_hists(struct store *store)
{
	const struct tally *tally = &store->hist;
	uint32_t *order = tally_sorted(tally);
	int rc = order ? 0 : -ENOMEM;

	for (uint32_t i = 0; !rc && i < tally->count; i++)
		rc = write_hist(store->add_hist, &tally->keys[order[i]],
				(struct hist_counts *)tally->values + order[i]);
	free(order);
	return rc;
}

int store_sum_write(struct store *store)
{
	int rc = write_rollups(store);

	if (!rc)
		rc = write_hists(store);
	if (!rc)
		store_sum_clear(store);
	return rc;
}
