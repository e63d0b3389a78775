// SPDX-License-Identifier: GPL-2.0-only
/*
 * openmetrics.c - sums and histograms in the text formats OpenMetrics 1.0 and Prometheus 0.0.4
 *
 * Prometheus' own tools for files (promtool check metrics, node_exporter's textfile
 * collector) read the second one: a counter's family has the name of its samples, and
 * there are neither units nor type info.
 *
 * A metric family's lines stand together, so everything is read first. Upper
 * limits of histogram buckets (le) are where powers of two of cycles lie, less a
 * cycle: there the counts are exact.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/export/export.h"
#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/sums/agg.h"
#include "analyzer/query/vms.h"
#include "base/metrics.h"
#include "sql/hist.h"

/*
 * struct metrics - all that is exported
 * @plain: in Prometheus' format
 * @agg: by reason, one for each vCPU of the run
 * @low, @high: powers of two of cycles that bound all durations
 */
struct metrics {
	struct app *app;
	const struct run *run;
	FILE *file;
	bool plain;
	struct agg *agg;
	unsigned int low;
	unsigned int high;
};

static double seconds(const struct metrics *m, uint64_t cycles)
{
	return (double)cycles / 1e3 / (double)m->run->tsc_khz;
}

static void plain_family(struct metrics *m, const char *name, const char *type, const char *help)
{
	const char *suffix = "";
	char samples[64];

	if (!strcmp(type, "counter")) {
		suffix = "_total";
	} else if (!strcmp(type, "info")) {
		suffix = "_info";
		type = "gauge";
	}
	snprintf(samples, sizeof(samples), "%s%s", name, suffix);
	metrics_put_family(m->file, samples, type, help);
}

static void family(struct metrics *m, const char *name, const char *type, const char *unit,
		   const char *help)
{
	if (m->plain) {
		plain_family(m, name, type, help);
		return;
	}
	fprintf(m->file, "# TYPE %s %s\n", name, type);
	if (unit)
		fprintf(m->file, "# UNIT %s %s\n", name, unit);
	fprintf(m->file, "# HELP %s %s\n", name, help);
}

static void put_vcpu_labels(struct metrics *m, const char *name, const struct vcpu_ref *vcpu)
{
	const struct vm_ref *vm = vms_find(m->run, vcpu->vm);

	fprintf(m->file, "%s{run=\"%" PRId64 "\",vm=\"%" PRId64 "\",vcpu=\"%" PRId64 "\"", name,
		m->run->id, vcpu->vm, vcpu->vcpu_id);
	/* A label without a value is the same as no label. */
	if (vm && *vm->name) {
		fputs(",vm_name=", m->file);
		metrics_put_value(m->file, vm->name);
	}
}

/* @name{run=...,vm=...,vcpu=...,reason=... : the caller ends it with '}'. */
static int put_labels(struct metrics *m, const char *name, unsigned int vcpu, const struct group *g)
{
	char reason[64];

	if (!reason_name(m->app, m->run->isa, g->key[0], reason, sizeof(reason)))
		return -1;
	put_vcpu_labels(m, name, &m->run->vcpus[vcpu]);
	fprintf(m->file, ",number=\"%" PRId64 "\",reason=", reason_basic(m->run->isa, g->key[0]));
	metrics_put_value(m->file, reason);
	return 0;
}

/* One sample of each vCPU and reason. */
static int each_group(struct metrics *m,
		      int (*put)(struct metrics *m, unsigned int vcpu, const struct group *g))
{
	for (unsigned int v = 0; v < m->run->n_vcpus; v++)
		for (uint32_t i = 0; i < m->agg[v].groups; i++)
			if (put(m, v, &m->agg[v].group[i]))
				return -1;
	return 0;
}

static int put_exits(struct metrics *m, unsigned int vcpu, const struct group *g)
{
	if (put_labels(m, "kvm_exits_total", vcpu, g))
		return -1;
	fprintf(m->file, "} %" PRIu64 "\n", group_exits(g));
	return 0;
}

