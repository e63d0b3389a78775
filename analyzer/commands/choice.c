// SPDX-License-Identifier: GPL-2.0-only
/*
 * choice.c - an option whose value is one of a list of names
 */
#include "analyzer/commands/choice.h"

#include <stdio.h>
#include <string.h>

int choice_parse(struct app *app, const char *option, const char *value, const char *const *names)
{
	size_t room = sizeof(app->error), used;

	for (int i = 0; names[i]; i++)
		if (!strcmp(names[i], value))
			return i;
	app_fail(app, "%s %s: must be one of", option, value);
	for (int i = 0; names[i]; i++) {
		used = strlen(app->error);
		snprintf(app->error + used, room - used, "%s %s", i ? "," : "", names[i]);
	}
	return -1;
}
