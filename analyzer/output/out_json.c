// SPDX-License-Identifier: GPL-2.0-only
/*
 * out_json.c - results as one JSON object: an array of objects per table, and "notes"
 */
#include <stdio.h>

#include "analyzer/output/out_writer.h"

static void begin(struct out *out)
{
	json_open(&out->json, NULL, '{');
}

static void begin_table(struct out *out, const char *name)
{
	json_open(&out->json, name, '[');
}

/* The column's name; that of a time, which is always one of ours and short, has its unit. */
static const char *member_name(const struct out *out, char *text, size_t size)
{
	const struct out_column *column = &out->column[out->at];

	if (!out_is_cycles(column))
		return column->name;
	snprintf(text, size, "%s%s", column->name, out->cycles ? "_cycles" : "_ns");
	return text;
}

static void write_cell(struct out *out, const struct out_value *value)
{
	const char *name;
	char text[64];

	if (!out->at)
		json_open(&out->json, NULL, '{');
	if (!out_is_in_file(out, out->at))
		return;

	name = member_name(out, text, sizeof(text));
	switch (value->type) {
	case VALUE_TEXT:
		json_text(&out->json, name, value->text);
		break;
	case VALUE_INT:
	case VALUE_TIME:
		json_int(&out->json, name, value->integer);
		break;
	case VALUE_REAL:
		json_real(&out->json, name, value->real);
		break;
	case VALUE_VM:
		json_int(&out->json, name, value->integer);
		json_text(&out->json, "vm_name", value->text);
		break;
	case VALUE_NONE:
	case VALUE_SPLIT:
		json_null(&out->json, name);
		if (out->column[out->at].type == OUT_VM)
			json_null(&out->json, "vm_name");
		break;
	}
}

static void end_row(struct out *out)
{
	json_close(&out->json, '{');
}

static void end_table(struct out *out)
{
	json_close(&out->json, '[');
}

static void end(struct out *out)
{
	json_open(&out->json, "notes", '[');
	for (int i = 0; i < out->notes; i++)
		json_text(&out->json, NULL, out->note[i]);
	json_close(&out->json, '[');

	json_close(&out->json, '{');
}

const struct out_writer out_json_writer = {
	.begin = begin,
	.table = begin_table,
	.cell = write_cell,
	.row_end = end_row,
	.table_end = end_table,
	.end = end,
};
