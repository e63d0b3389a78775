// SPDX-License-Identifier: GPL-2.0-only
/*
 * processes.c - reads --cr3-names; see processes.h
 */
#include "analyzer/query/guest/processes.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/guest/text_file.h"
#include "base/array.h"

#define LARGEST_FILE ((size_t)16 << 20)

static int compare_tables(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return (x->table > y->table) - (x->table < y->table);
}

static int compare_lines(const void *a, const void *b)
{
	const struct process *x = a, *y = b;
	int rc = compare_tables(a, b);

	return rc ? rc : strcmp(x->name, y->name);
}

/* A line that is not empty. */
static int add_line(struct app *app, const char *path, unsigned int number, char *line,
		    struct processes *p)
{
	struct process *more;
	uint64_t cr3;

	if (!text_file_hex(&line, &cr3) || !isspace((unsigned char)*line))
		return app_fail(app, "%s: line %u is not \"CR3 NAME\" (example: 0x10a4000 nginx)",
				path, number);
	while (isspace((unsigned char)*line))
		line++;

	more = array_reserve(p->process, p->n, 1, sizeof(*more));
	if (!more)
		return app_fail(app, "out of memory");
	p->process = more;
	more[p->n++] = (struct process){PROCESS_TABLE(cr3), line};
	return 0;
}

static int read_lines(struct app *app, const char *path, struct processes *p)
{
	char *rest = p->text, *line;

	for (unsigned int number = 1; (line = text_file_next(&rest)); number++)
		if (*line && *line != '#' && add_line(app, path, number, line, p))
			return -1;
	if (!p->n)
		return app_fail(app, "%s: no process in it (lines \"CR3 NAME\")", path);

	array_sort(p->process, p->n, sizeof(*p->process), compare_lines);
	for (size_t i = 1; i < p->n; i++)
		if (p->process[i].table == p->process[i - 1].table &&
		    strcmp(p->process[i].name, p->process[i - 1].name))
			return app_fail(app, "%s: two names for CR3 0x%" PRIx64, path,
					p->process[i].table);
	return 0;
}

int processes_load(struct app *app, const char *path, struct processes *processes)
{
	size_t bytes;
	int rc;

	*processes = (struct processes){.n = 0};
	if (!path)
		return 0;

	rc = text_file_read(app, path, LARGEST_FILE, &processes->text, &bytes);
	if (!rc)
		rc = read_lines(app, path, processes);
	if (rc)
		processes_free(processes);
	return rc;
}

void processes_free(struct processes *processes)
{
	free(processes->process);
	free(processes->text);
	*processes = (struct processes){.n = 0};
}

const char *processes_name(const struct processes *processes, uint64_t cr3)
{
	const struct process key = {.table = PROCESS_TABLE(cr3)}, *found;

	if (!processes || !processes->n)
		return NULL;
	/* Of several lines with one table each has the same name. */
	found = bsearch(&key, processes->process, processes->n, sizeof(key), compare_tables);
	return found ? found->name : NULL;
}
