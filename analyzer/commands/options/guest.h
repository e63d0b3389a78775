/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guest.h - options that say what is in the guest: --cr3-names, --memory-map
 */
#ifndef EXITSCOPE_ANALYZER_COMMANDS_OPTIONS_GUEST_H
#define EXITSCOPE_ANALYZER_COMMANDS_OPTIONS_GUEST_H

#include "analyzer/query/guest/processes.h"
#include "analyzer/query/guest/regions.h"
#include "analyzer/query/sums/agg.h"

/* Rows of struct cmd.extra, one after the other. */
#define GUEST_OPTIONS                                                                                \
	{"cr3-names", "FILE", "processes of the guest: lines CR3 NAME"},                             \
	{                                                                                            \
		"memory-map", "FILE",                                                                \
			"regions of its memory: info mtree -f, /proc/iomem, or lines START-END NAME" \
	}

struct guest {
	struct processes processes;
	struct regions regions;
};

/* -1 with app->error if one of the options changes nothing in a table by @by. */
int guest_check_by(struct app *app, const char *const options[2], enum agg_by by);

/**
 * guest_open - read the files of the options, for app->run
 * @options: values of GUEST_OPTIONS
 * @guest: must stay until guest_close(), which is for any case
 *
 * Return: 0, or -1 with app->error.
 */
int guest_open(struct app *app, const char *const options[2], struct guest *guest);
void guest_close(struct app *app, struct guest *guest);

/* -1 with app->error if @agg, by CR3, has no exit whose CR3 was recorded. */
int guest_check_cr3(struct app *app, const struct agg *agg);

#endif
