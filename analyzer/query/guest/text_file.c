// SPDX-License-Identifier: GPL-2.0-only
/*
 * text_file.c - reads files that the user names; see text_file.h
 */
#include "analyzer/query/guest/text_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define READ_BYTES 65536

static int read_all(struct app *app, const char *path, FILE *file, size_t most, char **text,
		    size_t *bytes)
{
	for (size_t n = 1; n;) {
		char *more = array_reserve(*text, *bytes, READ_BYTES + 1, 1);

		if (!more)
			return app_fail(app, "out of memory");
		*text = more;
		n = fread(*text + *bytes, 1, READ_BYTES, file);
		*bytes += n;
		if (*bytes > most)
			return app_fail(app, "%s: larger than %zu MiB", path, most >> 20);
	}
	if (ferror(file))
		return app_fail(app, "%s: %s", path, strerror(errno));
	(*text)[*bytes] = '\0';
	return 0;
}

int text_file_read(struct app *app, const char *path, size_t most, char **text, size_t *bytes)
{
	FILE *file = fopen(path, "rb");
	int rc;

	*text = NULL;
	*bytes = 0;
	if (!file)
		return app_fail(app, "%s: %s", path, strerror(errno));

	rc = read_all(app, path, file, most, text, bytes);
	fclose(file);
	if (rc) {
		free(*text);
		*text = NULL;
	}
	return rc;
}

char *text_file_next(char **text)
{
	char *line = *text, *end;

	if (!*line)
		return NULL;
	end = line + strcspn(line, "\n");
	*text = *end ? end + 1 : end;
	*end = '\0';

	while (isspace((unsigned char)*line))
		line++;
	while (end > line && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return line;
}

bool text_file_hex(char **text, uint64_t *value)
{
	const char *digits = *text;
	char *end;

	if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
		digits += 2;
	if (!isxdigit((unsigned char)*digits))
		return false;

	errno = 0;
	*value = strtoull(digits, &end, 16);
	*text = end;
	return !errno;
}