static int put_flags(struct metrics *m, unsigned int vcpu, const struct group *g)
{
	static const char *const name[] = {"fastpath", "nested", "to_user", "synthesized"};
	const uint64_t n[] = {g->fastpath, g->nested, g->to_user, g->synthesized};

	for (int i = 0; i < 4; i++) {
		if (!n[i])
			continue;
		if (put_labels(m, "kvm_exits_flagged_total", vcpu, g))
			return -1;
		fprintf(m->file, ",flag=\"%s\"} %" PRIu64 "\n", name[i], n[i]);
	}
	return 0;
}

static int put_parts(struct metrics *m, unsigned int vcpu, const struct group *g)
{
	static const char *const name[] = {"handler", "halted", "userspace", "preempted"};
	const uint64_t cycles[] = {group_handler(g), g->halted, g->userspace, g->preempted};

	/* Nothing says how long dropped exits took. */
	for (int i = 0; i < 4 && g->n; i++) {
		if (put_labels(m, "kvm_exit_part_seconds_total", vcpu, g))
			return -1;
		fprintf(m->file, ",part=\"%s\"} %.12g\n", name[i], seconds(m, cycles[i]));
	}
	return 0;
}

static int put_histogram(struct metrics *m, unsigned int vcpu, const struct group *g)
{
	uint64_t n = 0, more;
	uint32_t bucket = 0;

	for (unsigned int power = m->low; power <= m->high; power++) {
		uint64_t limit = UINT64_C(1) << power;

		for (; dist_next(&g->dist, &bucket, &more) && hist_low(bucket) < limit; bucket++)
			n += more;
		if (put_labels(m, "kvm_exit_duration_seconds_bucket", vcpu, g))
			return -1;
		fprintf(m->file, ",le=\"%.12g\"} %" PRIu64 "\n", seconds(m, limit - 1), n);
	}
	if (put_labels(m, "kvm_exit_duration_seconds_bucket", vcpu, g))
		return -1;
	fprintf(m->file, ",le=\"+Inf\"} %" PRIu64 "\n", g->dist.total);
	if (put_labels(m, "kvm_exit_duration_seconds_count", vcpu, g))
		return -1;
	fprintf(m->file, "} %" PRIu64 "\n", g->dist.total);
	if (put_labels(m, "kvm_exit_duration_seconds_sum", vcpu, g))
		return -1;
	fprintf(m->file, "} %.12g\n", seconds(m, g->cycles));
	return 0;
}

static int put_longest(struct metrics *m, unsigned int vcpu, const struct group *g)
{
	if (put_labels(m, "kvm_exit_duration_max_seconds", vcpu, g))
		return -1;
	fprintf(m->file, "} %.12g\n", seconds(m, g->max));
	return 0;
}

/* What is known of each vCPU's recording: from view coverage. */
static int put_coverage(struct metrics *m)
{
	static const char *const state[] = {"recorded", "dropped", "filtered", "unread"};
	sqlite3_stmt *stmt;
	int rc = 0;

	family(m, "kvm_exit_records", "counter", NULL,
	       "Exits of the whole run: recorded, dropped (ring full), filtered (on request), unread (before the collector).");
	if (db_prepare(m->app, &stmt,
		       "SELECT recorded, dropped, filtered, unread FROM coverage WHERE vcpu = ?1"))
		return -1;
	for (unsigned int v = 0; v < m->run->n_vcpus; v++) {
		sqlite3_reset(stmt);
		sqlite3_bind_int64(stmt, 1, m->run->vcpus[v].id);
		rc = db_step(m->app, stmt);
		for (int i = 0; i < 4 && rc > 0; i++) {
			put_vcpu_labels(m, "kvm_exit_records_total", &m->run->vcpus[v]);
			fprintf(m->file, ",state=\"%s\"} %lld\n", state[i],
				sqlite3_column_int64(stmt, i));
		}
		if (rc < 0)
			break;
	}
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}

