// SPDX-License-Identifier: GPL-2.0-only
/*
 * label.c - the key of a group, for people; see label.h
 */
#include "analyzer/output/label.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/guest/hypercalls.h"
#include "analyzer/query/guest/processes.h"
#include "analyzer/query/guest/regions.h"
#include "analyzer/query/reason.h"

/*
 * By what is grouped by, as label_put() puts their cells. What a key means goes last of all that a
 * narrow terminal has no room for.
 */
static const struct out_column columns[][LABEL_COLUMNS] = {
	[BY_REASON] = {{"reason", "REASON", OUT_ID, 0}, {"name", "NAME", OUT_TEXT, 0}},
	[BY_SUBKEY] = {{"name", "NAME", OUT_TEXT, 0},
		       {"key", "KEY", OUT_TEXT, 0},
		       {"meaning", "MEANING", OUT_TEXT, 1}},
	[BY_VM] = {{"vm", "VM", OUT_VM, 0}},
	[BY_VCPU] = {{"vm", "VM", OUT_VM, 0}, {"vcpu", "VCPU", OUT_ID, 0}},
	[BY_RIP] = {{"rip", "RIP", OUT_TEXT, 0}, {"symbol", "SYMBOL", OUT_TEXT, 0}},
	[BY_USER_REASON] = {{"user_reason", "USER-REASON", OUT_ID, 0},
			    {"name", "NAME", OUT_TEXT, 0}},
	[BY_PCPU] = {{"pcpu", "PCPU", OUT_ID, 0}},
	[BY_CR3] = {{"cr3", "CR3", OUT_TEXT, 0}, {"process", "PROCESS", OUT_TEXT, 0}},
	[BY_REGION] = {{"name", "NAME", OUT_TEXT, 0},
		       {"region", "REGION", OUT_TEXT, 0},
		       {"meaning", "MEANING", OUT_TEXT, 1}},
};

#define TEXTS_OF " FROM json_each(?1) j CROSS JOIN exits e ON e.id = j.value"

/* The texts of exits, by what is grouped by; NULL: none is needed. */
static const char *const texts_sql[] = {
	[BY_SUBKEY] = "SELECT e.id, e.key_text" TEXTS_OF,
	[BY_USER_REASON] = "SELECT e.id, e.user_reason_name" TEXTS_OF,
	[BY_SLOT] = NULL,
};

static int by_rowid(const void *a, const void *b)
{
	const struct out_example *x = a, *y = b;

	return x->rowid < y->rowid ? -1 : x->rowid > y->rowid;
}

/* The rowids as an array of JSON, for json_each(). NULL: no memory. */
static char *write_rowids(const struct out *out)
{
	sqlite3_str *text = sqlite3_str_new(NULL);

	for (size_t i = 0; i < out->example_count; i++)
		sqlite3_str_appendf(text, "%c%lld", i ? ',' : '[',
				    (long long)out->examples[i].rowid);
	sqlite3_str_appendall(text, "]");
	return sqlite3_str_finish(text);
}

/* Reads the texts of the examples, in the order of their rowids. */
static int read_texts(struct app *app, struct out *out, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int rc = db_prepare(app, &stmt, sql);
	char *rowids = rc ? NULL : write_rowids(out);
	size_t at = 0;

	if (!rc && !rowids)
		rc = app_fail(app, "out of memory");
	if (!rc)
		sqlite3_bind_text(stmt, 1, rowids, -1, SQLITE_STATIC);

	while (!rc && (rc = db_step(app, stmt)) > 0) {
		const char *text = (const char *)sqlite3_column_text(stmt, 1);
		int64_t rowid = sqlite3_column_int64(stmt, 0);

		rc = 0;
		while (at < out->example_count && out->examples[at].rowid < rowid)
			at++;
		if (at == out->example_count || out->examples[at].rowid != rowid || !text)
			continue;
		out->examples[at].text = strdup(text);
		if (!out->examples[at].text)
			rc = app_fail(app, "out of memory");
	}

	sqlite3_finalize(stmt);
	sqlite3_free(rowids);
	return rc;
}

int label_read_examples(struct app *app, struct out *out, enum agg_by by,
			const struct group *groups, uint32_t count)
{
	if (!texts_sql[by] || !count)
		return 0;

	out->examples = calloc(count, sizeof(*out->examples));
	if (!out->examples)
		return app_fail(app, "out of memory");
	out->example_count = count;
	for (uint32_t i = 0; i < count; i++)
		out->examples[i].rowid = groups[i].example;
	qsort(out->examples, count, sizeof(*out->examples), by_rowid);
	return read_texts(app, out, texts_sql[by]);
}

