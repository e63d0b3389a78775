// SPDX-License-Identifier: GPL-2.0-only
/*
 * meta.c - what a run holds in addition to records: VMs, vCPUs and their counts,
 * counts of other sources, VMX capabilities
 */
#include "sql/store/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "kvm/ring/exit_reason.h"

/* Runs an INSERT ... RETURNING id. */
static int step_for_id(sqlite3_stmt *stmt, int64_t *id)
{
	int rc = store_step_value(stmt, id);

	return rc == SQLITE_ROW ? 0 : rc;
}

static int insert_vm(struct store *store, const struct store_vcpu *info, int64_t *id)
{
	sqlite3_stmt *stmt;
	int rc = store_prepare(store, store_sql_insert_vm, &stmt);

	if (rc)
		return rc;

	store_bind_int(stmt, ":run", store->run);
	store_bind_int(stmt, ":vm", (int64_t)info->vm_id);
	store_bind_int(stmt, ":tgid", info->tgid);
	store_bind_text(stmt, ":comm", info->comm);
	return step_for_id(stmt, id);
}

static int insert_vcpu(struct store *store, int64_t vm, const struct store_vcpu *info, int64_t *id)
{
	sqlite3_stmt *stmt;
	int rc = store_prepare(store, store_sql_insert_vcpu, &stmt);

	if (rc)
		return rc;

	store_bind_int(stmt, ":vm", vm);
	store_bind_int(stmt, ":vcpu", info->vcpu_id);
	store_bind_int(stmt, ":ring", (int64_t)info->ring_id);
	return step_for_id(stmt, id);
}

/* NULL where nothing is known. */
static void bind_known(sqlite3_stmt *stmt, const char *name, const char *text)
{
	store_bind_text(stmt, name, *text ? text : NULL);
}

static int write_identity(struct store *store, int64_t vcpu, const struct store_identity *identity)
{
	sqlite3_stmt *stmt;
	int rc = store_prepare(store, store_sql_write_identity, &stmt);

	if (rc)
		return rc;

	store_bind_int(stmt, ":vcpu", vcpu);
	store_bind_text(stmt, ":name", identity->name);
	store_bind_text(stmt, ":source", identity->name_source);
	bind_known(stmt, ":vmm", identity->vmm);
	bind_known(stmt, ":uuid", identity->uuid);
	bind_known(stmt, ":unit", identity->unit);
	bind_known(stmt, ":container", identity->container);
	if (identity->started_ns)
		store_bind_int(stmt, ":started_ns", identity->started_ns);
	return store_step_once(stmt);
}

/* @sql: write_thread, or add_thread, which leaves alone what was known before. */
static int write_thread(struct store *store, const char *sql, int64_t vcpu, uint32_t tid,
			const char *name)
{
	sqlite3_stmt *stmt;
	int rc = store_prepare(store, sql, &stmt);

	if (rc)
		return rc;

	store_bind_int(stmt, ":vcpu", vcpu);
	store_bind_int(stmt, ":tid", tid);
	bind_known(stmt, ":name", name);
	return store_step_once(stmt);
}

int store_identify(struct store *store, int vcpu, const struct store_identity *identity)
{
	struct vcpu_state *v;
	int rc = store_find_vcpu(store, vcpu, &v);

	if (!rc)
		rc = store_transaction(store);
	if (rc)
		return rc;

	if (*identity->name)
		rc = write_identity(store, v->id, identity);
	if (!rc && identity->tid)
		rc = write_thread(store, store_sql_write_thread, v->id, identity->tid,
				  identity->thread);
	return rc ? store_fail(store, rc) : 0;
}

int store_add_vcpu(struct store *store, const struct store_vcpu *info, int *vcpu)
{
	struct vcpu_state *vcpus;
	struct vcpu_state *v;
	int64_t vm_id = 0;
	int rc = store_transaction(store);

	if (rc)
		return rc;

	vcpus = array_reserve(store->vcpus, (size_t)store->vcpu_count, 1, sizeof(*vcpus));
	if (!vcpus)
		return store_fail(store, -ENOMEM);
	store->vcpus = vcpus;

	v = &vcpus[store->vcpu_count];
	memset(v, 0, sizeof(*v));
	v->next_seq = info->first_seq;

	rc = insert_vm(store, info, &vm_id);
	if (!rc)
		rc = insert_vcpu(store, vm_id, info, &v->id);
	if (!rc && info->tid)
		rc = write_thread(store, store_sql_write_thread, v->id, info->tid, "");
	if (rc)
		return store_fail(store, rc);

	*vcpu = store->vcpu_count++;
	return 0;
}

