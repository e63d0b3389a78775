// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer explain - what a reason means, what this recording shows of it, what reduces it
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/sums/commands.h"
#include "analyzer/output/out.h"
#include "analyzer/query/db.h"
#include "analyzer/query/guest/hypercalls.h"
#include "analyzer/query/guest/regions.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/sums/agg.h"
#include "base/units.h"

#define MOST_REASONS 3 /* without an argument */
#define MOST_KEYS    3

static const struct out_column columns[] = {
	{"reason", "REASON", OUT_ID, 0},     {"name", "NAME", OUT_TEXT, 0},
	{"exits", "EXITS", OUT_COUNT, 0},    {"share", "SHARE", OUT_SHARE, 0},
	{"p50", "P50", OUT_TIME, 0},	     {"p99", "P99", OUT_TIME, 0},
	{"rows", "ROWS", OUT_COUNT, 0},	     {"keys", "ABOUT", OUT_TEXT, 0},
	{"meaning", "MEANING", OUT_TEXT, 0}, {"causes", "CAUSES", OUT_TEXT, 0},
	{"remedy", "REMEDY", OUT_TEXT, 0},
};

/* What is shown of one reason. */
struct explained {
	int64_t basic;
	char name[64];
	struct group sum;
	double share;  /* of all exits */
	uint64_t rows; /* exits whose keys are known: those that have rows */
	char keys[512];
	char *meaning, *causes, *remedy;
};

static int read_words(struct app *app, struct explained *e)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(
		app, &stmt,
		"SELECT meaning, causes, remedy FROM reasons WHERE isa = ?1 AND number = ?2");

	if (rc)
		return rc;
	sqlite3_bind_int(stmt, 1, app->run.isa);
	sqlite3_bind_int64(stmt, 2, e->basic);
	rc = db_step(app, stmt);
	if (rc >= 0) {
		e->meaning = rc ? db_text(stmt, 0)
				: strdup("No edition of the manual that we know defines it.");
		e->causes = rc ? db_text(stmt, 1) : strdup("Unknown.");
		e->remedy = rc ? db_text(stmt, 2) : strdup("Unknown.");
		rc = e->meaning && e->causes && e->remedy ? 0 : app_fail(app, "out of memory");
	}
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}

/* Appends "KEY (MEANING) N" of a group. */
static int add_key(struct app *app, const struct group *group, char *text, size_t bytes)
{
	size_t used = strlen(text);
	const char *name, *key;
	char meaning[64], count[UNITS_TEXT];
	sqlite3_stmt *stmt;
	int rc = db_prepare(app, &stmt, "SELECT key_text FROM exits WHERE id = ?1");

	if (rc)
		return rc;
	sqlite3_bind_int64(stmt, 1, group->example);
	rc = db_step(app, stmt);
	key = rc > 0 ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
	name = regions_meaning(app, HYPERCALLS_ANY_VM, reason_basic(app->run.isa, group->key[0]),
			       group->key[1], group->key[2], meaning, sizeof(meaning));
	if (key)
		snprintf(text + used, bytes - used, "%s%s%s%s%s: %s", used ? "; " : "", key,
			 name ? " (" : "", name ? name : "", name ? ")" : "",
			 units_count((int64_t)group->n, count));
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}

/* The most frequent sub-keys of a reason. */
static int read_keys(struct app *app, const struct agg *keys, int64_t reason, struct explained *e)
{
	int found = 0;

	for (uint32_t i = 0; i < keys->groups; i++)
		e->rows += keys->group[i].key[0] == reason ? keys->group[i].n : 0;
	for (uint32_t i = 0; i < keys->groups && found < MOST_KEYS; i++) {
		if (keys->group[i].key[0] != reason || !keys->group[i].key[3])
			continue;
		if (add_key(app, &keys->group[i], e->keys, sizeof(e->keys)))
			return -1;
		found++;
	}
	return 0;
}

