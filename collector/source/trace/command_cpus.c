// SPDX-License-Identifier: GPL-2.0-only
/* command_cpus.c - which CPUs a command line of perf record chose; see command_cpus.h */
#include "collector/source/trace/command_cpus.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *cpus_missing(uint32_t count, uint32_t first, uint32_t all,
			 char words[CPUS_MISSING_BYTES])
{
	if (count == 1)
		snprintf(words, CPUS_MISSING_BYTES, "only CPU %u of %u was recorded", first, all);
	else
		snprintf(words, CPUS_MISSING_BYTES, "only %u of %u CPUs were recorded", count, all);
	return words;
}

/* Longer words are not options of perf that matter here. */
#define WORD_BYTES 256

/* "0,2-3": 3 CPUs, the first is 0. 0: it is no list of CPUs. */
static uint32_t count_list(const char *list, uint32_t *first)
{
	uint64_t count = 0;
	char *end;

	if (!*list || strspn(list, "0123456789,-") != strlen(list))
		return 0;
	*first = (uint32_t)strtoul(list, NULL, 10);
	for (const char *at = list; *at; at = *end ? end + 1 : end) {
		unsigned long from = strtoul(at, &end, 10), to = from;

		if (*end == '-')
			to = strtoul(end + 1, &end, 10);
		if (end == at || to < from)
			return 0;
		count += to - from + 1;
	}
	return count < UINT32_MAX ? (uint32_t)count : 0;
}

/* Options that choose threads or processes: perf ignores -C with them. */
static bool chooses_threads(const char *word)
{
	static const char *const options[] = {"-p", "-t", "-u", "--pid", "--tid", "--uid"};

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		if (!strncmp(word, options[i], strlen(options[i])))
			return true;
	}
	return false;
}

/* "-C", "-aC", "--cpu": the list is the next word. "-C0", "--cpu=0": it is a part of this one. */
static const char *list_in(const char *word, bool *is_next)
{
	size_t length = strlen(word);

	*is_next = !strcmp(word, "--cpu") ||
		   (word[0] == '-' && length > 1 && word[1] != '-' && word[length - 1] == 'C');
	if (!strncmp(word, "--cpu=", 6))
		return word + 6;
	return !strncmp(word, "-C", 2) ? word + 2 : "";
}

uint32_t command_cpus(const char *command, uint32_t *first)
{
	uint32_t count = 0;
	bool is_next = false;
	char word[WORD_BYTES];
	int length = 0;

	for (const char *at = command; sscanf(at, "%255s%n", word, &length) == 1; at += length) {
		uint32_t found = count_list(is_next ? word : list_in(word, &is_next), first);

		if (!strcmp(word, "--"))
			break;
		if (chooses_threads(word))
			return 0;
		if (found) {
			count = found;
			is_next = false;
		}
	}
	return count;
}
