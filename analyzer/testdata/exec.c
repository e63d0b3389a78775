// SPDX-License-Identifier: GPL-2.0-only
/*
 * exec - make a database out of SQL files: exec OUT FILE.sql...
 *
 * For tests and build rules, so that they need no sqlite3 shell.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

/* The whole file with a NUL after it; NULL: it could not be read. */
static char *read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t length = 0, n;
	char *text = NULL;

	if (!file)
		return NULL;
	do {
		char *more = realloc(text, length + 65536);

		if (!more) {
			free(text);
			text = NULL;
			break;
		}
		text = more;
		n = fread(text + length, 1, 65535, file);
		length += n;
		text[length] = '\0';
	} while (n);
	fclose(file);
	return text;
}

int main(int argc, char **argv)
{
	sqlite3 *db;
	int rc = 0;

	if (argc < 3 || sqlite3_open(argv[1], &db)) {
		fprintf(stderr, "usage: exec OUT FILE.sql...\n");
		return 1;
	}
	for (int i = 2; i < argc && !rc; i++) {
		char *sql = read_file(argv[i]);

		rc = sql ? sqlite3_exec(db, sql, NULL, NULL, NULL) : SQLITE_CANTOPEN;
		if (rc)
			fprintf(stderr, "exec: %s: %s\n", argv[i],
				sql ? sqlite3_errmsg(db) : "cannot be read");
		free(sql);
	}
	sqlite3_close(db);
	return rc ? 1 : 0;
}
