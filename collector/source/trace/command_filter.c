// SPDX-License-Identifier: GPL-2.0-only
/* command_filter.c - which events a command line of perf record filters; see command_filter.h */
#include "collector/source/trace/command_filter.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

/* Longer words are cut: a list of events may be so long. */
#define WORD_BYTES 1024

/* Whether a list like "{kvm:kvm_e*,cycles}:S" has the event. */
static bool has_event(const char *list, const char *event)
{
	char pattern[WORD_BYTES];

	for (size_t length; *list; list += length) {
		list += strspn(list, ",{}");
		length = strcspn(list, ",{}");
		snprintf(pattern, sizeof(pattern), "%.*s", (int)length, list);
		pattern[strcspn(pattern, "/")] = '\0';
		if (!fnmatch(pattern, event, 0))
			return true;
	}
	return false;
}

/* "-e", "-aRe", "--event": the list is the next word. "-ekvm:*", "--event=kvm:*": a part of it. */
static const char *list_in(const char *word, bool *is_next)
{
	size_t length = strlen(word);

	*is_next = !strcmp(word, "--event") || (word[0] == '-' && length > 1 && word[1] != '-' &&
						word[length - 1] == 'e' && !strchr(word, ':'));
	if (!strncmp(word, "--event=", 8))
		return word + 8;
	return !strncmp(word, "-e", 2) ? word + 2 : "";
}

bool command_filters(const char *command, const char *name)
{
	bool is_next = false, has = false;
	char word[WORD_BYTES], event[64];
	int length = 0;

	snprintf(event, sizeof(event), "kvm:%s", name);
	for (const char *at = command; sscanf(at, "%1023s%n", word, &length) == 1; at += length) {
		const char *list = is_next ? word : "";

		if (!strcmp(word, "--"))
			break;
		if (!*list)
			list = list_in(word, &is_next);
		else
			is_next = false;
		if (*list)
			has = has_event(list, event);
		if (has && !strncmp(word, "--filter", 8))
			return true;
	}
	return false;
}
