// SPDX-License-Identifier: GPL-2.0-only
/* run_info.c - run information as text lines and back */
#include "collector/host/run_info.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/host/version.h"

const char *const run_text_names[RUN_TEXTS] = {
	[RUN_LABEL] = "label",	       [RUN_ENVIRONMENT] = "environment",
	[RUN_COMMAND] = "command",     [RUN_HOST] = "host",
	[RUN_KERNEL] = "kernel",       [RUN_CPU_MODEL] = "cpu_model",
	[RUN_MICROCODE] = "microcode", [RUN_EPT] = "ept",
	[RUN_VPID] = "vpid",	       [RUN_UNRESTRICTED_GUEST] = "unrestricted_guest",
	[RUN_NESTED] = "nested",       [RUN_MODULE_PARAMETERS] = "module_parameters",
	[RUN_FEATURES] = "features",   [RUN_VMX_CAPS] = "vmx_caps",
};

void run_info_set(struct run_info *info, enum run_text which, const char *text)
{
	free(info->text[which]);
	info->text[which] = text ? strdup(text) : NULL;
}

void run_info_set_features(struct run_info *info, uint64_t features)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, features);
	run_info_set(info, RUN_FEATURES, text);
}

/* From a capture, anything; what is not a number is unknown. */
static bool read_features(const char *text, uint64_t *features)
{
	char *end;

	if (!text || strncmp(text, "0x", 2))
		return false;
	errno = 0;
	*features = strtoull(text, &end, 16);
	return !*end && end > text + 2 && !errno;
}

struct store_run run_info_store(const struct run_info *info, const char *source, bool raw)
{
	uint64_t features = 0;
	bool has_features = read_features(info->text[RUN_FEATURES], &features);

	return (struct store_run){
		.label = info->text[RUN_LABEL],
		.source = source,
		.environment = info->text[RUN_ENVIRONMENT],
		.command = info->text[RUN_COMMAND],
		.host = info->text[RUN_HOST],
		.kernel = info->text[RUN_KERNEL],
		.cpu_model = info->text[RUN_CPU_MODEL],
		.microcode = info->text[RUN_MICROCODE],
		.ept = info->text[RUN_EPT],
		.vpid = info->text[RUN_VPID],
		.unrestricted_guest = info->text[RUN_UNRESTRICTED_GUEST],
		.nested = info->text[RUN_NESTED],
		.module_parameters = info->text[RUN_MODULE_PARAMETERS],
		.collector = "collector " COLLECTOR_VERSION,
		.isa = info->isa,
		.tsc_khz = info->tsc_khz,
		.tsc_start = info->tsc_start,
		.started_ns = info->started_ns,
		.raw = raw,
		.split = !info->unsplit,
		.has_features = has_features,
		.features = features,
	};
}

void run_info_free(struct run_info *info)
{
	int i;

	for (i = 0; i < RUN_TEXTS; i++)
		run_info_set(info, i, NULL);
}
