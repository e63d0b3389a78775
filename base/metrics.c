// SPDX-License-Identifier: GPL-2.0-only
/* metrics.c - pieces of the text format of Prometheus; see metrics.h */
#include "base/metrics.h"

#include "base/utf8.h"

void metrics_put_family(FILE *file, const char *name, const char *type, const char *help)
{
	fprintf(file, "# HELP %s %s\n", name, help);
	fprintf(file, "# TYPE %s %s\n", name, type);
}

void metrics_put_value(FILE *file, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	putc('"', file);
	while (*s) {
		int length = utf8_length(s);

		if (*s == '\n')
			fputs("\\n", file);
		else if (*s == '\\' || *s == '"')
			fprintf(file, "\\%c", *s);
		else if (length)
			fwrite(s, 1, (size_t)length, file);
		else
			fputs("\xef\xbf\xbd", file);
		s += length ? length : 1;
	}
	putc('"', file);
}
