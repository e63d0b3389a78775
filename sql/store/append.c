// SPDX-License-Identifier: GPL-2.0-only
/*
 * append.c - takes records and counts into the open run
 */
#include "sql/store/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int store_transaction(struct store *store)
{
	int rc;

	if (!store->run)
		return STORE_RUNLESS;
	if (store->in_transaction)
		return 0;
	rc = sqlite3_exec(store->db, "BEGIN", NULL, NULL, NULL);
	store->in_transaction = !rc;
	return rc ? store_fail(store, rc) : 0;
}

int store_fail(struct store *store, int rc)
{
	if (!sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	store->in_transaction = 0;
	store_rows_clear(&store->image);
	store->failed_run = store->run;
	store->run = 0;
	return rc;
}

/* Inserts a row of (@text, @value...) and tells its id. */
static int insert_row(sqlite3 *db, const char *sql, const char *text, const int64_t *value,
		      int values, int64_t *id)
{
	sqlite3_stmt *stmt;
	int i;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (rc)
		return rc;
	for (i = 0; i < values; i++)
		sqlite3_bind_int64(stmt, i + 1, value[i]);
	if (text)
		sqlite3_bind_text(stmt, values + 1, text, -1, SQLITE_STATIC);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		*id = sqlite3_column_int64(stmt, 0);
		rc = 0;
	}
	sqlite3_finalize(stmt);
	return rc;
}

int store_add_vcpu(struct store *store, const struct store_vcpu *info, int *vcpu)
{
	struct vcpu_state *vcpus;
	struct vcpu_state *v;
	int64_t vm_id = 0;
	int rc = store_transaction(store);

	if (rc)
		return rc;
	vcpus = realloc(store->vcpus, ((size_t)store->vcpu_count + 1) * sizeof(*vcpus));
	if (!vcpus)
		return store_fail(store, -ENOMEM);
	store->vcpus = vcpus;
	v = &vcpus[store->vcpu_count];
	memset(v, 0, sizeof(*v));
	v->next_seq = info->first_seq;
	rc = insert_row(store->db,
			"INSERT INTO vm (run_id, kvm_vm_id, tgid, comm) VALUES (?,?,?,?)"
			" ON CONFLICT DO UPDATE SET tgid = excluded.tgid RETURNING id",
			info->comm, (int64_t[]){store->run, (int64_t)info->vm_id, info->tgid}, 3,
			&vm_id);
	if (!rc)
		rc = insert_row(store->db,
				"INSERT INTO vcpu (vm_id, vcpu_id, ring_id) VALUES (?,?,?)"
				" RETURNING id",
				NULL, (int64_t[]){vm_id, info->vcpu_id, (int64_t)info->ring_id}, 3,
				&v->id);
	if (rc)
		return store_fail(store, rc);
	*vcpu = store->vcpu_count++;
	return 0;
}

/* The state of a vCPU, with a transaction open for it. */
static int find_vcpu(struct store *store, int vcpu, struct vcpu_state **state)
{
	if (vcpu < 0 || vcpu >= store->vcpu_count)
		return -EINVAL;
	*state = &store->vcpus[vcpu];
	return store_transaction(store);
}

/* Notes that the records from v->next_seq up to @seq are missing. */
static int add_loss(struct store *store, struct vcpu_state *v, uint64_t seq, const __u64 *after)
{
	sqlite3_stmt *stmt = store->insert_loss;
	uint64_t n = seq - v->next_seq;

	sqlite3_clear_bindings(stmt);
	sqlite3_bind_int64(stmt, 1, v->id);
	sqlite3_bind_int64(stmt, 2, (sqlite3_int64)v->next_seq);
	sqlite3_bind_int64(stmt, 3, (sqlite3_int64)n);
	if (v->recorded)
		sqlite3_bind_int64(stmt, 4, (sqlite3_int64)v->last_tsc);
	if (after)
		sqlite3_bind_int64(stmt, 5, (sqlite3_int64)*after);
	v->dropped += n;
	v->dirty = 1;
	store->dropped += n;
	v->next_seq = seq;
	return store_step(stmt);
}

