// SPDX-License-Identifier: GPL-2.0-only
/* store.c - the rows of table crosscheck; sql/schema.sql has the meaning of each source and name */
#include "sql/store/store.h"
#include "collector/xcheck/internal.h"
#include "collector/xcheck/xcheck.h"

/* One row; @reason < 0: all reasons; @vcpu < 0: all vCPUs. */
static int add_row(struct store *store, const char *source, const char *name, int vcpu,
		   int64_t reason, uint64_t n, int64_t cycles)
{
	const struct store_crosscheck check = {
		.source = source,
		.name = name,
		.vcpu = vcpu,
		.reason = reason,
		.n = (int64_t)n,
		.cycles = cycles,
	};

	return store_add_crosscheck(store, &check);
}

static int store_delta(struct store *store, int vcpu, const struct match_count *c)
{
	int rc = 0;

	for (uint32_t b = 0; c->delta && b < HIST_BUCKETS && !rc; b++) {
		if (c->delta[b])
			rc = add_row(store, "match_delta", "record - interval", vcpu, c->reason,
				     c->delta[b], (int64_t)hist_low(b));
	}
	return rc;
}

/* What became of the records and events of one exit reason. */
static int store_reason(struct store *store, int vcpu, const struct match_count *c)
{
	const struct {
		const char *source;
		const char *name;
		uint64_t n;
	} rows[] = {
		{"tracefs_exit", "exits", c->traced},
		{"match", "records", c->records},
		{"match", "matched", c->matched},
		{"match", "differ", c->differ},
		{"match", "before", c->before},
		{"match", "after", c->after},
		{"match", "open", c->open},
		{"match", "gap", c->gap},
		{"match", "untraced", c->untraced},
		{"match", "synthesized", c->synthesized},
		{"match", "trace_only", c->trace_only},
		{"match", "record_only", c->record_only},
		{"match", "shorter", c->shorter},
		{"match", "overlaps", c->overlaps},
	};
	int rc = 0;

	/* A row that is missing means 0. */
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) && !rc; i++) {
		if (rows[i].n)
			rc = add_row(store, rows[i].source, rows[i].name, vcpu, c->reason,
				     rows[i].n, -1);
	}

	return rc ? rc : store_delta(store, vcpu, c);
}

/* The names that analyzer/verify/exit_life.dot has for them: event and state. */
static int store_steps(struct store *store, int vcpu, const uint64_t *steps)
{
	static const char *const names[MATCH_STEPS] = {
		[MATCH_EXIT_IN_GUEST] = "exit in_guest",   [MATCH_EXIT_FASTPATH] = "exit fastpath",
		[MATCH_EXIT_HANDLED] = "exit handled",	   [MATCH_ENTRY_HANDLED] = "entry handled",
		[MATCH_ENTRY_IN_GUEST] = "entry in_guest",
	};
	int rc = 0;

	for (int i = 0; i < MATCH_STEPS && !rc; i++) {
		if (steps[i])
			rc = add_row(store, "tracefs_step", names[i], vcpu, -1, steps[i], -1);
	}
	return rc;
}

static int store_match(struct store *store, const struct match *match, int vcpu)
{
	const struct match_entries *entries = match_entries(match, vcpu);
	size_t count;
	const struct match_count *counts = match_counts(match, vcpu, &count);
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++)
		rc = store_reason(store, vcpu, &counts[i]);

	if (!rc)
		rc = add_row(store, "tracefs_entry", "entries", vcpu, -1, entries->traced, -1);
	if (!rc)
		rc = store_steps(store, vcpu, entries->steps);
	if (!rc && entries->reentered)
		rc = add_row(store, "tracefs_entry", "reentered", vcpu, -1, entries->reentered, -1);
	return rc ? rc
		  : add_row(store, "tracefs_entry", "unpaired", vcpu, -1, entries->unpaired, -1);
}

static int store_perf(struct store *store, const char *source, uint64_t count,
		      const struct perf_bound *bound)
{
	int rc = add_row(store, source, "count", -1, -1, count, -1);

	if (!rc)
		rc = add_row(store, source, "at least", -1, -1, bound->low, -1);
	return rc ? rc : add_row(store, source, "at most", -1, -1, bound->high, -1);
}

static int store_vm(struct store *store, const struct xcheck_vm *vm)
{
	int rc = 0;

	for (int i = 0; i < KVMSTAT_COUNT && !rc; i++) {
		if (vm->result.values[i] >= 0)
			rc = add_row(store, "kvm_stat_vm", kvmstat_names[i], vm->vcpu, -1,
				     (uint64_t)vm->result.values[i], -1);
	}
	if (rc || !vm->result.bounded)
		return rc;

	rc = add_row(store, "kvm_stat_bound", "at least", vm->vcpu, -1, vm->result.low, -1);
	return rc ? rc
		  : add_row(store, "kvm_stat_bound", "at most", vm->vcpu, -1, vm->result.high, -1);
}

static int store_trace(const struct xcheck *x, struct store *store)
{
	int rc = add_row(store, "tracefs_lost", "events", -1, -1, x->trace_lost, -1);

	if (!rc)
		rc = add_row(store, "tracefs_other", "exits of other VMs", -1, -1,
			     match_unknown_vcpu(x->match), -1);
	if (!rc)
		rc = add_row(store, "tracefs_ambiguous", "events", -1, -1,
			     match_ambiguous(x->match), -1);
	for (int vcpu = 0; vcpu < x->vcpu_count && !rc; vcpu++)
		rc = store_match(store, x->match, vcpu);
	return rc;
}

int xcheck_store(const struct xcheck *xcheck, struct store *store)
{
	int rc = 0;

	for (size_t i = 0; i < xcheck->note_count && !rc; i++)
		rc = add_row(store, "unavailable", xcheck->notes[i], -1, -1, 0, -1);
	if (!rc && xcheck->match)
		rc = store_trace(xcheck, store);

	if (!rc && xcheck->perf_read)
		rc = store_perf(store, "perf_exit", xcheck->perf_exits, &xcheck->exit_bound);
	if (!rc && xcheck->perf_read)
		rc = store_perf(store, "perf_entry", xcheck->perf_entries, &xcheck->entry_bound);

	for (size_t i = 0; i < xcheck->vm_count && !rc; i++) {
		if (xcheck->vms[i].read)
			rc = store_vm(store, &xcheck->vms[i]);
	}
	return rc;
}
