// SPDX-License-Identifier: GPL-2.0-only
/* own.c - the definitions of our tables and views, one by one; see own.h */
#include "sql/own.h"

#include <string.h>

#include "sql/own_tables.inc"
#include "sql/own_tables_version1.inc"
#include "sql/own_tables_version3.inc"
#include "sql/own_views.inc"

static const struct own_definition *find(const struct own_definition *list, const char *name)
{
	while (list->name && strcmp(list->name, name))
		list++;
	return list->name ? list : NULL;
}

/* Definition @i of the list, or NULL. */
static const struct own_definition *at(const struct own_definition *list, size_t count, size_t i)
{
	return i < count && list[i].name ? &list[i] : NULL;
}

#define AT(list, i) at(list, sizeof(list) / sizeof(*(list)), i)

const struct own_definition *own_table(int64_t version, size_t i)
{
	const struct own_definition *table =
		version < 4 ? AT(tables_version3, i) : AT(tables_now, i);
	const struct own_definition *first =
		table && version < 2 ? find(tables_version1, table->name) : NULL;

	return first ? first : table;
}

const struct own_definition *own_view(size_t i)
{
	return AT(views_now, i);
}

const char *own_table_sql(int64_t version, const char *name)
{
	const struct own_definition *table;

	for (size_t i = 0; (table = own_table(version, i)); i++) {
		if (!strcmp(table->name, name))
			return table->sql;
	}
	return NULL;
}
