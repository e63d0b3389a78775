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

#include "sql/hist_text.h"

/* Keys in memory: when there are more, they are written before the flush. */
#define ROLLUP_KEYS 8192U
#define HIST_KEYS   512U

/* Histograms of one key. */
struct hist_counts {
	uint32_t n[STORE_PARTS][HIST_BUCKETS];
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

	store->hist_text = malloc(STORE_PARTS * HIST_TEXT_BYTES);
	store->hist_counts = malloc(STORE_PARTS * sizeof(*store->hist_counts));
	if (!rc && (!store->hist_text || !store->hist_counts))
		rc = -ENOMEM;
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
	free(store->hist_text);
	free(store->hist_counts);
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
	s->polled_cycles += r->polled_cycles;
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

/* The shortest time that the first exits of a histogram may have had, and the longest of the last.
 */
static void find_limits(const struct store_sums *from, uint64_t *shortest, uint64_t *longest)
{
	uint32_t first = 0, last = from->buckets - 1;

	while (!from->total[first])
		first++;
	while (!from->total[last])
		last--;
	*shortest = hist_low(first);
	*longest = last + 1 < HIST_BUCKETS ? hist_low(last + 1) - 1 : INT64_MAX;
	if (*longest > INT64_MAX)
		*longest = INT64_MAX;
}

static void add_counted(struct rollup_sums *s, const struct store_sums *from)
{
	uint64_t shortest, longest;

	find_limits(from, &shortest, &longest);
	if (!s->n || shortest < s->min_cycles)
		s->min_cycles = shortest;
	if (longest > s->max_cycles)
		s->max_cycles = longest;
	if (!s->n || from->first_tsc < s->first_tsc)
		s->first_tsc = from->first_tsc;
	if (from->last_tsc > s->last_tsc)
		s->last_tsc = from->last_tsc;

	s->n += from->n;
	s->cycles += from->cycles;
	s->halted_cycles += from->halted_cycles;
	s->userspace_cycles += from->userspace_cycles;
	s->preempted_cycles += from->preempted_cycles;
	s->polled_cycles += from->polled_cycles;
	s->n_nested += from->n_nested;
	s->n_user += from->n_user;
}

int store_sum_add_counted(struct store *store, int64_t vcpu, uint32_t reason,
			  const struct store_sums *sums)
{
	const struct kvm_exit_record last = {.tsc = sums->last_tsc, .reason = reason};
	struct hot cache[HOT_REASONS] = {0};
	struct hot hot = {0};
	int rc = find_or_make_room(store, vcpu, &last, cache, &hot);

	if (rc)
		return rc;

	add_counted(hot.sums, sums);
	for (uint32_t i = 0; i < sums->buckets; i++) {
		hot.hist->n[0][i] += sums->total[i];
		hot.hist->n[1][i] += sums->handler[i];
	}
	return 0;
}

static int write_rollup(sqlite3_stmt *stmt, const struct tally_key *key,
			const struct rollup_sums *s)
{
	const uint64_t value[] = {
		key->vcpu,	  (uint64_t)key->slot, key->reason,	    s->n,
		s->cycles,	  s->halted_cycles,    s->userspace_cycles, s->preempted_cycles,
		s->min_cycles,	  s->max_cycles,       s->n_fastpath,	    s->n_nested,
		s->n_user,	  s->n_synth,	       s->first_tsc,	    s->last_tsc,
		s->polled_cycles,
	};

	for (int i = 0; i < (int)(sizeof(value) / sizeof(*value)); i++)
		sqlite3_bind_int64(stmt, i + 1, (sqlite3_int64)value[i]);
	return store_step(stmt);
}

int store_hist_add(uint64_t *n, sqlite3_stmt *stmt, int column)
{
	const void *text = sqlite3_column_text(stmt, column);
	struct hist_text reader;
	uint32_t bucket;
	uint64_t more;
	int found;

	/* No memory, or a NULL that only a damaged file has. */
	if (!text)
		return sqlite3_errcode(sqlite3_db_handle(stmt)) == SQLITE_NOMEM ? SQLITE_NOMEM
										: SQLITE_CORRUPT;

	hist_text_begin(&reader, text, (uint32_t)sqlite3_column_bytes(stmt, column));
	while ((found = hist_text_next(&reader, &bucket, &more)) > 0)
		n[bucket] += more;
	return found ? SQLITE_CORRUPT : 0;
}

static void bind_key(sqlite3_stmt *stmt, const struct tally_key *key)
{
	sqlite3_bind_int64(stmt, 1, key->vcpu);
	sqlite3_bind_int64(stmt, 2, key->slot);
	sqlite3_bind_int64(stmt, 3, key->reason);
}

/* Adds what an earlier flush has written of the same interval. */
static int add_written(sqlite3_stmt *find, const struct tally_key *key, uint64_t (*n)[HIST_BUCKETS])
{
	int rc;

	bind_key(find, key);
	rc = sqlite3_step(find);
	if (rc == SQLITE_ROW) {
		rc = 0;
		for (int part = 0; !rc && part < STORE_PARTS; part++)
			rc = store_hist_add(n[part], find, part);
	}

	sqlite3_reset(find);
	return rc == SQLITE_DONE ? 0 : rc;
}

static int write_hist(struct store *store, const struct tally_key *key,
		      const struct hist_counts *hist)
{
	char *handler = store->hist_text + HIST_TEXT_BYTES;
	sqlite3_stmt *stmt = store->write_hist;
	uint64_t(*n)[HIST_BUCKETS] = store->hist_counts;
	uint32_t bytes;
	int rc;

	for (int part = 0; part < STORE_PARTS; part++) {
		for (uint32_t i = 0; i < HIST_BUCKETS; i++)
			n[part][i] = hist->n[part][i];
	}
	rc = add_written(store->find_hist, key, n);
	if (rc)
		return rc;

	bind_key(stmt, key);
	bytes = hist_text_write(n[0], store->hist_text);
	sqlite3_bind_text(stmt, 4, store->hist_text, (int)bytes, SQLITE_STATIC);

	/* Where all time was the handler's, one text says both. */
	if (memcmp(n[0], n[1], sizeof(n[0]))) {
		bytes = hist_text_write(n[1], handler);
		sqlite3_bind_text(stmt, 5, handler, (int)bytes, SQLITE_STATIC);
	} else {
		sqlite3_bind_null(stmt, 5);
	}
	return store_step(stmt);
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
		rc = write_hist(store, &tally->keys[order[i]],
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
