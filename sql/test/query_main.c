// SPDX-License-Identifier: GPL-2.0-only
/* query_main.c - query FILE SQL prints the rows that a query gives, values with | between them */
#include "sql/test/check.h"

static int print_row(void *context, int columns, char **values, char **names)
{
	int i;

	(void)context;
	(void)names;
	for (i = 0; i < columns; i++)
		printf("%s%s", i ? "|" : "", values[i] ? values[i] : "");
	putchar('\n');
	return 0;
}

int main(int argc, char **argv)
{
	char *error = NULL;
	sqlite3 *db = NULL;

	if (argc != 3)
		return 2;
	CHECK_EQ(sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(db, argv[2], print_row, NULL, &error), SQLITE_OK);
	if (error)
		fprintf(stderr, "%s\n", error);
	sqlite3_free(error);
	sqlite3_close(db);
	return check_result();
}
