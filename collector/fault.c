// SPDX-License-Identifier: GPL-2.0-only
#include "collector/fault.h"

#include <stdarg.h>
#include <stdio.h>

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
