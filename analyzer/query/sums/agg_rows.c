// SPDX-License-Identifier: GPL-2.0-only
/*
 * agg_rows.c - the sums of agg.h from the recorded rows
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/guest/meaning.h"
#include "analyzer/query/guest/processes.h"
#include "analyzer/query/guest/regions.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/sums/agg_rows.h"
#include "kvm/uapi/kvm_exit_ring.h"
#include "sql/hist.h"

/* Arguments of take_exit() below, in its order. */
enum {
	C_ROWID,
	C_VCPU,
	C_TSC,
	C_REASON,
	C_FLAGS,
	C_CYCLES,
	C_HALTED,
	C_USER,
	C_PREEMPTED,
	C_KEY,
	C_AUX,
	C_POLLED,
	N_ARGS
};

/* The columns that a key of @by is made of, as KEY and AUX: number and aux of struct agg_exit. */
static const char *const key_columns[] = {
	[BY_REASON] = "NULL, NULL", [BY_SUBKEY] = "key, key_aux",
	[BY_VM] = "NULL, NULL",	    [BY_VCPU] = "NULL, NULL",
	[BY_RIP] = "rip, NULL",	    [BY_USER_REASON] = "user_reason, NULL",
	[BY_PCPU] = "pcpu, NULL",   [BY_CR3] = "cr3, NULL",
	[BY_REGION] = "key, NULL",  [BY_SLOT] = "NULL, NULL",
};

/* The region that the address, a sub-key if there is one, is in. */
static void region_key(const struct run *run, const struct agg_exit *exit, int64_t key[4])
{
	struct region place;

	key[0] = exit->reason;
	key[3] = exit->has_number &&
		 meaning_is_address(run->isa, reason_basic(run->isa, exit->reason));
	if (!key[3])
		return;

	regions_place(run, exit->number, &place);
	key[1] = (int64_t)place.first;
	key[2] = (int64_t)place.last;
}

void agg_key(const struct agg_question *question, const struct agg_exit *exit, int64_t key[4])
{
	/* What is not used must be equal, too: groups are found by all four. */
	memset(key, 0, 4 * sizeof(*key));

	switch (question->by) {
	case BY_REASON:
		key[0] = exit->reason;
		break;

	case BY_SUBKEY:
		key[0] = exit->reason;
		if (exit->has_number) {
			key[1] = (int64_t)exit->number;
			key[2] = exit->aux;
			key[3] = 1;
		}
		break;

	case BY_VM:
		key[0] = run_vm_of(question->run, exit->vcpu);
		break;

	case BY_VCPU:
		key[0] = exit->vcpu;
		break;

	case BY_USER_REASON:
		key[0] = exit->flags & KVM_EXIT_REC_USER ? (int64_t)exit->number : -1;
		break;

	case BY_SLOT:
		key[0] = (int64_t)exit->number;
		key[1] = exit->reason;
		break;

	case BY_CR3:
		key[0] = exit->has_number ? (int64_t)PROCESS_TABLE(exit->number) : 0;
		key[1] = exit->has_number;
		break;

	case BY_REGION:
		region_key(question->run, exit, key);
		break;

	case BY_RIP:
	case BY_PCPU:
		key[0] = (int64_t)exit->number;
		break;
	}
}

/* What an exit is grouped by in addition to what is known of it already. */
static void read_number(sqlite3_value **value, const struct agg_question *question, int64_t tsc,
			struct agg_exit *exit)
{
	if (question->by == BY_SLOT) {
		exit->number = (uint64_t)agg_bin(question->bins, run_since(question->run, tsc));
		return;
	}

	exit->has_number = sqlite3_value_type(value[C_KEY]) != SQLITE_NULL;
	if (exit->has_number) {
		exit->number = (uint64_t)sqlite3_value_int64(value[C_KEY]);
		exit->aux = sqlite3_value_int64(value[C_AUX]);
	}
}