int store_add_crosscheck(struct store *store, const struct store_crosscheck *check)
{
	sqlite3_stmt *stmt = store->insert_crosscheck;
	int rc;

	if (check->vcpu >= store->vcpu_count)
		return -EINVAL;

	rc = store_transaction(store);
	if (rc)
		return rc;

	sqlite3_clear_bindings(stmt);
	store_bind_int(stmt, ":run", store->run);
	if (check->vcpu >= 0)
		store_bind_int(stmt, ":vcpu", store->vcpus[check->vcpu].id);
	store_bind_text(stmt, ":source", check->source);
	store_bind_text(stmt, ":name", check->name);
	if (check->reason >= 0)
		store_bind_int(stmt, ":reason", check->reason);
	store_bind_int(stmt, ":n", check->n);
	if (check->cycles >= 0)
		store_bind_int(stmt, ":cycles", check->cycles);

	rc = store_step(stmt);
	return rc ? store_fail(store, rc) : 0;
}

int store_add_run_count(struct store *store, const char *source, const char *name, uint64_t n)
{
	const struct store_crosscheck check = {
		.source = source,
		.name = name,
		.vcpu = -1,
		.reason = -1,
		.n = (int64_t)n,
		.cycles = -1,
	};

	return store_add_crosscheck(store, &check);
}

static int delete_run_count(struct store *store, const char *source, const char *name)
{
	sqlite3_stmt *stmt;
	int rc = store_prepare(store, store_sql_delete_run_count, &stmt);

	if (rc)
		return rc;
	store_bind_int(stmt, ":run", store->run);
	store_bind_text(stmt, ":source", source);
	store_bind_text(stmt, ":name", name);
	return store_step_once(stmt);
}

int store_set_run_count(struct store *store, const char *source, const char *name, uint64_t n)
{
	int rc = store_transaction(store);

	if (rc)
		return rc;
	rc = delete_run_count(store, source, name);
	return rc ? store_fail(store, rc) : store_add_run_count(store, source, name, n);
}

static int insert_capability(struct store *store, uint32_t cpu, uint32_t msr, uint64_t value,
			     bool valid)
{
	sqlite3_stmt *stmt;
	int rc = store_prepare(store, store_sql_insert_capability, &stmt);

	if (rc)
		return rc;

	store_bind_int(stmt, ":run", store->run);
	store_bind_int(stmt, ":cpu", cpu);
	store_bind_int(stmt, ":msr", msr);
	store_bind_int(stmt, ":value", (int64_t)value);
	store_bind_int(stmt, ":valid", valid);
	return store_step_once(stmt);
}

int store_add_vmx_capability(struct store *store, uint32_t cpu, uint32_t msr, uint64_t value,
			     bool valid)
{
	int rc = store_transaction(store);

	if (rc)
		return rc;

	rc = insert_capability(store, cpu, msr, value, valid);
	return rc ? store_fail(store, rc) : 0;
}

/* The exit reason of a slot of the totals; -1 for KVM_EXIT_TOTAL_OTHER. */
int64_t store_slot_reason(const struct store *store, unsigned int slot)
{
	if (slot == KVM_EXIT_TOTAL_OTHER)
		return -1;
	return kvm_exit_slot_reason(store->isa, slot);
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
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(rows) / sizeof(*rows); i++) {
		const struct store_crosscheck check = {
			.source = rows[i].source,
			.name = slot == KVM_EXIT_TOTAL_OTHER ? "other reasons" : "exits",
			.vcpu = vcpu,
			.reason = store_slot_reason(store, slot),
			.n = (int64_t)rows[i].n,
			.cycles = rows[i].cycles,
		};

		if (rows[i].n || rows[i].cycles > 0)
			rc = store_add_crosscheck(store, &check);
	}
	return rc;
}

