// SPDX-License-Identifier: GPL-2.0-only
/* verify_rows.c - reads table exit once for all vCPUs: it has no index by vCPU */
#include "analyzer/verify/verify_rows.h"

#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/verify/queries.h"
#include "base/wrap.h"

/* Arguments of take_row() in rows.sql. */
enum {
	R_VCPU,
	R_SEQ,
	R_TSC,
	R_REASON,
	R_FLAGS,
	R_CYCLES,
	R_HALTED,
	R_USERSPACE,
	R_PREEMPTED,
	R_POLLED,
	R_ARGS,
};

static struct life_row read_row(sqlite3_value **value)
{
	return (struct life_row){
		.seq = sqlite3_value_int64(value[R_SEQ]),
		.tsc = sqlite3_value_int64(value[R_TSC]),
		.reason = sqlite3_value_int64(value[R_REASON]),
		.flags = (uint32_t)sqlite3_value_int64(value[R_FLAGS]),
		.cycles = sqlite3_value_int64(value[R_CYCLES]),
		.halted_cycles = sqlite3_value_int64(value[R_HALTED]),
		.userspace_cycles = sqlite3_value_int64(value[R_USERSPACE]),
		.preempted_cycles = sqlite3_value_int64(value[R_PREEMPTED]),
		.polled_cycles = sqlite3_value_int64(value[R_POLLED]),
	};
}

/* @away: the parts of the time without the handler's. Returns false if they don't fit. */
static bool add_parts(const struct life_row *row, int64_t *away)
{
	return !__builtin_add_overflow(row->halted_cycles, row->userspace_cycles, away) &&
	       !__builtin_add_overflow(*away, row->preempted_cycles, away);
}

static void add_leaf_row(const struct row_readers *to, int isa, const struct vcpu_sum *vcpu,
			 const struct life_row *row, int64_t away)
{
	const struct leaf_row leaf_row = {
		.vcpu = vcpu->id,
		.vm = vcpu->vm,
		.tsc = row->tsc,
		.cycles = row->cycles,
		.reason = reason_basic(isa, row->reason),
		.time_cycles = wrap_subtract(row->cycles, to->handler_time ? away : 0),
	};

	leaves_add(to->leaves, &leaf_row);
}

/* What is done with one row of @vcpu. -1: no memory. */
static int add_row(const struct life_row *row, struct vcpu_sum *vcpu, int isa,
		   const struct row_readers *to)
{
	int64_t away = 0;
	bool uneven = !add_parts(row, &away) || row->cycles < away ||
		      row->polled_cycles > row->halted_cycles;

	vcpu->rows++;
	vcpu->uneven += uneven;
	life_add(to->life, (size_t)(vcpu - to->sums->vcpu), row);
	if (to->intervals &&
	    intervals_add(to->intervals, vcpu->id, row->reason, row->tsc, row->cycles))
		return -1;
	if (to->leaves)
		add_leaf_row(to, isa, vcpu, row, away);
	return 0;
}

/* @vcpu: of the last row; NULL: of none yet, or it is of another run. */
struct pass {
	int isa;
	const struct row_readers *to;
	int64_t vcpu_id;
	struct vcpu_sum *vcpu;
};

/* An SQL aggregate function (db_add_aggregate()) that takes each row. */
static void take_row(sqlite3_context *context, int args, sqlite3_value **value)
{
	struct pass *pass = sqlite3_user_data(context);
	int64_t id = sqlite3_value_int64(value[R_VCPU]);

	(void)args;
	/* Rows of a vCPU come in batches. */
	if (!pass->vcpu || pass->vcpu_id != id) {
		pass->vcpu = sums_find_vcpu(pass->to->sums, id);
		pass->vcpu_id = id;
	}
	if (pass->vcpu) {
		const struct life_row row = read_row(value);

		if (add_row(&row, pass->vcpu, pass->isa, pass->to))
			sqlite3_result_error_nomem(context);
	}
}

/* Sets to->handler_time, which only the leaves need. */
static int read_leaf_time(struct app *app, struct row_readers *to)
{
	sqlite3_stmt *stmt;
	int rc;

	if (!to->leaves)
		return 0;
	if (db_prepare(app, &stmt, verify_sql_leaf_time))
		return -1;
	sqlite3_bind_int64(stmt, 1, app->run.id);
	rc = db_step(app, stmt);
	if (rc > 0)
		to->handler_time = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}

int rows_read(struct app *app, struct row_readers *to)
{
	struct pass pass = {.isa = app->run.isa, .to = to};
	const struct db_pass rows = {
		.name = "take_row",
		.args = R_ARGS,
		.take = take_row,
		.context = &pass,
		.sql = verify_sql_rows,
	};

	return read_leaf_time(app, to) || db_run_pass(app, &rows) ? -1 : 0;
}