static int add_row(sqlite3_value **value, const struct agg_question *question, int64_t vcpu,
		   int64_t reason)
{
	uint64_t cycles = (uint64_t)sqlite3_value_int64(value[C_CYCLES]);
	int64_t flags = sqlite3_value_int64(value[C_FLAGS]);
	int64_t tsc = sqlite3_value_int64(value[C_TSC]);
	struct agg_exit exit = {.reason = reason, .vcpu = vcpu, .flags = flags};
	struct group *group, one;
	int64_t key[4];

	read_number(value, question, tsc, &exit);
	agg_key(question, &exit, key);
	group = agg_group(question->agg, key);
	if (!group)
		return -1;
	if (!group->example)
		group->example = sqlite3_value_int64(value[C_ROWID]);

	one = (struct group){
		.n = 1,
		.cycles = cycles,
		.halted = (uint64_t)sqlite3_value_int64(value[C_HALTED]),
		.userspace = (uint64_t)sqlite3_value_int64(value[C_USER]),
		.preempted = (uint64_t)sqlite3_value_int64(value[C_PREEMPTED]),
		.polled = (uint64_t)sqlite3_value_int64(value[C_POLLED]),
		.min = cycles,
		.max = cycles,
		.fastpath = !!(flags & KVM_EXIT_REC_FASTPATH),
		.nested = !!(flags & KVM_EXIT_REC_NESTED),
		.to_user = !!(flags & KVM_EXIT_REC_USER),
		.synthesized = !!(flags & KVM_EXIT_REC_SYNTH),
		.first = tsc,
		.last = tsc,
	};
	group_add(group, &one);
	if (question->see)
		question->see(question->context, sqlite3_value_int64(value[C_ROWID]), reason, &one);

	if (!(question->flags & AGG_DIST))
		return 0;
	if (question->flags & AGG_HANDLER)
		cycles = group_handler(&one);
	if (question->flags & AGG_EXACT)
		return dist_add_value(&group->dist, cycles);
	return dist_add(&group->dist, hist_bucket(cycles), 1);
}

static int64_t clamp_add(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* An SQL aggregate function (db_add_aggregate()) that takes each row. */
static void take_exit(sqlite3_context *context, int argc, sqlite3_value **value)
{
	const struct agg_question *question = sqlite3_user_data(context);
	int64_t reason = reason_key(question->run->isa, sqlite3_value_int64(value[C_REASON]));
	int64_t vcpu = sqlite3_value_int64(value[C_VCPU]);

	(void)argc;
	if (run_has_vcpu(question->run, vcpu) && reason_passes(question->run, reason) &&
	    add_row(value, question, vcpu, reason))
		sqlite3_result_error_nomem(context);
}

/* The rows of table exit, with what is in chunks only if each exit is to be seen. */
static int read_rows(struct app *app, const struct agg_question *question)
{
	const struct run *run = question->run;
	const int64_t value[] = {question->from_tsc, question->last_tsc, run->first_row,
				 run->last_row};
	char sql[512];
	const struct db_pass pass = {
		.name = "take_exit",
		.args = N_ARGS,
		.take = take_exit,
		.context = question,
		.sql = sql,
		.value = value,
		.values = run_is_whole(run) ? 0 : 4,
	};

	/* Only few read a part; a condition that holds for all costs a tenth of the time. */
	snprintf(
		sql, sizeof(sql),
		"SELECT take_exit(rowid, vcpu, tsc, reason, flags, cycles, halted_cycles, userspace_cycles, preempted_cycles, %s, polled_cycles) FROM %sexit%s",
		key_columns[question->by], app->has_chunks && !question->see ? "main." : "",
		pass.values ? " WHERE tsc BETWEEN ?1 AND ?2 AND rowid BETWEEN ?3 AND ?4" : "");
	return db_run_pass(app, &pass);
}

/* What follows from the values: agg_has_values(). */
static void sum_values(struct group *group)
{
	const struct dist *d = &group->dist;

	group->cycles = 0;
	for (size_t i = 0; i < d->values; i++)
		group->cycles += d->value[i] * d->count[i];
	if (d->values) {
		group->min = d->value[0];
		group->max = d->value[d->values - 1];
	}
}

static struct agg_question ask(const struct run *run, enum agg_by by, struct agg *agg)
{
	return (struct agg_question){
		.run = run,
		.by = by,
		.from_tsc = run->from ? run->tsc_start + run->from : INT64_MIN,
		.last_tsc =
			run->to == INT64_MAX ? INT64_MAX : clamp_add(run->tsc_start, run->to) - 1,
		.agg = agg,
	};
}

int agg_read_seen(struct app *app, const struct run *run, enum agg_by by, agg_see *see,
		  void *context, struct agg *agg)
{
	struct agg_question question = ask(run, by, agg);

	question.see = see;
	question.context = context;
	return run_needs_rows(app, run) ? -1 : read_rows(app, &question);
}

int agg_read_rows(struct app *app, const struct run *run, enum agg_by by, unsigned int flags,
		  const struct agg_bins *bins, struct agg *agg)
{
	struct agg_question question = ask(run, by, agg);
	int rc = run_needs_rows(app, run);

	question.flags = flags;
	question.bins = bins;
	if (!rc)
		rc = read_rows(app, &question);
	if (!rc && app->has_chunks)
		rc = agg_read_chunks(app, &question);

	for (uint32_t i = 0; !rc && i < agg->groups; i++) {
		if (dist_sort(&agg->group[i].dist))
			rc = app_fail(app, "out of memory");
		else if (agg_has_values(&question))
			sum_values(&agg->group[i]);
	}
	return rc;
}
