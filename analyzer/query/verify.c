// SPDX-License-Identifier: GPL-2.0-only
/*
 * verify.c - compare the two sides of each equation; see verify.h
 */
#include "analyzer/query/verify.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"

static int64_t id_or_all(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt, column) == SQLITE_NULL
		       ? -1
		       : sqlite3_column_int64(stmt, column);
}

/* The explanation without the last ", ". */
static char *trimmed(sqlite3_stmt *stmt, int column)
{
	char *text = db_text(stmt, column);
	size_t length = text ? strlen(text) : 0;

	if (length >= 2 && !strcmp(text + length - 2, ", "))
		text[length - 2] = '\0';
	return text;
}

static int take_row(struct app *app, sqlite3_stmt *stmt, int equation, struct checks *all)
{
	struct check *more = realloc(all->check, ((size_t)all->count + 1) * sizeof(*more));
	struct check *c;

	if (!more)
		return app_fail(app, "out of memory");
	all->check = more;
	c = &more[all->count];
	*c = (struct check){
		.equation = equation,
		.vm = id_or_all(stmt, 0),
		.vcpu = id_or_all(stmt, 1),
		.reason = id_or_all(stmt, 2),
		.left = sqlite3_column_int64(stmt, 3),
		.right = sqlite3_column_int64(stmt, 4),
		.unexplained = sqlite3_column_int64(stmt, 5),
		.why = trimmed(stmt, 6),
	};
	if (!c->why)
		return app_fail(app, "out of memory");
	all->count++;
	all->failed += c->unexplained != 0;
	return 0;
}

static int evaluate(struct app *app, int equation, struct checks *all)
{
	char *sql = sqlite3_mprintf("%s%s", verify_common, verify_equations[equation].sql);
	sqlite3_stmt *stmt;
	int rc = sql ? db_prepare(app, &stmt, sql) : app_fail(app, "out of memory");

	sqlite3_free(sql);
	if (rc)
		return -1;
	sqlite3_bind_int64(stmt, 1, app->run.id);
	sqlite3_bind_int(stmt, 2, app->run.isa);
	while ((rc = db_step(app, stmt)) > 0) {
		if (take_row(app, stmt, equation, all)) {
			rc = -1;
			break;
		}
	}
	sqlite3_finalize(stmt);
	return rc;
}

int verify_read(struct app *app, struct checks *checks)
{
	int rc = 0;

	for (int i = 0; !rc && i < verify_equation_count; i++)
		rc = evaluate(app, i, checks);
	return rc;
}

void verify_free(struct checks *checks)
{
	for (int i = 0; i < checks->count; i++)
		free(checks->check[i].why);
	free(checks->check);
	memset(checks, 0, sizeof(*checks));
}

struct check_sum verify_sum(const struct checks *checks, int equation)
{
	struct check_sum sum = {0};

	for (const struct check *c = checks->check; c < checks->check + checks->count; c++) {
		if (c->equation != equation)
			continue;
		sum.left += c->left;
		sum.right += c->right;
		sum.count++;
		sum.equal += c->left == c->right && !c->unexplained;
		sum.failed += c->unexplained != 0;
	}
	return sum;
}

const char *verify_verdict(int64_t unexplained, bool equal)
{
	return unexplained ? "UNEXPLAINED" : equal ? "equal" : "explained";
}