/* Walks the sequence numbers. -EPROTO: they go backwards. */
static int check_order(struct store *store, struct vcpu_state *v,
		       const struct kvm_exit_record *records, size_t count)
{
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < count; i++) {
		if (records[i].seq < v->next_seq)
			return -EPROTO;
		if (records[i].seq > v->next_seq)
			rc = add_loss(store, v, records[i].seq, &records[i].tsc);
		v->next_seq = records[i].seq + 1;
		v->last_tsc = records[i].tsc;
		v->recorded++;
	}
	return rc;
}

/* Records that fit into memory until the next flush. */
static int append_some(struct store *store, int vcpu, const struct kvm_exit_record *records,
		       size_t *count)
{
	struct vcpu_state *v;
	int rc = find_vcpu(store, vcpu, &v);

	if (rc)
		return rc;
	if (store->raw)
		*count = store_rows_add(&store->image, v->id, records, *count);
	rc = check_order(store, v, records, *count);
	if (!rc)
		rc = store_sum_add(store, v->id, records, *count);
	if (rc)
		return store_fail(store, rc);
	v->dirty = 1;
	if (v->last_tsc > store->last_tsc)
		store->last_tsc = v->last_tsc;
	store->recorded += *count;
	store->unflushed += *count;
	return 0;
}

int store_append(struct store *store, int vcpu, const struct kvm_exit_record *records, size_t count)
{
	size_t some = count;
	int rc = append_some(store, vcpu, records, &some);

	while (!rc && some < count) {
		records += some;
		count -= some;
		some = count;
		rc = store_flush(store);
		if (!rc)
			rc = append_some(store, vcpu, records, &some);
	}
	return rc;
}

int store_add_crosscheck(struct store *store, const struct store_crosscheck *check)
{
	sqlite3_stmt *stmt = store->insert_check;
	int rc;

	if (check->vcpu >= store->vcpu_count)
		return -EINVAL;
	rc = store_transaction(store);
	if (rc)
		return rc;
	sqlite3_clear_bindings(stmt);
	sqlite3_bind_int64(stmt, 1, store->run);
	if (check->vcpu >= 0)
		sqlite3_bind_int64(stmt, 2, store->vcpus[check->vcpu].id);
	sqlite3_bind_text(stmt, 3, check->source, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 4, check->name, -1, SQLITE_STATIC);
	if (check->reason >= 0)
		sqlite3_bind_int64(stmt, 5, check->reason);
	sqlite3_bind_int64(stmt, 6, check->n);
	if (check->cycles >= 0)
		sqlite3_bind_int64(stmt, 7, check->cycles);
	rc = store_step(stmt);
	return rc ? store_fail(store, rc) : 0;
}

int store_add_vmx_capability(struct store *store, uint32_t cpu, uint32_t msr, uint64_t value,
			     int valid)
{
	int64_t unused;
	int rc = store_transaction(store);

	if (rc)
		return rc;
	rc = insert_row(store->db,
			"INSERT INTO vmx_capability VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE"
			" SET value = excluded.value, valid = excluded.valid RETURNING cpu",
			NULL, (int64_t[]){store->run, cpu, msr, (int64_t)value, !!valid}, 5,
			&unused);
	return rc ? store_fail(store, rc) : 0;
}

/* The exit reason of a slot of the totals; -1 for KVM_EXIT_TOTAL_OTHER. */
static int64_t slot_reason(const struct store *store, unsigned int slot)
{
	if (slot == KVM_EXIT_TOTAL_OTHER)
		return -1;
	if (store->isa == KVM_EXIT_ISA_SVM && slot >= 0xe0)
		return 0x400 + slot - 0xe0;
	return slot;
}

/* Counts of one slot, one row for each kind that occurred. */
static int add_total(struct store *store, int vcpu, unsigned int slot,
		     const struct kvm_exit_total *t)
{
	const struct {
		const char *source;
		__u64 n;
		int64_t cycles;
	} rows[] = {
		{"totals", t->count, (int64_t)t->cycles},
		{"totals_synthesized", t->synthesized, -1},
		{"totals_recorded", t->recorded, -1},
		{"totals_dropped", t->dropped, -1},
		{"totals_filtered", t->filtered, -1},
		{"totals_unread", t->unread, -1},
	};
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < sizeof(rows) / sizeof(*rows); i++) {
		const struct store_crosscheck check = {
			.source = rows[i].source,
			.name = slot == KVM_EXIT_TOTAL_OTHER ? "other reasons" : "exits",
			.vcpu = vcpu,
			.reason = slot_reason(store, slot),
			.n = (int64_t)rows[i].n,
			.cycles = rows[i].cycles,
		};

		if (rows[i].n || rows[i].cycles > 0)
			rc = store_add_crosscheck(store, &check);
	}
	return rc;
}

