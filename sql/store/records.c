// SPDX-License-Identifier: GPL-2.0-only
/*
 * records.c - takes records into the open run; in memory until the next flush
 */
#include "sql/store/internal.h"

#include <errno.h>

#include "sql/hist.h"

int store_find_vcpu(struct store *store, int vcpu, struct vcpu_state **state)
{
	if (vcpu < 0 || vcpu >= store->vcpu_count)
		return -EINVAL;
	if (!store->run)
		return STORE_RUNLESS;
	*state = &store->vcpus[vcpu];
	return 0;
}

int store_add_loss(struct store *store, struct vcpu_state *v, uint64_t seq, const __u64 *after)
{
	uint64_t n = seq - v->next_seq;
	int rc = store->loss_count < STORE_LOSSES ? 0 : store_write_losses(store);

	if (rc)
		return rc;

	store->losses[store->loss_count++] = (struct loss){
		.vcpu = v->id,
		.first_seq = v->next_seq,
		.n = n,
		.has_before = v->recorded,
		.tsc_before = v->last_tsc,
		.has_after = after,
		.tsc_after = after ? *after : 0,
	};
	v->dropped += n;
	v->dirty = true;
	v->next_seq = seq;
	store->dropped += n;
	store->pending = true;
	return 0;
}

int store_write_losses(struct store *store)
{
	sqlite3_stmt *stmt = store->insert_loss;
	int rc = store_transaction(store);

	for (int i = 0; !rc && i < store->loss_count; i++) {
		const struct loss *loss = &store->losses[i];

		sqlite3_clear_bindings(stmt);
		sqlite3_bind_int64(stmt, 1, loss->vcpu);
		sqlite3_bind_int64(stmt, 2, (sqlite3_int64)loss->first_seq);
		sqlite3_bind_int64(stmt, 3, (sqlite3_int64)loss->n);
		if (loss->has_before)
			sqlite3_bind_int64(stmt, 4, (sqlite3_int64)loss->tsc_before);
		if (loss->has_after)
			sqlite3_bind_int64(stmt, 5, (sqlite3_int64)loss->tsc_after);
		rc = store_step(stmt);
	}

	store->loss_count = 0;
	return rc;
}

/* Whether the parts of a record's time don't add up to it, or more was polled than halted. */
static bool is_uneven(const struct kvm_exit_record *r)
{
	uint64_t sum =
		r->handler_cycles + r->halted_cycles + r->userspace_cycles + r->preempted_cycles;

	return sum != r->cycles || r->polled_cycles > r->halted_cycles;
}

/* Walks the sequence numbers. -EPROTO: they go backwards. */
static int check_order(struct store *store, struct vcpu_state *v,
		       const struct kvm_exit_record *records, size_t count)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < count; i++) {
		if (records[i].seq < v->next_seq)
			return -EPROTO;
		if (records[i].seq > v->next_seq)
			rc = store_add_loss(store, v, records[i].seq, &records[i].tsc);
		v->next_seq = records[i].seq + 1;
		v->last_tsc = records[i].tsc;
		v->uneven += store->is_split && is_uneven(&records[i]);
		v->recorded++;
	}
	return rc;
}

/* Records that fit into memory until the next flush. */
static int append_up_to_flush(struct store *store, int vcpu, const struct kvm_exit_record *records,
			      size_t *count)
{
	struct vcpu_state *v;
	int rc = store_find_vcpu(store, vcpu, &v);

	if (rc)
		return rc;

	/* The rest comes again after a flush. */
	if (store->compact)
		rc = store_chunks_add(store, v, records, count);
	else if (store->raw && !store->chosen)
		*count = store_rows_add(&store->image, v->id, records, *count);
	if (!rc)
		rc = check_order(store, v, records, *count);
	if (!rc)
		rc = store_sum_add(store, v->id, records, *count);
	if (rc)
		return store_fail(store, rc);

	v->dirty = true;
	store->pending = true;
	if (v->last_tsc > store->last_tsc)
		store->last_tsc = v->last_tsc;
	store->recorded += *count;
	store->unflushed += *count;
	return 0;
}

int store_append(struct store *store, int vcpu, const struct kvm_exit_record *records, size_t count)
{
	size_t some = count;
	int rc = append_up_to_flush(store, vcpu, records, &some);

	while (!rc && some < count) {
		records += some;
		count -= some;
		some = count;
		rc = store_write(store, true);
		if (!rc)
			rc = append_up_to_flush(store, vcpu, records, &some);
	}
	return rc;
}

int store_keep(struct store *store, int vcpu, const struct kvm_exit_record *records, size_t count)
{
	struct vcpu_state *v;
	int rc = store_find_vcpu(store, vcpu, &v);

	if (!rc && !store->chosen)
		rc = -EINVAL;
	while (!rc && count) {
		size_t added = store_rows_add(&store->image, v->id, records, count);

		store->pending = true;
		records += added;
		count -= added;
		if (count)
			rc = store_write(store, true);
	}
	return rc;
}

/* Whether the buckets of both kinds add up to the exits. */
static bool is_possible(const struct store_sums *sums)
{
	uint64_t total = 0, handler = 0;

	for (uint32_t i = 0; i < sums->buckets; i++) {
		total += sums->total[i];
		handler += sums->handler[i];
	}
	return sums->n && total == sums->n && handler == sums->n;
}

int store_add_sums(struct store *store, int vcpu, const struct store_sums *sums)
{
	struct vcpu_state *v;
	int rc = store_find_vcpu(store, vcpu, &v);

	if (rc)
		return rc;
	if (store->raw || sums->slot >= KVM_EXIT_TOTAL_OTHER || sums->buckets > HIST_BUCKETS ||
	    !is_possible(sums))
		return -EINVAL;

	rc = store_sum_add_counted(store, v->id, (uint32_t)store_slot_reason(store, sums->slot),
				   sums);
	if (rc)
		return store_fail(store, rc);

	v->next_seq += sums->n;
	v->recorded += sums->n;
	v->last_tsc = sums->last_tsc;
	v->dirty = true;
	store->pending = true;
	if (v->last_tsc > store->last_tsc)
		store->last_tsc = v->last_tsc;
	store->recorded += sums->n;
	store->unflushed += sums->n;
	return 0;
}
