/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ask.h - questions to a server, and its answers as rows of texts
 *
 * An answer may be anything: its size is bounded by server.h, its form is checked here, and its
 * texts are cleaned where they are printed.
 */
#ifndef EXITSCOPE_ANALYZER_PUSH_ASK_H
#define EXITSCOPE_ANALYZER_PUSH_ASK_H

#include "analyzer/push/server.h"

/*
 * struct answer - rows of @columns texts each; NULL: no value
 * @bytes: what the texts are in
 */
struct answer {
	char **text;
	char *bytes;
	size_t rows;
	unsigned int columns;
};

/**
 * ask - ask a question
 * @question: a SELECT without FORMAT; of shards that are away, nothing is said
 * @columns: how many the answer must have
 * @most: rows that it may have: each takes memory here, however short it is
 *
 * Return: 0, or -1 with app->error; call answer_free() in any case.
 */
int ask(struct server *server, const char *question, unsigned int columns, size_t most,
	struct answer *answer);

/* Ask a question that 1 or 0 answers. Return: 0 with *@yes, or -1 with app->error. */
int ask_whether(struct server *server, const char *question, bool *yes);

void answer_free(struct answer *answer);

/* A text as a literal of SQL with its quotes, of the heap; NULL without memory. */
char *quote_literal(const char *text);

#endif
