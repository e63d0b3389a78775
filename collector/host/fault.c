// SPDX-License-Identifier: GPL-2.0-only
/* fault.c - formats an error message once, where the error occurs */
#include "collector/host/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What helps against an error wherever it occurs; empty: that depends. */
static const char *way_out(int rc)
{
	switch (rc) {
	case -EMFILE:
		return " (raise the limit: ulimit -n)";
	case -ENOMEM:
		return " (free memory, or raise the limit: ulimit -v)";
	case -EFBIG:
		return " (raise the limit: ulimit -f)";
	}
	return "";
}

int fault_set(struct fault *fault, int rc, const char *format, ...)
{
	va_list args;

	if (*fault->text)
		return rc;
	va_start(args, format);
	vsnprintf(fault->text, sizeof(fault->text), format, args);
	va_end(args);

	if (*fault->text && fault->text[strlen(fault->text) - 1] != ')')
		fault_add(fault, "%s", way_out(rc));
	return rc;
}

void fault_add(struct fault *fault, const char *format, ...)
{
	size_t used = strlen(fault->text);
	va_list args;

	va_start(args, format);
	vsnprintf(fault->text + used, sizeof(fault->text) - used, format, args);
	va_end(args);
}
