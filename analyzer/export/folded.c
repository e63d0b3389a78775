// SPDX-License-Identifier: GPL-2.0-only
/*
 * folded.c - time as folded stacks, for flame graph tools (flamegraph.pl, inferno, speedscope)
 *
 * A line is "VM;process;function;reason;key;part NS": the guest process by its CR3 where that was
 * recorded, the guest's function with --symbols, the sub-key (of faults of guest memory: its
 * region, by --memory-map or of 2 MiB), and a part of the time. With another run to compare with
 * it is "function;reason;key;part NS NS", that run's time first, as difffolded.pl writes it: VMs
 * and page tables have other numbers in another run.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/export/export.h"
#include "analyzer/query/db.h"
#include "analyzer/query/guest/processes.h"
#include "analyzer/query/guest/regions.h"
#include "analyzer/query/guest/symbols.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/vms.h"
#include "analyzer/query/where.h"
#include "base/array.h"
#include "base/clean.h"
#include "base/hash.h"

#define FRAME_BYTES 256
#define PARTS	    4
#define PAGE_SHIFT  12
#define SIDES	    2

static const char *const part_names[] = {"handler", "halted", "user space", "waiting for a CPU"};

/* Columns of the statement. */
enum { F_VM, F_CR3, F_RIP, F_REASON_NAME, F_REASON, F_KEY, F_AUX, F_KEY_TEXT, F_PAGE, F_PART };

/* Faults of guest memory are joined by page, and then by region. */
#define IS_MEMORY "((r.isa = 1 AND x.basic_reason = 48) OR (r.isa = 2 AND x.basic_reason = 1024))"
#define FOLDED_SQL                                                                                                                                                                                                                                                                      \
	"SELECT x.vm, e.cr3, %s AS place, x.reason_name, x.basic_reason, x.key, x.key_aux, x.key_text, CASE WHEN " IS_MEMORY                                                                                                                                                            \
	" THEN x.key >> 12 END AS page, sum(x.handler_cycles), sum(x.halted_cycles), sum(x.userspace_cycles), sum(x.preempted_cycles) FROM exit e JOIN exits x ON x.id = e.rowid JOIN run r ON r.id = x.run WHERE %%s GROUP BY x.vm, e.cr3, place, x.reason_name, CASE WHEN " IS_MEMORY \
	" THEN NULL ELSE x.key_text END, page"

/* @ns: the time of each side */
struct stack {
	char *text;
	int64_t ns[SIDES];
};

struct stacks {
	struct stack *stack;
	uint32_t count;
	struct hash hash;
};

/* What a run is folded by. @has_ids: stacks have frames of VM and page table. */
struct folding {
	struct app *app;
	const struct symbols *symbols;
	bool has_ids;
	int side;
};

/* A frame's name: no ';', which ends a frame, no blank at its end, nothing that a terminal obeys.
 */
static void put_frame(FILE *file, const char *text)
{
	char frame[FRAME_BYTES];

	snprintf(frame, sizeof(frame), "%s", text);
	clean_text(frame);
	for (char *c = frame; (c = strchr(c, ';'));)
		*c = ':';
	fprintf(file, "%s;", *frame ? frame : "?");
}

static void put_ids(FILE *file, const struct run *run, sqlite3_stmt *stmt)
{
	uint64_t cr3 = (uint64_t)sqlite3_column_int64(stmt, F_CR3);
	char frame[FRAME_BYTES];
	const char *process;

	snprintf(frame, sizeof(frame), "VM %s", vms_label(run, sqlite3_column_int64(stmt, F_VM)));
	put_frame(file, frame);
	if (sqlite3_column_type(stmt, F_CR3) == SQLITE_NULL)
		return;

	process = processes_name(run->processes, cr3);
	snprintf(frame, sizeof(frame), "CR3 %016" PRIx64, PROCESS_TABLE(cr3));
	put_frame(file, process ? process : frame);
}

/* The function of the guest's kernel; what is not in the symbols by its half of the addresses. */
static void put_function(FILE *file, const struct symbols *symbols, uint64_t rip)
{
	uint64_t offset;
	const struct symbol *symbol = symbols_find(symbols, rip, &offset);

	if (symbol)
		put_frame(file, symbol->name);
	else
		put_frame(file, rip >> 63 ? "(upper half, no symbol)" : "(lower half, no symbol)");
}

static void put_key(FILE *file, struct app *app, sqlite3_stmt *stmt)
{
	const char *key = (const char *)sqlite3_column_text(stmt, F_KEY_TEXT);
	uint64_t page = (uint64_t)sqlite3_column_int64(stmt, F_PAGE);
	char meaning[64], frame[FRAME_BYTES];
	struct region place;
	const char *name;

	if (!key)
		return;
	if (sqlite3_column_type(stmt, F_PAGE) != SQLITE_NULL) {
		regions_place(&app->run, page << PAGE_SHIFT, &place);
		snprintf(frame, sizeof(frame), "gpa 0x%" PRIx64 " (2 MiB)", place.first);
		put_frame(file, place.name ? place.name : frame);
		return;
	}

	name = regions_meaning(app, sqlite3_column_int64(stmt, F_VM),
			       sqlite3_column_int64(stmt, F_REASON),
			       sqlite3_column_int64(stmt, F_KEY), sqlite3_column_int64(stmt, F_AUX),
			       meaning, sizeof(meaning));
	snprintf(frame, sizeof(frame), "%s%s%s", key, name ? " " : "", name ? name : "");
	put_frame(file, frame);
}

