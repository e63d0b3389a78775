// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest.c - options that say what is in the guest; see guest.h
 */
#include "analyzer/commands/options/guest.h"

#include <inttypes.h>

int guest_check_by(struct app *app, const char *const options[2], enum agg_by by)
{
	if (options[0] && by != BY_CR3)
		return app_fail(app, "--cr3-names: only with --by cr3");
	if (options[1] && by != BY_REGION && by != BY_SUBKEY)
		return app_fail(app,
				"--memory-map: only with --by region (top-exits: or --by subkey)");
	return 0;
}

int guest_open(struct app *app, const char *const options[2], struct guest *guest)
{
	*guest = (struct guest){.processes = {.n = 0}};
	if (processes_load(app, options[0], &guest->processes) ||
	    regions_load(app, options[1], &guest->regions))
		return -1;

	if (options[0])
		app->run.processes = &guest->processes;
	if (options[1])
		app->run.regions = &guest->regions;
	return 0;
}

void guest_close(struct app *app, struct guest *guest)
{
	app->run.processes = NULL;
	app->run.regions = NULL;
	processes_free(&guest->processes);
	regions_free(&guest->regions);
}

int guest_check_cr3(struct app *app, const struct agg *agg)
{
	for (uint32_t i = 0; i < agg->groups; i++)
		if (agg->group[i].key[1])
			return 0;
	return app_fail(app,
			"run %" PRId64
			" \"%s\": the guest's CR3 was not recorded (record with collector --cr3)",
			app->run.id, app->run.label);
}
