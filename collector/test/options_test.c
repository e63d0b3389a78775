// SPDX-License-Identifier: GPL-2.0-only
/* options_test.c - what the command line refuses once a source was chosen */
#include "collector/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/test/common/check.h"

/* Parses "collector --db x.sqlite @word @value" as on a host whose best source is @source. */
static int check_chosen(char *word, char *value, enum source_choice source, struct fault *fault)
{
	char program[] = "collector", db[] = "--db", file[] = "x.sqlite";
	char *argv[] = {program, db, file, word, value, NULL};
	struct options options;

	*fault = (struct fault){""};
	CHECK(!options_parse(&options, value ? 5 : 4, argv, fault));
	CHECK(options.source == SOURCE_BEST && !*options.source_why);
	options.source = source;
	return options_check_chosen(&options, fault);
}

/* Of a host that has tracefs alone, what tracefs can't do is refused and never ignored. */
static void test_tracefs_is_not_enough(void)
{
	static const struct {
		const char *word;
		const char *value;
	} rows[] = {
		{"--vm", "web-1"},	 {"--vm", "1"},		 {"--cr3", NULL},
		{"--cross-check", NULL}, {"--capture", "x.cap"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char word[32], value[32], begin[64];
		struct fault fault;

		snprintf(word, sizeof(word), "%s", rows[i].word);
		snprintf(value, sizeof(value), "%s", rows[i].value ? rows[i].value : "");
		snprintf(begin, sizeof(begin), "%s: this host has only tracefs, ", word);

		CHECK(check_chosen(word, rows[i].value ? value : NULL, SOURCE_TRACEFS, &fault));
		CHECK(!strncmp(fault.text, begin, strlen(begin)));
		CHECK(strstr(fault.text, " (collector --check-host)") && !strchr(fault.text, '\n'));

		CHECK(!check_chosen(word, rows[i].value ? value : NULL, SOURCE_RING, &fault));
		CHECK(!check_chosen(word, rows[i].value ? value : NULL, SOURCE_BPF, &fault));
		CHECK(!*fault.text);
	}
}

/* What any source can do. */
static void test_tracefs_is_enough(void)
{
	char word[] = "--compact";
	struct fault fault;

	CHECK(!check_chosen(word, NULL, SOURCE_TRACEFS, &fault));
}

int main(void)
{
	test_tracefs_is_not_enough();
	test_tracefs_is_enough();
	return 0;
}
