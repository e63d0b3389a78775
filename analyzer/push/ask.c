// SPDX-License-Identifier: GPL-2.0-only
/*
 * ask.c - questions to a server; see ask.h
 */
#include "analyzer/push/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* The character that \C of the format TabSeparated stands for. */
static char unescape(char c)
{
	switch (c) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'r':
		return '\r';
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case '0':
		return ' ';
	default:
		return c;
	}
}

/* Takes a field off the text at *@at, in place; *@end is the character after it. NULL: no value. */
static char *take_field(char **at, char *end)
{
	char *field = *at, *to = field;
	bool is_null = !strncmp(field, "\\N", 2) && (strchr("\t\n", field[2]) || !field[2]);

	while (**at && !strchr("\t\n", **at)) {
		if (**at == '\\' && (*at)[1]) {
			*to++ = unescape((*at)[1]);
			*at += 2;
		} else {
			*to++ = *(*at)++;
		}
	}
	*end = **at;
	*at += *end != '\0';
	*to = '\0';
	return is_null ? NULL : field;
}

/* Takes an answer apart. -1: its form is wrong, or it has more rows than @most; -2: no memory. */
static int parse(struct answer *answer, size_t most, char *text)
{
	while (*text) {
		char **more;

		if (answer->rows == most)
			return -1;
		more = array_reserve(answer->text, answer->rows * answer->columns, answer->columns,
				     sizeof(*more));
		if (!more)
			return -2;
		answer->text = more;
		more += answer->rows * answer->columns;
		for (unsigned int i = 0; i < answer->columns; i++) {
			char end;

			more[i] = take_field(&text, &end);
			if (end != (i + 1 < answer->columns ? '\t' : '\n'))
				return -1;
		}
		answer->rows++;
	}
	return 0;
}

int ask(struct server *server, const char *question, unsigned int columns, size_t most,
	struct answer *answer)
{
	static const char format[] =
		"%s\nSETTINGS skip_unavailable_shards = 1\nFORMAT TabSeparated";
	char said[SERVER_SAID_MAX], *text;
	size_t bytes;
	int rc;

	*answer = (struct answer){.columns = columns};
	if (asprintf(&text, format, question) < 0)
		return app_fail(server->app, "out of memory");
	rc = server_send(server, "", NULL, text, strlen(text));
	free(text);
	if (rc || !server->answer_bytes)
		return rc;

	server_quote(server, said); /* parse() cuts it into pieces */
	bytes = server->answer_bytes;
	answer->bytes = server_take_answer(server);
	/* A 0 in it would hide the rest. */
	rc = strlen(answer->bytes) == bytes ? parse(answer, most, answer->bytes) : -1;
	if (rc == -1)
		return server_fail_form(server, said);
	return rc ? app_fail(server->app, "out of memory") : 0;
}

int ask_whether(struct server *server, const char *question, bool *yes)
{
	char said[SERVER_SAID_MAX];
	const char *answer;

	if (server_send(server, question, NULL, NULL, 0))
		return -1;

	answer = server->answer_bytes ? server->answer : "";
	*yes = !strcmp(answer, "1\n");
	if (*yes || !strcmp(answer, "0\n"))
		return 0;
	server_quote(server, said);
	return server_fail_form(server, said);
}

void answer_free(struct answer *answer)
{
	free(answer->text);
	free(answer->bytes);
	*answer = (struct answer){.text = NULL};
}

char *quote_literal(const char *text)
{
	char *literal = malloc(2 * strlen(text) + 3), *to = literal;

	if (!literal)
		return NULL;
	*to++ = '\'';
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			*to++ = '\\';
		*to++ = *text;
	}
	*to++ = '\'';
	*to = '\0';
	return literal;
}
