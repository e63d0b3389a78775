// SPDX-License-Identifier: GPL-2.0-only
/* text_head.c - reads what ftrace, trace-cmd report and perf script print before a time */
#include "collector/source/trace/text/text_head.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns of a name. */
#define NAME_COLUMNS	16
#define LATENCY_COLUMNS 8

static const char *skip_blanks(const char *text, const char *end)
{
	while (text < end && isspace((unsigned char)*text))
		text++;
	return text;
}

static const char *skip_blanks_back(const char *text, const char *end)
{
	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	return end;
}

static const char *word_back(const char *text, const char *end)
{
	while (end > text && !isspace((unsigned char)end[-1]))
		end--;
	return end;
}

static bool is_number(const char *begin, const char *end)
{
	const char *at = begin;

	while (at < end && isdigit((unsigned char)*at))
		at++;
	return at == end && at > begin;
}

/* A number that ends at @end and that Linux may give to a thread, or -1. *@begin: where it begins.
 */
static int64_t number_before(const char *text, const char *end, const char **begin)
{
	const char *at = end;

	while (at > text && isdigit((unsigned char)at[-1]))
		at--;
	*begin = at;
	if (at == end || end - at > 10 || strtoll(at, NULL, 10) > INT32_MAX)
		return -1;
	return strtoll(at, NULL, 10);
}

/* ftrace's and perf's words for a thread whose name they don't know. */
static bool is_unknown(const char *comm)
{
	return !strcmp(comm, "<...>") ||
	       (*comm == ':' && is_number(comm + 1, comm + strlen(comm))) || !strcmp(comm, ":-1");
}

/* The last @columns columns are the name; before them may be that of an instance. */
static void take_name(const char *text, const char *end, long columns, struct text_head *head)
{
	const char *name, *before;

	end = skip_blanks_back(text, end);
	name = end - text > columns ? end - columns : text;
	before = skip_blanks_back(text, name);
	head->is_wide = name > text;

	text = skip_blanks(text, before);
	if (name > before && before > text && before[-1] == ':')
		snprintf(head->instance, sizeof(head->instance), "%.*s", (int)(before - 1 - text),
			 text);

	name = skip_blanks(name, end);
	snprintf(head->comm, sizeof(head->comm), "%.*s", (int)(end - name), name);
	if (is_unknown(head->comm))
		*head->comm = '\0';
}

/* "qemu-1000", "qemu 1000", "qemu 990/1000", "qemu-1000 (990)": name, thread, process. */
static bool take_task(const char *text, const char *end, long columns, struct text_head *head)
{
	const char *begin;
	int64_t number;

	end = skip_blanks_back(text, end);
	if (end > text && end[-1] == ')') {
		number = number_before(text, end - 1, &begin);
		head->tgid = number > 0 ? (uint32_t)number : 0;
		while (end > text && *end != '(')
			end--;
		end = skip_blanks_back(text, end);
	}

	number = number_before(text, end, &begin);
	if (number < 0)
		return false;
	head->tid = (uint32_t)number;
	if (begin > text && begin[-1] == '/') {
		number = number_before(text, begin - 1, &begin);
		head->tgid = number > 0 ? (uint32_t)number : 0;
	}

	if (begin > text)
		begin--; /* a '-', or the blank after the name */
	take_name(text, begin, columns, head);
	return true;
}

static bool take_cpu(const char *text, struct text_head *head)
{
	unsigned long cpu = strtoul(text, NULL, 10);

	head->cpu = (uint32_t)cpu;
	head->has_cpu = true;
	return cpu <= INT32_MAX;
}

/* "[003]" and what stands before it. */
static bool take_bracket(const char *text, const char *end, struct text_head *head)
{
	const char *bracket = NULL;

	for (const char *at = text; at < end; at++) {
		if (*at == '[' && isdigit((unsigned char)at[1]))
			bracket = at;
	}
	if (!bracket || !take_task(text, bracket, NAME_COLUMNS, head))
		return false;
	return take_cpu(bracket + 1, head);
}

/*
 * Whether what ends at @before and @end are a task and a CPU of perf script -L. A thread alone has
 * a blank and three columns after it; "990/1000   " is filled up to five or seven columns first.
 */
static bool has_perf_columns(const char *text, const char *before, const char *end)
{
	const char *task = word_back(text, before);
	const char *slash = memchr(task, '/', (size_t)(before - task));
	long tid, columns;

	if (!slash)
		return end - before <= 4 && is_number(task, before);
	tid = before - slash - 1;
	columns = end - slash - 1 - 4;
	return is_number(task, slash) && is_number(slash + 1, before) &&
	       (columns == (tid > 5 ? tid : 5) || columns == (tid > 7 ? tid : 7));
}

/* "3d..2." of the latency formats, or "  3" of perf's. */
static bool take_latency(const char *text, const char *end, struct text_head *head)
{
	const char *word = word_back(text, end);
	const char *before = skip_blanks_back(text, word);
	const char *flags = word;

	while (flags < end && isdigit((unsigned char)*flags))
		flags++;
	if (flags == word)
		return false;
	if (flags == end && !has_perf_columns(text, before, end))
		return false;
	if (flags < end && strncmp(flags, "-0x", 3) && !strchr(".dDbBX?", *flags))
		return false;

	if (!take_task(text, before, LATENCY_COLUMNS, head))
		return false;
	return take_cpu(word, head);
}

bool text_head_parse(const char *text, const char *end, struct text_head *head)
{
	end = skip_blanks_back(text, end);
	memset(head, 0, sizeof(*head));
	if (take_bracket(text, end, head))
		return true;
	memset(head, 0, sizeof(*head));
	if (take_latency(text, end, head))
		return true;

	/* perf script without -F cpu: the task stands before the time. */
	memset(head, 0, sizeof(*head));
	return take_task(text, end, NAME_COLUMNS, head);
}
