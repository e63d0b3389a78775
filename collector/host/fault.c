// SPDX-License-Identifier: GPL-2.0-only
/* fault.c - formats an error message once, where the error occurs */
#include "collector/host/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fault_set(struct fault *fault, int rc, const char *format, ...)
{
	va_list args;

	if (*fault->text)
		return rc;
	va_start(args, format);
	vsnprintf(fault->text, sizeof(fault->text), format, args);
	va_end(args);
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