/* How much of a slot's time was not the handler's, one row for each part that there was. */
static int add_total_time(struct store *store, int vcpu, unsigned int slot,
			  const struct kvm_exit_total *t)
{
	const struct {
		const char *name;
		__u64 cycles;
	} parts[] = {
		{"halted", t->halted_cycles},
		{"userspace", t->userspace_cycles},
		{"preempted", t->preempted_cycles},
		{"polled", t->polled_cycles},
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(parts) / sizeof(*parts); i++) {
		const struct store_crosscheck check = {
			.source = "totals_time",
			.name = parts[i].name,
			.vcpu = vcpu,
			.reason = store_slot_reason(store, slot),
			.cycles = (int64_t)parts[i].cycles,
		};

		if (check.cycles > 0)
			rc = store_add_crosscheck(store, &check);
	}
	return rc;
}

static int add_totals(struct store *store, int vcpu, const struct kvm_exit_total *totals)
{
	int rc = 0;

	for (unsigned int slot = 0; !rc && slot < KVM_EXIT_TOTAL_SLOTS; slot++) {
		rc = add_total(store, vcpu, slot, &totals[slot]);
		if (!rc)
			rc = add_total_time(store, vcpu, slot, &totals[slot]);
	}
	return rc;
}

/* Notes what the rows can't show: they have no column for the handler's time. */
static int add_uneven(struct store *store, int vcpu, uint64_t n)
{
	const struct store_crosscheck check = {
		.source = "records",
		.name = "parts differ",
		.vcpu = vcpu,
		.reason = -1,
		.n = (int64_t)n,
		.cycles = -1,
	};

	return n ? store_add_crosscheck(store, &check) : 0;
}

static int update_counts(struct store *store, const struct vcpu_state *v,
			 const struct store_vcpu_end *end)
{
	sqlite3_stmt *stmt;
	int rc = store_prepare(store, store_sql_end_vcpu, &stmt);

	if (rc)
		return rc;

	store_bind_int(stmt, ":id", v->id);
	store_bind_int(stmt, ":filtered", (int64_t)end->filtered);
	store_bind_int(stmt, ":unread", (int64_t)end->unread);
	store_bind_int(stmt, ":vmfail", (int64_t)end->vmfail);
	store_bind_int(stmt, ":open_exits", end->open_exits);
	store_bind_int(stmt, ":ended", end->ended);
	return store_step_once(stmt);
}

int store_end_vcpu(struct store *store, int vcpu, const struct store_vcpu_end *end)
{
	struct vcpu_state *v;
	int rc = store_find_vcpu(store, vcpu, &v);

	if (!rc)
		rc = store_transaction(store);
	if (rc)
		return rc;

	rc = store_chunks_finish(store, v);
	if (!rc && end->end_seq > v->next_seq)
		rc = store_add_loss(store, v, end->end_seq, NULL);
	if (!rc)
		rc = update_counts(store, v, end);
	if (!rc && end->tid)
		rc = write_thread(store, store_sql_add_thread, v->id, end->tid, "");
	if (rc)
		return store_fail(store, rc);

	store->unread += end->unread;
	rc = add_uneven(store, vcpu, v->uneven);
	if (!rc && end->totals)
		rc = add_totals(store, vcpu, end->totals);
	return rc;
}

uint64_t store_file_bytes(const char *path)
{
	static const char *const files[] = {"", "-wal"};
	uint64_t bytes = 0;

	for (int i = 0; i < 2; i++) {
		struct stat st;
		char *name;

		if (asprintf(&name, "%s%s", path, files[i]) < 0)
			continue;
		if (!stat(name, &st))
			bytes += (uint64_t)st.st_size;
		free(name);
	}
	return bytes;
}

void store_get_counts(const struct store *store, struct store_counts *counts)
{
	*counts = (struct store_counts){
		.recorded = store->recorded,
		.dropped = store->dropped,
		.unread = store->unread,
		.unflushed = store->unflushed,
		.rows = store->image.rows,
		.bytes = store_file_bytes(store->path),
	};
	if (store->first_row)
		counts->rows += (uint64_t)(store->last_row - store->first_row + 1);
}