static void put_row(struct out *out, const struct explained *e)
{
	out_int(out, e->basic);
	out_text(out, e->name);
	out_int(out, (int64_t)group_exits(&e->sum));
	out_real(out, e->share);
	if (e->sum.n) {
		out_time(out, group_quantile(&e->sum, 0.5));
		out_time(out, group_quantile(&e->sum, 0.99));
	} else {
		out_none(out);
		out_none(out);
	}
	out_int(out, (int64_t)e->rows);
	out_text(out, *e->keys ? e->keys : NULL);
	out_text(out, e->meaning);
	out_text(out, e->causes);
	out_text(out, e->remedy);
}

static void time_text(const struct app *app, uint64_t cycles, char text[UNITS_TEXT])
{
	units_ns((double)cycles_to_ns((int64_t)cycles, app->run.tsc_khz), text);
}

/* How many exits there were, and as far as that is known how long they took and where they went. */
static void put_here(struct app *app, struct out *out, const struct explained *e)
{
	char count[UNITS_TEXT], share[UNITS_TEXT], p50[UNITS_TEXT], p99[UNITS_TEXT];
	char recorded[UNITS_TEXT], user[UNITS_TEXT];
	uint64_t exits = group_exits(&e->sum);
	char line[320];
	int used;

	if (!exits) {
		out_line(out, "  here:      it does not occur");
		return;
	}

	used = snprintf(line, sizeof(line), "%s exit%s, %s of all",
			units_count((int64_t)exits, count), exits == 1 ? "" : "s",
			units_share(e->share, share));
	if (exits > e->sum.n)
		used += snprintf(line + used, sizeof(line) - (size_t)used, ", %s of them recorded",
				 units_count((int64_t)e->sum.n, recorded));

	if (e->sum.n && !app->run.no_durations) {
		time_text(app, group_quantile(&e->sum, 0.5), p50);
		time_text(app, group_quantile(&e->sum, 0.99), p99);
		used += snprintf(line + used, sizeof(line) - (size_t)used,
				 "; half of them last at most %s, 99 %% at most %s", p50, p99);
	}
	if (e->sum.n && app->run.has_split)
		snprintf(line + used, sizeof(line) - (size_t)used, "; %s went to user space",
			 units_share((double)e->sum.to_user / (double)e->sum.n, user));
	out_wrapped(out, "  here:      ", line);
}

/* What they were about: of all exits, or of those whose single exits were kept. */
static void put_about(struct out *out, const struct explained *e)
{
	char rows[UNITS_TEXT], text[sizeof(e->keys) + 64];

	if (!*e->keys)
		return;
	if (e->rows < e->sum.n)
		snprintf(text, sizeof(text), "of the %s that have rows: %s",
			 units_count((int64_t)e->rows, rows), e->keys);
	else
		snprintf(text, sizeof(text), "%s", e->keys);
	out_wrapped(out, "  about:     ", text);
}

static void put_paragraph(struct app *app, struct out *out, const struct explained *e)
{
	out_line(out, "%s", "");
	out_line(out, "%s (%s %" PRId64 ")", e->name, app->run.isa == 1 ? "VMX" : "SVM", e->basic);
	out_wrapped(out, "  meaning:   ", e->meaning);
	out_wrapped(out, "  causes:    ", e->causes);
	put_here(app, out, e);
	put_about(out, e);
	out_wrapped(out, "  to do:     ", e->remedy);
}

/* One reason; @sum NULL: it does not occur. */
static int put_reason(struct app *app, struct out *out, int64_t reason, const struct group *sum,
		      uint64_t all, const struct agg *keys, bool as_text)
{
	struct explained e = {.basic = reason_basic(app->run.isa, reason), .sum = group_empty()};
	int rc = reason_name(app, app->run.isa, reason, e.name, sizeof(e.name)) ? 0 : -1;

	if (sum)
		e.sum = *sum;
	e.share = all ? (double)group_exits(&e.sum) / (double)all : 0;
	if (!rc)
		rc = read_words(app, &e);
	if (!rc)
		rc = read_keys(app, keys, reason, &e);
	if (!rc && as_text)
		put_paragraph(app, out, &e);
	else if (!rc)
		put_row(out, &e);
	free(e.meaning);
	free(e.causes);
	free(e.remedy);
	return rc;
}

