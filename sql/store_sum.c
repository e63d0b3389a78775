// SPDX-License-Identifier: GPL-2.0-only
/*
 * store_sum.c - roll-ups and histograms
 *
 * What came since the last flush is summed in memory and then added to the rows
 * of the database, so a killed writer leaves sums that match its rows.
 */
#include "sql/store_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "sql/hist.h"

int store_sum_init(struct store *store)
{
	int rc = tally_init(&store->rollup, sizeof(struct rollup_sums));

	return rc ? rc : tally_init(&store->hist, sizeof(uint64_t));
}

void store_sum_free(struct store *store)
{
	tally_free(&store->rollup);
	tally_free(&store->hist);
	sqlite3_finalize(store->insert_rollup);
	sqlite3_finalize(store->insert_hist);
}

int store_sum_prepare(struct store *store)
{
	int rc = sqlite3_prepare_v3(
		store->db,
		"INSERT INTO exit_rollup VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
		" ON CONFLICT DO UPDATE SET"
		" n = n + excluded.n,"
		" cycles = cycles + excluded.cycles,"
		" halted_cycles = halted_cycles + excluded.halted_cycles,"
		" userspace_cycles = userspace_cycles + excluded.userspace_cycles,"
		" preempted_cycles = preempted_cycles + excluded.preempted_cycles,"
		" min_cycles = min(min_cycles, excluded.min_cycles),"
		" max_cycles = max(max_cycles, excluded.max_cycles),"
		" n_fastpath = n_fastpath + excluded.n_fastpath,"
		" n_nested = n_nested + excluded.n_nested,"
		" n_user = n_user + excluded.n_user,"
		" n_synth = n_synth + excluded.n_synth,"
		" first_tsc = min(first_tsc, excluded.first_tsc),"
		" last_tsc = max(last_tsc, excluded.last_tsc)",
		-1, SQLITE_PREPARE_PERSISTENT, &store->insert_rollup, NULL);

	if (rc)
		return rc;
	return sqlite3_prepare_v3(store->db,
				  "INSERT INTO exit_hist VALUES (?,?,?,?,?,?)"
				  " ON CONFLICT DO UPDATE SET n = n + excluded.n",
				  -1, SQLITE_PREPARE_PERSISTENT, &store->insert_hist, NULL);
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

int store_sum_add(struct store *store, int64_t vcpu, const struct kvm_exit_record *records,
		  size_t count)
{
	struct tally_key key = {.vcpu = (uint32_t)vcpu};
	struct rollup_sums *sums;
	uint64_t *n;
	size_t i;
	int part;

	for (i = 0; i < count; i++) {
		const struct kvm_exit_record *r = &records[i];
		const uint64_t durations[] = {r->cycles, r->handler_cycles};
		/* Signed and towards 0, as SQL divides. */
		int64_t since = (int64_t)(r->tsc - store->tsc_start);

		key.reason = r->reason;
		key.slot = since / (int64_t)store->rollup_cycles;
		key.sub = 0;
		sums = tally_at(&store->rollup, &key);
		if (!sums)
			return -ENOMEM;
		add_rollup(sums, r);

		key.slot = since / (int64_t)store->hist_cycles;
		for (part = 0; part < 2; part++) {
			key.sub = (uint32_t)part << 16 | hist_bucket(durations[part]);
			n = tally_at(&store->hist, &key);
			if (!n)
				return -ENOMEM;
			++*n;
		}
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
	int i;

	for (i = 0; i < (int)(sizeof(value) / sizeof(*value)); i++)
		sqlite3_bind_int64(stmt, i + 1, (sqlite3_int64)value[i]);
	return store_step(stmt);
}

static int write_hist(sqlite3_stmt *stmt, const struct tally_key *key, const uint64_t *n)
{
	sqlite3_bind_int64(stmt, 1, key->vcpu);
	sqlite3_bind_int64(stmt, 2, key->slot);
	sqlite3_bind_int64(stmt, 3, key->reason);
	sqlite3_bind_int64(stmt, 4, key->sub >> 16);
	sqlite3_bind_int64(stmt, 5, key->sub & 0xffff);
	sqlite3_bind_int64(stmt, 6, (sqlite3_int64)*n);
	return store_step(stmt);
}

int store_sum_write(struct store *store)
{
	uint32_t *order;
	uint32_t i;
	int rc = 0;

	order = tally_sorted(&store->rollup);
	if (!order)
		return -ENOMEM;
	for (i = 0; !rc && i < store->rollup.count; i++)
		rc = write_rollup(store->insert_rollup, &store->rollup.keys[order[i]],
				  (struct rollup_sums *)store->rollup.values + order[i]);
	free(order);
	if (rc)
		return rc;

	order = tally_sorted(&store->hist);
	if (!order)
		return -ENOMEM;
	for (i = 0; !rc && i < store->hist.count; i++)
		rc = write_hist(store->insert_hist, &store->hist.keys[order[i]],
				(uint64_t *)store->hist.values + order[i]);
	free(order);
	tally_clear(&store->rollup);
	tally_clear(&store->hist);
	return rc;
}