/* The stack of a row and a part, in memory of malloc(). NULL: no memory. */
static char *make_stack(const struct folding *folding, sqlite3_stmt *stmt, int part)
{
	char *text = NULL;
	size_t bytes;
	FILE *file = open_memstream(&text, &bytes);

	if (!file)
		return NULL;
	if (folding->has_ids)
		put_ids(file, &folding->app->run, stmt);
	if (folding->symbols)
		put_function(file, folding->symbols, (uint64_t)sqlite3_column_int64(stmt, F_RIP));
	put_frame(file, (const char *)sqlite3_column_text(stmt, F_REASON_NAME));
	put_key(file, folding->app, stmt);
	fputs(folding->app->run.has_split ? part_names[part] : "exit", file);

	if (fclose(file)) {
		free(text);
		return NULL;
	}
	return text;
}

static bool has_text(const void *items, uint32_t i, const void *key)
{
	return !strcmp(((const struct stack *)items)[i].text, key);
}

static uint32_t *find_place(const struct stacks *stacks, const char *text)
{
	uint64_t hash = 0;

	for (const char *c = text; *c; c++)
		hash = hash_mix(hash, (unsigned char)*c);
	return hash_place(&stacks->hash, hash, has_text, stacks->stack, text);
}

/* Makes room for one more stack. */
static int grow(struct stacks *stacks)
{
	struct stack *more = array_reserve(stacks->stack, stacks->count, 1, sizeof(*more));
	int rc;

	if (!more)
		return -1;
	stacks->stack = more;

	rc = hash_make_room(&stacks->hash, stacks->count);
	for (uint32_t i = 0; rc > 0 && i < stacks->count; i++)
		*find_place(stacks, more[i].text) = i + 1;
	return rc < 0 ? -1 : 0;
}

/* Adds time to a stack; takes @text, also when it fails. */
static int add_time(struct stacks *stacks, char *text, int side, int64_t ns)
{
	uint32_t *place;

	if (!text || grow(stacks)) {
		free(text);
		return -1;
	}
	place = find_place(stacks, text);
	if (*place) {
		free(text);
	} else {
		stacks->stack[stacks->count] = (struct stack){.text = text};
		*place = ++stacks->count;
	}
	stacks->stack[*place - 1].ns[side] += ns;
	return 0;
}

static int add_row(struct app *app, const struct folding *folding, sqlite3_stmt *stmt,
		   struct stacks *stacks)
{
	for (int part = 0; part < PARTS; part++) {
		int64_t cycles = sqlite3_column_int64(stmt, F_PART + part);

		if (cycles > 0 && add_time(stacks, make_stack(folding, stmt, part), folding->side,
					   cycles_to_ns(cycles, folding->app->run.tsc_khz)))
			return app_fail(app, "out of memory");
	}
	return 0;
}

static int add_run(struct app *app, const struct folding *folding, struct stacks *stacks)
{
	sqlite3_stmt *stmt;
	char sql[1200];
	int rc;

	if (app->run.no_durations)
		return app_fail(app, "export: run %" PRId64 " \"%s\" has no durations to fold",
				app->run.id, app->run.label);
	snprintf(sql, sizeof(sql), FOLDED_SQL, folding->symbols ? "e.rip" : "NULL");
	if (where_prepare(app, &app->run, sql, &stmt))
		return -1;
	while ((rc = db_step(app, stmt)) > 0)
		if (add_row(app, folding, stmt, stacks)) {
			rc = -1;
			break;
		}
	sqlite3_finalize(stmt);
	return rc;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct stack *)a)->text, ((const struct stack *)b)->text);
}

static void free_stacks(struct stacks *stacks)
{
	for (uint32_t i = 0; i < stacks->count; i++)
		free(stacks->stack[i].text);
	free(stacks->stack);
	hash_free(&stacks->hash);
}

int export_folded(struct app *app, const struct symbols *symbols, struct app *against,
		  const struct symbols *against_symbols, FILE *file)
{
	struct folding this = {app, symbols, !against, 0};
	struct stacks stacks = {NULL};
	int rc = add_run(app, &this, &stacks);

	if (!rc && against) {
		rc = add_run(against, &(struct folding){against, against_symbols, false, 1},
			     &stacks);
		if (rc)
			app_fail(app, "%s", against->error);
	}

	array_sort(stacks.stack, stacks.count, sizeof(*stacks.stack), compare);
	for (uint32_t i = 0; !rc && i < stacks.count; i++) {
		const struct stack *stack = &stacks.stack[i];

		if (against)
			fprintf(file, "%s %" PRId64 " %" PRId64 "\n", stack->text, stack->ns[1],
				stack->ns[0]);
		else
			fprintf(file, "%s %" PRId64 "\n", stack->text, stack->ns[0]);
	}
	free_stacks(&stacks);
	return rc;
}
