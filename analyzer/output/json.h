/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * json.h - write JSON: commas, nesting and quoting are taken care of
 */
#ifndef EXITSCOPE_ANALYZER_OUTPUT_JSON_H
#define EXITSCOPE_ANALYZER_OUTPUT_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* All zero but @file: at the start of a document. */
struct json {
	FILE *file;
	int depth;
	int flat;    /* what is nested deeper than this stands on one line; 0: nothing */
	bool filled; /* the open object or array has a member */
};

/* bracket: '{' or '['; name NULL inside an array. */
void json_open(struct json *j, const char *name, char bracket);
void json_close(struct json *j, char bracket);

void json_text(struct json *j, const char *name, const char *text); /* NULL: null */
void json_int(struct json *j, const char *name, int64_t value);
void json_real(struct json *j, const char *name, double value); /* not finite: null */
void json_bool(struct json *j, const char *name, bool value);
void json_null(struct json *j, const char *name);

#endif
