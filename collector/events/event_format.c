// SPDX-License-Identifier: GPL-2.0-only
/* event_format.c - reads the format text of a trace event */
#include "collector/events/event_format.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer lines are those of "print fmt". */
#define LINE_BYTES 256

/* The number after @key in @line. */
static bool number_after(const char *line, const char *key, uint32_t *number)
{
	const char *at = strstr(line, key);
	unsigned long value;
	char *end;

	if (!at)
		return false;
	at += strlen(key);
	value = strtoul(at, &end, 10);
	if (end == at || value > INT32_MAX)
		return false;
	*number = (uint32_t)value;
	return true;
}

/* The word that ends at @end ("unsigned int vcpu_id" -> "vcpu_id", "char name[16]" -> "name"). */
static bool last_word(const char *begin, const char *end, char *word)
{
	const char *bracket = memchr(begin, '[', (size_t)(end - begin));
	size_t length = 0;

	if (bracket)
		end = bracket;
	while (end > begin && isspace((unsigned char)end[-1]))
		end--;
	while (end - length > begin && (isalnum((unsigned char)end[-1 - (ptrdiff_t)length]) ||
					end[-1 - (ptrdiff_t)length] == '_'))
		length++;

	if (!length || length >= EVENT_FORMAT_NAME)
		return false;
	memcpy(word, end - length, length);
	word[length] = '\0';
	return true;
}

/* "field:unsigned int vcpu_id;	offset:8;	size:4;	signed:0;" */
static void take_field(struct event_format *format, const char *line)
{
	struct event_field field = {.size = 0};
	const char *begin = strstr(line, "field:");
	const char *end = begin ? strchr(begin, ';') : NULL;
	uint32_t is_signed = 0;

	if (!end || format->count == EVENT_FORMAT_FIELDS)
		return;
	if (!last_word(begin + strlen("field:"), end, field.name) ||
	    !number_after(end, "offset:", &field.offset) ||
	    !number_after(end, "size:", &field.size))
		return;

	number_after(end, "signed:", &is_signed);
	field.is_signed = is_signed != 0;
	format->fields[format->count++] = field;
}

static void take_line(struct event_format *format, const char *line, bool *has_id)
{
	if (!strncmp(line, "name: ", 6))
		last_word(line + 6, line + strlen(line), format->name);
	else if (!strncmp(line, "ID: ", 4))
		*has_id = number_after(line, "ID: ", &format->id);
	else
		take_field(format, line);
}

int event_format_parse(struct event_format *format, const char *text, size_t size)
{
	const char *end = text + size;
	bool has_id = false;
	char line[LINE_BYTES];

	memset(format, 0, sizeof(*format));
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((newline ? newline : end) - text);

		/* What follows is for printing. */
		if (length >= 10 && !memcmp(text, "print fmt:", 10))
			break;
		if (length < sizeof(line)) {
			memcpy(line, text, length);
			line[length] = '\0';
			take_line(format, line, &has_id);
		}
		text += length + 1;
	}
	return *format->name && has_id ? 0 : -EBADMSG;
}

const struct event_field *event_format_find(const struct event_format *format, const char *name)
{
	for (size_t i = 0; i < format->count; i++) {
		if (!strcmp(format->fields[i].name, name))
			return &format->fields[i];
	}
	return NULL;
}

bool event_field_fits(const struct event_field *field, size_t size)
{
	return (uint64_t)field->offset + field->size <= size;
}

uint64_t event_field_read(const struct event_field *field, const void *data, size_t size)
{
	uint64_t value = 0;
	unsigned int bits;

	if (!field->size || field->size > sizeof(value) || field->size & (field->size - 1) ||
	    !event_field_fits(field, size))
		return 0;

	memcpy(&value, (const char *)data + field->offset, field->size);
	bits = 8 * field->size;
	if (field->is_signed && bits < 64 && value >> (bits - 1))
		value |= ~0ULL << bits;
	return value;
}