int store_end_vcpu(struct store *store, int vcpu, const struct store_vcpu_end *end)
{
	struct vcpu_state *v;
	unsigned int slot;
	int64_t id;
	int rc;

	rc = find_vcpu(store, vcpu, &v);
	if (rc)
		return rc;
	if (end->end_seq > v->next_seq)
		rc = add_loss(store, v, end->end_seq, NULL);
	if (!rc)
		rc = insert_row(store->db,
				"UPDATE vcpu SET filtered = ?2, unread = ?3, vmfail = ?4,"
				" open_exits = ?5, ended = ?6 WHERE id = ?1 RETURNING id",
				NULL,
				(int64_t[]){v->id, (int64_t)end->filtered, (int64_t)end->unread,
					    (int64_t)end->vmfail, end->open_exits, end->ended},
				6, &id);
	if (rc)
		return store_fail(store, rc);
	store->unread += end->unread;
	for (slot = 0; !rc && end->totals && slot < KVM_EXIT_TOTAL_SLOTS; slot++)
		rc = add_total(store, vcpu, slot, &end->totals[slot]);
	return rc;
}

static int write_vcpus(struct store *store)
{
	sqlite3_stmt *stmt = store->update_vcpu;
	struct vcpu_state *v;
	int rc = 0;

	for (v = store->vcpus; !rc && v < store->vcpus + store->vcpu_count; v++) {
		if (!v->dirty)
			continue;
		sqlite3_bind_int64(stmt, 1, v->id);
		sqlite3_bind_int64(stmt, 2, (sqlite3_int64)v->recorded);
		sqlite3_bind_int64(stmt, 3, (sqlite3_int64)v->dropped);
		rc = store_step(stmt);
		v->dirty = 0;
	}
	return rc;
}

/*
 * Deletes rows that are older than what is to be kept, but never the youngest.
 * The marks are at least a 63rd of the time kept apart, so the oldest of 64 goes;
 * rows go when all rows up to their mark are too old.
 */
static int trim_rows(struct store *store)
{
	struct row_mark *marks = store->marks;
	uint64_t step = store->keep_cycles / (STORE_MARKS - 1) + 1;
	int old = 0;
	int rc;

	if (!store->mark_count || store->last_tsc - marks[store->mark_count - 1].tsc >= step)
		marks[store->mark_count++] = (struct row_mark){store->last_tsc, store->last_row};
	while (old < store->mark_count && store->last_tsc - marks[old].tsc > store->keep_cycles)
		old++;
	if (!old)
		return 0;
	sqlite3_bind_int64(store->trim_rows, 1, store->first_row);
	sqlite3_bind_int64(store->trim_rows, 2, marks[old - 1].rowid);
	rc = store_step(store->trim_rows);
	store->first_row = marks[old - 1].rowid + 1;
	store->mark_count -= old;
	memmove(marks, marks + old, (size_t)store->mark_count * sizeof(*marks));
	return rc;
}

int store_flush(struct store *store)
{
	int rc;

	if (!store->run)
		return STORE_RUNLESS;
	if (!store->in_transaction)
		return 0;
	rc = store_rows_write(store);
	if (!rc)
		rc = store_sum_write(store);
	if (!rc)
		rc = write_vcpus(store);
	if (!rc && store->raw && store->keep_cycles)
		rc = trim_rows(store);
	if (!rc)
		rc = sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
	if (rc)
		return store_fail(store, rc);
	store->in_transaction = 0;
	store->unflushed = 0;
	return 0;
}

void store_get_counts(const struct store *store, struct store_counts *counts)
{
	static const char *const files[] = {"", "-wal"};
	char *name;
	struct stat st;
	int i;

	*counts = (struct store_counts){
		.recorded = store->recorded,
		.dropped = store->dropped,
		.unread = store->unread,
		.unflushed = store->unflushed,
	};
	for (i = 0; i < 2; i++) {
		if (asprintf(&name, "%s%s", store->path, files[i]) < 0)
			continue;
		if (!stat(name, &st))
			counts->bytes += (uint64_t)st.st_size;
		free(name);
	}
}
