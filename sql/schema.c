// SPDX-License-Identifier: GPL-2.0-only
/*
 * schema.c - compares the schema of a file with our own; see schema.h
 *
 * A file may come from elsewhere, and SQLite evaluates what its schema says
 * whenever a table is written: triggers, CHECK, DEFAULT and generated columns,
 * expressions of indexes. So nothing is written before this check. Views and
 * generated columns are evaluated when they are read.
 *
 * HOW IT WORKS
 *
 * SQLite builds its tables from column sql of sqlite_schema alone. Columns type,
 * name and tbl_name may be forged, so they are not read here:
 *
 *  1. Each text defines a table, a view or an index. Triggers, virtual tables
 *     and TEMP objects are refused, also those of other tables than ours.
 *  2. For each of our tables one text is ours, except for comments and space.
 *     SQLite refuses two definitions of one name, so that text is the one in use.
 *  3. Indexes that others added to our tables can't fail and have no expressions.
 *
 * Other tables and views stay: our programs neither read nor write them. Views
 * with the names of ours are replaced (a reader has its own as TEMP views), so their
 * text does not matter.
 */
#include "sql/schema.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sql/own.h"
#include "sql/text.h"

#define MAX_OBJECTS 64

/* One table or view of ours. */
struct object {
	const char *name;
	char *text; /* see normalize() */
	bool is_view;
	bool is_found;
};

struct schema {
	struct object objects[MAX_OBJECTS];
	size_t count;
};