/* The text of a group's example. */
static void show_example(struct out *out, const struct group *group)
{
	const struct out_example key = {.rowid = group->example}, *found = NULL;

	if (out->examples)
		found = bsearch(&key, out->examples, out->example_count, sizeof(key), by_rowid);
	out_text(out, found ? found->text : NULL);
}

/* What the sub-key of a group is called. */
static void show_meaning(struct app *app, struct out *out, const struct group *group)
{
	char text[64];

	if (group->key[3])
		out_text(out, regions_meaning(app, HYPERCALLS_ANY_VM,
					      reason_basic(app->run.isa, group->key[0]),
					      group->key[1], group->key[2], text, sizeof(text)));
	else
		out_none(out);
}

static int show_vcpu(struct app *app, struct out *out, int64_t id)
{
	const struct vcpu_ref *vcpu = run_find_vcpu(&app->run, id);

	if (vcpu) {
		out_vm(out, &app->run, vcpu->vm);
		out_int(out, vcpu->vcpu_id);
	}
	return 0;
}

static int show_reason(struct app *app, struct out *out, int64_t key)
{
	char name[64];

	if (!reason_name(app, app->run.isa, key, name, sizeof(name)))
		return -1;
	out_text(out, name);
	return 0;
}

/* The address, and the function that it is in. */
static int show_rip(struct out *out, const struct symbols *symbols, uint64_t rip)
{
	char text[256];

	snprintf(text, sizeof(text), "%016" PRIx64, rip);
	out_text(out, text);
	symbols_name(symbols, rip, text, sizeof(text));
	out_text(out, *text ? text : NULL);
	return 0;
}

/* A source that does not split the time does not see returns to user space either. */
static void show_user_reason(struct out *out, const struct run *run, const struct group *group)
{
	if (group->key[0] < 0) {
		out_none(out);
		out_text(out, run->has_split ? "(handled in the kernel)" : "(unknown)");
		return;
	}

	out_int(out, group->key[0]);
	show_example(out, group);
}

/* The page table, and the process that it is of. */
static void show_process(struct out *out, const struct run *run, const struct group *group)
{
	char text[32];

	if (!group->key[1]) {
		out_none(out);
		out_text(out, "(unknown)");
		return;
	}
	snprintf(text, sizeof(text), "%016" PRIx64, (uint64_t)group->key[0]);
	out_text(out, text);
	out_text(out, processes_name(run->processes, (uint64_t)group->key[0]));
}

/* From where to where, and what is there. */
static void show_region(struct out *out, const struct run *run, const struct group *group)
{
	char text[64];

	if (!group->key[3]) {
		out_none(out);
		out_none(out);
		return;
	}
	snprintf(text, sizeof(text), "0x%" PRIx64 "-0x%" PRIx64, (uint64_t)group->key[1],
		 (uint64_t)group->key[2]);
	out_text(out, text);
	out_text(out, regions_place_name(run, (uint64_t)group->key[1], (uint64_t)group->key[2]));
}

int label_columns(enum agg_by by, struct out_column column[LABEL_COLUMNS])
{
	int n = 0;

	while (n < LABEL_COLUMNS && columns[by][n].name)
		n++;
	memcpy(column, columns[by], (size_t)n * sizeof(*column));
	return n;
}

int label_put(struct app *app, struct out *out, enum agg_by by, const struct symbols *symbols,
	      const struct group *group)
{
	int64_t key = group->key[0];

	switch (by) {
	case BY_REASON:
		out_int(out, reason_basic(app->run.isa, key));
		return show_reason(app, out, key);
	case BY_SUBKEY:
		if (show_reason(app, out, key))
			return -1;
		show_example(out, group);
		show_meaning(app, out, group);
		return 0;
	case BY_VM:
		out_vm(out, &app->run, key);
		return 0;
	case BY_VCPU:
		return show_vcpu(app, out, key);
	case BY_RIP:
		return show_rip(out, symbols, (uint64_t)key);
	case BY_USER_REASON:
		show_user_reason(out, &app->run, group);
		return 0;
	case BY_CR3:
		show_process(out, &app->run, group);
		return 0;
	case BY_REGION:
		if (show_reason(app, out, key))
			return -1;
		show_region(out, &app->run, group);
		return 0;
	case BY_SLOT:
	case BY_PCPU:
		break;
	}

	out_int(out, key);
	return 0;
}