static void put_run(struct metrics *m)
{
	const struct run *run = m->run;

	family(m, "kvm_exit_run", "info", NULL,
	       "The recording. In an emulated environment a cycle is an instruction and no time is a real latency.");
	fprintf(m->file, "kvm_exit_run_info{run=\"%" PRId64 "\",isa=\"%s\",label=", run->id,
		run->isa == 1 ? "VMX" : "SVM");
	metrics_put_value(m->file, run->label);
	fprintf(m->file, ",state=");
	metrics_put_value(m->file, run->state);
	fprintf(m->file, ",source=");
	metrics_put_value(m->file, run->source);
	fprintf(m->file, ",environment=");
	metrics_put_value(m->file, run->environment);
	fprintf(m->file, "} 1\n");
	family(m, "kvm_exit_run_seconds", "gauge", "seconds",
	       "Length of the recording that the numbers are of.");
	fprintf(m->file, "kvm_exit_run_seconds{run=\"%" PRId64 "\"} %.12g\n", run->id,
		seconds(m, (uint64_t)run_grid_length(run)));
}

static int put_durations(struct metrics *m)
{
	family(m, "kvm_exit_duration_seconds", "histogram", "seconds",
	       "Time from a VM exit to the next VM entry of the vCPU.");
	if (each_group(m, put_histogram))
		return -1;

	family(m, "kvm_exit_duration_max_seconds", "gauge", "seconds",
	       "The longest of these times.");
	return each_group(m, put_longest);
}

static int put_all(struct metrics *m)
{
	put_run(m);
	if (put_coverage(m))
		return -1;

	family(m, "kvm_exits", "counter", NULL,
	       "VM exits by vCPU and exit reason, with dropped ones where KVM counted them.");
	if (each_group(m, put_exits))
		return -1;

	/* What the source does not know has no family, rather than zeros. */
	if (m->run->has_split) {
		family(m, "kvm_exits_flagged", "counter", NULL,
		       "Recorded VM exits handled on the fast path, of a nested guest, returned to user space, or synthesized without a VM entry.");
		if (each_group(m, put_flags))
			return -1;
		family(m, "kvm_exit_part_seconds", "counter", "seconds",
		       "Time from exit to entry of recorded exits, by what it went to.");
		if (each_group(m, put_parts))
			return -1;
	}

	if (!m->run->no_durations && put_durations(m))
		return -1;

	if (!m->plain)
		fputs("# EOF\n", m->file);
	return 0;
}

/* Widen m->low and m->high to this vCPU's durations. */
static void note_powers(struct metrics *m, const struct agg *agg)
{
	for (uint32_t i = 0; i < agg->groups; i++) {
		const struct dist *d = &agg->group[i].dist;
		uint32_t first = 0, last;
		unsigned int power;
		uint64_t n;

		if (!dist_next(d, &first, &n))
			continue;
		last = first;
		for (uint32_t bucket = first; dist_next(d, &bucket, &n); bucket++)
			last = bucket;
		for (power = HIST_BITS; power < 62 && hist_low(first) >= UINT64_C(2) << power;)
			power++;
		m->low = power < m->low ? power : m->low;
		for (; power < 62 && hist_low(last) >= UINT64_C(1) << power;)
			power++;
		m->high = power > m->high ? power : m->high;
	}
}

static int export_metrics(struct app *app, FILE *file, bool plain)
{
	struct metrics m = {.app = app,
			    .run = &app->run,
			    .file = file,
			    .plain = plain,
			    .low = 62,
			    .high = HIST_BITS};
	struct run one = app->run;
	int rc = 0;

	m.agg = calloc(app->run.n_vcpus + 1, sizeof(*m.agg));
	if (!m.agg)
		return app_fail(app, "out of memory");

	one.n_vcpus = 1;
	for (unsigned int v = 0; v < app->run.n_vcpus && !rc; v++) {
		one.vcpus = &app->run.vcpus[v];
		rc = agg_read(app, &one, BY_REASON, AGG_DIST, &m.agg[v]);
		if (!rc)
			note_powers(&m, &m.agg[v]);
	}
	if (!rc)
		rc = put_all(&m);

	for (unsigned int v = 0; v < app->run.n_vcpus; v++)
		agg_free(&m.agg[v]);
	free(m.agg);
	return rc;
}

int export_openmetrics(struct app *app, FILE *file)
{
	return export_metrics(app, file, false);
}

int export_prometheus(struct app *app, FILE *file)
{
	return export_metrics(app, file, true);
}