int schema_open_own(int64_t version, sqlite3 **own)
{
	const struct own_definition *definition;
	int rc = sqlite3_open(":memory:", own);

	for (size_t i = 0; !rc && (definition = own_table(version, i)); i++)
		rc = sqlite3_exec(*own, definition->sql, NULL, NULL, NULL);
	for (size_t i = 0; !rc && (definition = own_view(i)); i++)
		rc = sqlite3_exec(*own, definition->sql, NULL, NULL, NULL);
	return rc;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static bool is_quote(char c)
{
	return c == '\'' || c == '"' || c == '`' || c == '[';
}

/* As SQLite's tokenizer: the end of space and comments. */
static const char *skip_blank(const char *p)
{
	const char *end;

	for (;;) {
		if (is_space(*p)) {
			p++;
		} else if (p[0] == '-' && p[1] == '-') {
			p += strcspn(p, "\n");
		} else if (p[0] == '/' && p[1] == '*') {
			end = strstr(p + 2, "*/");
			p = end ? end + 2 : p + strlen(p);
		} else {
			return p;
		}
	}
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

/* The end of a quoted name or string, or @p if there is none at @p. */
static const char *skip_quoted(const char *p)
{
	const char *end;

	if (!is_quote(*p))
		return p;

	end = strchr(p + 1, *p == '[' ? ']' : *p);
	return end ? end + 1 : p + strlen(p);
}

/*
 * A copy of @sql without comments, and without space except one between words.
 * Comments differ between versions of this program.
 */
static char *normalize(const char *sql)
{
	char *text = malloc(strlen(sql) + 1);
	char *out = text;
	const char *end;

	if (!text)
		return NULL;

	while (*sql) {
		end = skip_blank(sql);
		if (end != sql) {
			if (out != text && is_word(out[-1]) && is_word(*end))
				*out++ = ' ';
			sql = end;
			continue;
		}

		end = skip_quoted(sql);
		if (end == sql)
			end++;
		memcpy(out, sql, (size_t)(end - sql));
		out += end - sql;
		sql = end;
	}

	*out = '\0';
	return text;
}

static void free_schema(struct schema *schema)
{
	for (size_t i = 0; i < schema->count; i++)
		free(schema->objects[i].text);
}

static int add_object(struct schema *schema, const struct own_definition *definition, bool is_view)
{
	struct object *object = &schema->objects[schema->count];

	if (schema->count == MAX_OBJECTS)
		return SQLITE_INTERNAL;

	object->name = definition->name;
	object->text = normalize(definition->sql);
	object->is_view = is_view;
	schema->count++;
	return object->text ? 0 : -ENOMEM;
}

/* Takes the definitions of our tables and views; a reader has views of its own. */
static int read_own(struct schema *schema, int64_t version, enum schema_use use)
{
	const struct own_definition *definition;
	int rc = 0;

	for (size_t i = 0; !rc && (definition = own_table(version, i)); i++)
		rc = add_object(schema, definition, false);
	for (size_t i = 0; !rc && use != SCHEMA_READ && (definition = own_view(i)); i++)
		rc = add_object(schema, definition, true);
	return rc;
}

int schema_find_definition(sqlite3 *db, const char *text, int64_t *rowid)
{
	static const char sql[] = "SELECT rowid, sql FROM main.sqlite_schema WHERE sql IS NOT NULL";
	char *sought = normalize(text);
	sqlite3_stmt *stmt = NULL;
	int rc = sought ? sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) : -ENOMEM;

	*rowid = 0;
	while (!rc && !*rowid && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *definition = (const char *)sqlite3_column_text(stmt, 1);
		char *found = definition ? normalize(definition) : NULL;

		rc = found ? 0 : -ENOMEM;
		if (found && !strcmp(found, sought))
			*rowid = sqlite3_column_int64(stmt, 0);
		free(found);
	}

	sqlite3_finalize(stmt);
	free(sought);
	return rc == SQLITE_DONE ? 0 : rc;
}

/* A definition that does nothing by itself. @text is normalized. */
static bool is_passive(const char *text)
{
	static const char *const passive[] = {
		"CREATE TABLE",
		"CREATE VIEW",
		"CREATE INDEX",
		"CREATE UNIQUE INDEX",
	};

	for (size_t i = 0; i < sizeof(passive) / sizeof(*passive); i++) {
		size_t length = strlen(passive[i]);

		if (!sqlite3_strnicmp(text, passive[i], (int)length) &&
		    (text[length] == ' ' || !is_word(text[length])))
			return true;
	}
	return false;
}

static int check_definition(struct schema *schema, const char *sql)
{
	char *text = normalize(sql);
	int rc = 0;

	if (!text)
		return -ENOMEM;

	if (!is_passive(text))
		rc = SCHEMA_ACTIVE;
	for (size_t i = 0; i < schema->count; i++) {
		if (!strcmp(text, schema->objects[i].text))
			schema->objects[i].is_found = true;
	}

	free(text);
	return rc;
}

static int check_definitions(sqlite3 *db, struct schema *schema)
{
	/* NULL: indexes that belong to the definition of a table. */
	static const char sql[] = "SELECT sql FROM main.sqlite_schema WHERE sql IS NOT NULL";
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	bool is_active = false;

	while (!rc && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(stmt, 0);

		rc = text ? check_definition(schema, text) : SQLITE_NOMEM;
		if (rc == SCHEMA_ACTIVE) {
			is_active = true;
			rc = 0;
		}
	}

	sqlite3_finalize(stmt);
	if (rc == SQLITE_DONE)
		rc = is_active ? SCHEMA_ACTIVE : 0;
	return rc;
}

/* A "PRAGMA main.@pragma(@name)" of the open file. */
static int prepare_pragma(sqlite3 *db, const char *pragma, const char *name, sqlite3_stmt **stmt)
{
	char *sql = sqlite3_mprintf("PRAGMA main.%s(%Q)", pragma, name);
	int rc = sql ? sqlite3_prepare_v2(db, sql, -1, stmt, NULL) : SQLITE_NOMEM;

	sqlite3_free(sql);
	return rc;
}

/* The columns of an index that was made by CREATE INDEX. */
static int check_index(sqlite3 *db, const char *name)
{
	sqlite3_stmt *stmt = NULL;
	int rc = prepare_pragma(db, "index_xinfo", name, &stmt);

	while (!rc && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *collation = (const char *)sqlite3_column_text(stmt, 4);
		bool is_expression = sqlite3_column_int(stmt, 1) == -2;

		/* A collation of another program can't be computed here. */
		if (is_expression || !collation || sqlite3_stricmp(collation, "BINARY"))
			rc = SCHEMA_INDEX;
		else
			rc = 0;
	}

	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? 0 : rc;
}

static int check_indexes(sqlite3 *db, const char *table)
{
	sqlite3_stmt *stmt = NULL;
	int rc = prepare_pragma(db, "index_list", table, &stmt);

	while (!rc && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(stmt, 1);
		bool is_unique = sqlite3_column_int(stmt, 2);
		const char *origin = (const char *)sqlite3_column_text(stmt, 3);
		bool is_partial = sqlite3_column_int(stmt, 4);

		rc = name && origin ? 0 : SQLITE_NOMEM;
		if (rc || strcmp(origin, "c"))
			continue;
		rc = is_unique || is_partial ? SCHEMA_INDEX : check_index(db, name);
	}

	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? 0 : rc;
}

/* Whether the file has a table or view of that name, and whether it is a table. */
static int find_table(sqlite3 *db, const char *name, bool *is_table)
{
	/* Unlike the pragmas, this never expands the text of a view. */
	int rc =
		sqlite3_table_column_metadata(db, "main", name, NULL, NULL, NULL, NULL, NULL, NULL);

	*is_table = !rc;
	return rc == SQLITE_ERROR ? 0 : rc;
}

static int check_object(sqlite3 *db, const struct object *object, enum schema_use use)
{
	bool is_complete = use == SCHEMA_WRITE;
	bool is_table;
	int rc;

	rc = find_table(db, object->name, &is_table);
	if (rc)
		return rc;
	if (object->is_view)
		return is_table || (is_complete && !object->is_found) ? SCHEMA_TABLE : 0;
	if (is_table != object->is_found || (is_complete && !is_table))
		return SCHEMA_TABLE;
	return is_table && use != SCHEMA_READ ? check_indexes(db, object->name) : 0;
}

int schema_check(sqlite3 *db, int64_t version, enum schema_use use)
{
	struct schema schema = {0};
	int rc = read_own(&schema, version, use);

	if (!rc)
		rc = check_definitions(db, &schema);
	/* Triggers don't run where nothing is written, and other tables are not read. */
	if (rc == SCHEMA_ACTIVE && use == SCHEMA_READ)
		rc = 0;
	for (size_t i = 0; !rc && i < schema.count; i++)
		rc = check_object(db, &schema.objects[i], use);

	free_schema(&schema);
	return rc;
}

/*
 * Makes a definition of ours one of the TEMP database, unless it is there. @kind: what it creates,
 * "TABLE" or "VIEW".
 */
static int add_temp(sqlite3 *db, const char *kind, const struct own_definition *definition)
{
	char *text = sqlite3_mprintf("CREATE TEMP %s IF NOT EXISTS %s", kind,
				     strstr(definition->sql, definition->name));
	int rc = text ? sqlite3_exec(db, text, NULL, NULL, NULL) : SQLITE_NOMEM;

	sqlite3_free(text);
	return rc;
}

/* Gives a reader empty tables in the place of those that were added after the file was made. */
static int add_missing_tables(sqlite3 *db)
{
	const struct own_definition *table;
	int rc = 0;

	for (size_t i = 0; !rc && (table = own_table(SCHEMA_VERSION, i)); i++) {
		/* In any of the databases: the rows may be those of an attached file. */
		rc = sqlite3_table_column_metadata(db, NULL, table->name, NULL, NULL, NULL, NULL,
						   NULL, NULL);
		if (rc == SQLITE_ERROR)
			rc = add_temp(db, "TABLE", table);
	}
	return rc;
}

/* Makes the views of @sql, which read the tables of "main", read those of @file. */
static int add_old_tables(sqlite3 *db, const char *sql, const char *file)
{
	static const char name[] = "main.";
	sqlite3_str *text = sqlite3_str_new(db);
	char *changed;
	int rc;

	for (const char *found; (found = strstr(sql, name)); sql = found + strlen(name)) {
		sqlite3_str_append(text, sql, (int)(found - sql));
		sqlite3_str_appendf(text, "\"%w\".", file);
	}
	sqlite3_str_appendall(text, sql);

	changed = sqlite3_str_finish(text);
	rc = changed ? sqlite3_exec(db, changed, NULL, NULL, NULL) : SQLITE_NOMEM;
	sqlite3_free(changed);
	return rc;
}

int schema_add_tables(sqlite3 *db, int64_t version, const char *file)
{
	int rc = add_missing_tables(db);

	if (!rc && version < 2)
		rc = add_old_tables(db, sql_version1_views, file);
	if (!rc && version < 4)
		rc = add_old_tables(db, sql_version3_views, file);
	return rc;
}

/* Whether @sql has "FROM @name" or "JOIN @name". */
static bool reads(const char *sql, const char *name)
{
	size_t length = strlen(name);
	const char *before;

	for (const char *p = sql; (p = strstr(p, name)); p += length) {
		if (is_word(p[length]))
			continue;
		for (before = p; before > sql && is_space(before[-1]);)
			before--;
		if (before < p && before - sql >= 4 &&
		    (!strncmp(before - 4, "FROM", 4) || !strncmp(before - 4, "JOIN", 4)))
			return true;
	}
	return false;
}

static bool has_temp_view(sqlite3 *db, const char *name)
{
	static const char sql[] = "SELECT 1 FROM temp.sqlite_schema WHERE name = ?";
	sqlite3_stmt *stmt = NULL;
	bool has;

	has = !sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) &&
	      !sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC) &&
	      sqlite3_step(stmt) == SQLITE_ROW;
	sqlite3_finalize(stmt);
	return has;
}

