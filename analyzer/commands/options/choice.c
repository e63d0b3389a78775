// SPDX-License-Identifier: GPL-2.0-only
/*
 * choice.c - an option whose value is one of a list of names
 */
#include "analyzer/commands/options/choice.h"

#include <stdio.h>
#include <string.h>

#include "analyzer/query/near.h"

int choice_parse(struct app *app, const char *option, const char *value, const char *const *names)
{
	size_t room = sizeof(app->error), used;
	const char *near = NULL;
	unsigned int best = NEAR_NONE;

	for (int i = 0; names[i]; i++) {
		if (!strcmp(names[i], value))
			return i;
		near_best(value, names[i], &near, &best);
	}

	app_fail(app, "%s %s: must be one of", option, value);
	for (int i = 0; names[i]; i++) {
		used = strlen(app->error);
		snprintf(app->error + used, room - used, "%s %s", i ? "," : "", names[i]);
	}
	used = strlen(app->error);
	if (near)
		snprintf(app->error + used, room - used, " (did you mean %s?)", near);
	return -1;
}
