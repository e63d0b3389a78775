// SPDX-License-Identifier: GPL-2.0-only
/*
 * slide.c - guess where KASLR put the guest's kernel; see symbols.h
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/guest/queries.h"
#include "analyzer/query/guest/symbols.h"
#include "analyzer/query/where.h"

#define STEP	  (2UL << 20) /* CONFIG_PHYSICAL_ALIGN of x86-64 */
#define LAST	  (1UL << 30) /* RANDOMIZE_BASE_MAX_OFFSET */
#define KERNEL	  0xffffffff80000000UL
#define MOST_RIPS 64

/* Which functions an instruction is found in, by VMX reason and SVM code. */
static const struct {
	int vmx, svm;
	const char *parts[5];
} homes[] = {
	{12, 0x78, {"halt", "idle", "play_dead"}},
	{31, 0x7c, {"msr"}},
	{32, 0x7c, {"msr", "apic", "x2apic", "deadline"}},
	{10, 0x72, {"cpuid", "sync_core", "c_init", "identify", "feature"}},
	{30, 0x7b, {"serial", "io", "inb", "outb", "pci_conf"}},
};

#define N_HOMES (sizeof(homes) / sizeof(homes[0]))

struct place {
	uint64_t rip;
	size_t home;
	uint64_t n;
};

static bool is_home(const char *name, size_t home)
{
	for (int i = 0; i < 5 && homes[home].parts[i]; i++)
		if (strstr(name, homes[home].parts[i]))
			return true;
	return false;
}

/* The most frequent kernel RIPs of each kind of exit. */
static int read_places(struct app *app, const struct run *run, struct place *place, size_t *n)
{
	sqlite3_stmt *stmt;
	int rc = 0;

	*n = 0;
	if (where_prepare(app, run, query_slide_places, &stmt))
		return -1;
	for (size_t h = 0; h < N_HOMES && rc >= 0; h++) {
		sqlite3_reset(stmt);
		sqlite3_bind_int(stmt, 1, run->isa == 1 ? homes[h].vmx : homes[h].svm);
		while ((rc = db_step(app, stmt)) > 0 && *n < MOST_RIPS) {
			uint64_t rip = (uint64_t)sqlite3_column_int64(stmt, 0);

			if (rip >= KERNEL)
				place[(*n)++] = (struct place){
					rip, h, (uint64_t)sqlite3_column_int64(stmt, 1)};
		}
	}
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}

/* How many exits are at home with this slide. Each place counts at most 1000
 * times, so that one frequent place does not decide alone.
 */
static uint64_t score(struct symbols *symbols, uint64_t slide, const struct place *place, size_t n)
{
	uint64_t sum = 0, offset;

	symbols->slide = slide;
	for (size_t i = 0; i < n; i++) {
		const struct symbol *symbol = symbols_find(symbols, place[i].rip, &offset);

		if (symbol && is_home(symbol->name, place[i].home))
			sum += place[i].n < 1000 ? place[i].n : 1000;
	}
	return sum;
}

int symbols_guess_slide(struct app *app, const struct run *run, struct symbols *symbols,
			double *share)
{
	struct place place[MOST_RIPS];
	uint64_t best = 0, best_slide = 0, all = 0;
	size_t n;

	if (read_places(app, run, place, &n))
		return -1;
	for (size_t i = 0; i < n; i++)
		all += place[i].n < 1000 ? place[i].n : 1000;
	for (uint64_t slide = 0; slide <= LAST; slide += STEP) {
		uint64_t sum = score(symbols, slide, place, n);

		if (sum > best) {
			best = sum;
			best_slide = slide;
		}
	}
	symbols->slide = best_slide;
	*share = all ? (double)best / (double)all : 0;
	return 0;
}

int symbols_open(struct app *app, const char *path, const char *slide, struct symbols *symbols,
		 double *guessed)
{
	uint64_t value;
	char *end;

	memset(symbols, 0, sizeof(*symbols));
	*guessed = -1;
	if (!path)
		return slide ? app_fail(app, "--slide needs a file of symbols") : 0;
	if (symbols_load(app, path, symbols))
		return -1;
	if (!slide || !strcmp(slide, "auto"))
		return symbols_guess_slide(app, &app->run, symbols, guessed);
	errno = 0;
	value = strtoull(slide, &end, 0);
	if (errno || end == slide || *end)
		return app_fail(app, "--slide %s: not a number or auto", slide);
	symbols->slide = value;
	return 0;
}