bool schema_lacks_view(sqlite3 *db, const char *sql)
{
	const struct own_definition *view;

	for (size_t i = 0; (view = own_view(i)); i++) {
		if (reads(sql, view->name) && !has_temp_view(db, view->name))
			return true;
	}
	return false;
}

int schema_add_views(sqlite3 *db, const char *sql)
{
	const struct own_definition *view;
	int rc = 0;

	for (size_t i = 0; !rc && (view = own_view(i)); i++) {
		if (sql && !reads(sql, view->name))
			continue;
		/* A view may read others. */
		rc = sql ? schema_add_views(db, view->sql) : 0;
		if (!rc)
			rc = add_temp(db, "VIEW", view);
	}
	return rc;
}

int schema_harden(sqlite3 *db)
{
	static const struct {
		int option;
		int value;
	} options[] = {
		{SQLITE_DBCONFIG_DEFENSIVE, 1},	     {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
		{SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
		{SQLITE_DBCONFIG_ENABLE_FKEY, 0},
	};
	static const struct {
		int limit;
		int value;
	} limits[] = {
		{SQLITE_LIMIT_LENGTH, 16 << 20},  {SQLITE_LIMIT_SQL_LENGTH, 1 << 20},
		{SQLITE_LIMIT_EXPR_DEPTH, 200},	  {SQLITE_LIMIT_COMPOUND_SELECT, 50},
		{SQLITE_LIMIT_ATTACHED, 1},	  {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
		{SQLITE_LIMIT_WORKER_THREADS, 0},
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(options) / sizeof(*options); i++)
		rc = sqlite3_db_config(db, options[i].option, options[i].value, NULL);
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		sqlite3_limit(db, limits[i].limit, limits[i].value);

	/* Pages of a damaged file are checked as they are read. */
	return rc ? rc : sqlite3_exec(db, "PRAGMA cell_size_check = ON", NULL, NULL, NULL);
}