/* The reasons of the command line, or the most frequent ones. */
static int put_reasons(struct app *app, struct out *out, const struct run *chosen,
		       const struct agg *reasons, const struct agg *keys, bool as_text)
{
	struct group total = agg_total(reasons);
	uint64_t all = group_exits(&total);
	int rc = 0;

	if (!as_text)
		out_table(out, "reasons", columns, (int)(sizeof(columns) / sizeof(columns[0])));
	for (unsigned int i = 0; !rc && i < chosen->reasons; i++) {
		const struct group *sum = NULL;

		for (uint32_t g = 0; g < reasons->groups; g++)
			if (reasons->group[g].key[0] == chosen->reason[i])
				sum = &reasons->group[g];
		rc = put_reason(app, out, chosen->reason[i], sum, all, keys, as_text);
	}
	for (uint32_t g = 0; !rc && !chosen->reasons && g < reasons->groups && g < MOST_REASONS;
	     g++)
		rc = put_reason(app, out, reasons->group[g].key[0], &reasons->group[g], all, keys,
				as_text);
	if (!as_text)
		out_table_end(out);
	return rc;
}

/* The reasons that the command line names. */
static int read_reasons(struct app *app, const char *words, struct run *chosen)
{
	static const char option[] = "--reason ";
	char error[sizeof(app->error)];
	int rc;

	app->filter.reason = words;
	rc = reason_filter(app, chosen);
	app->filter.reason = NULL;

	/* They are no option's value here. */
	if (rc && !strncmp(app->error, option, strlen(option))) {
		snprintf(error, sizeof(error), "explain %s", app->error + strlen(option));
		return app_fail(app, "%s", error);
	}
	if (!rc && chosen->reasons_excluded)
		return app_fail(app, "explain %s: name the reasons to explain", words);
	return rc;
}

static int explain(struct app *app, const struct options *opt)
{
	struct agg reasons = {0}, keys = {0};
	struct run chosen = {0};
	struct out out;
	int rc;

	if (app->filter.reason)
		return app_fail(app,
				"--reason: explain takes reasons as words (analyzer explain %s)",
				app->filter.reason);
	rc = run_open(app, app->filter.run, &app->run);

	if (!rc && opt->n_words) {
		chosen.isa = app->run.isa;
		rc = read_reasons(app, opt->words[0], &chosen);
	}
	if (!rc)
		rc = agg_read(app, &app->run, BY_REASON, AGG_DIST, &reasons);
	if (!rc && !chosen.reasons && !reasons.groups)
		rc = run_nothing(app);
	/* Keys are of the exits that have rows, which put_about() says. */
	if (!rc && app->run.has_raw != RAW_NONE)
		rc = agg_read(app, &app->run, BY_SUBKEY, 0, &keys);
	if (!rc) {
		bool as_text = opt->style.format == OUT_TABLE && !opt->style.columns;

		agg_sort_by_count(&reasons);
		agg_sort_by_count(&keys);
		out_begin(&out, &opt->style, app->run.tsc_khz);
		out.counts_dropped = true;
		out_run(&out, "run", &app->run);
		rc = put_reasons(app, &out, &chosen, &reasons, &keys, as_text);
		rc = out_end(&out, app, rc < 0);
	}
	agg_free(&reasons);
	agg_free(&keys);
	return rc;
}

const struct cmd cmd_explain = {
	.name = "explain",
	.summary = "what a reason means, what this run shows of it, what reduces it",
	.usage = "[REASON[,REASON...]] [OPTION...]",
	.help = help_explain,
	.options = OPT_FILTER | OPT_FORMAT,
	.words = 1,
	.run = explain,
};
