// SPDX-License-Identifier: GPL-2.0-only
/*
 * csv_test.c - no cell of CSV is run by a spreadsheet, and what is harmless stays as it is
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/output/out_writer.h"
#include "sql/test/check.h"

static void becomes(const char *text, const char *field)
{
	char *is = out_csv_field(text);

	if (strcmp(is, field))
		printf("\"%s\" became %s, not %s\n", text, is, field);
	CHECK(!strcmp(is, field));
	free(is);
}

static void test_formulas_are_marked(void)
{
	becomes("=1+1", "'=1+1");
	becomes("+1+1", "'+1+1");
	becomes("-1+1", "'-1+1");
	becomes("@SUM(1)", "'@SUM(1)");
	becomes("-inf", "'-inf");
	becomes("=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\"");
}

static void test_wide_forms_are_marked(void)
{
	becomes("\uff1d1+1", "'\uff1d1+1");
	becomes("\uff0b1", "'\uff0b1");
	becomes("\uff0d1", "'\uff0d1");
	becomes("\uff20SUM(1)", "'\uff20SUM(1)");
	becomes("\ufe661", "'\ufe661");
	becomes("\u22121", "'\u22121");
}

static void test_what_stands_before_does_not_matter(void)
{
	becomes("  =1", "'  =1");
	becomes("\u00a0\u3000=1", "'\u00a0\u3000=1");
	becomes("\u00ad=1", "'\u00ad=1");
	becomes("\ufe0f@x", "'\ufe0f@x");
	becomes("'=1", "''=1");
	becomes("\"=1", "\"'\"\"=1\"");
	becomes("\u201c=1", "'\u201c=1");
	/* These are replaced, so that the cell begins with "?" already. */
	becomes("\t=1", "'?=1");
	becomes("\r\n=1", "\"'?"
			  "?=1\"");
	becomes("\ufeff=1", "'?=1");
	becomes("\u200b=1", "'?=1");
	becomes("\xff=1", "'?=1");
}

static void test_other_separators(void)
{
	becomes("a;=1", "a;'=1");
	becomes("a; \"@x", "\"a;' \"\"@x\"");
	becomes("a|\uff1d1;-x", "a|'\uff1d1;'-x");
	becomes("sep=;", "'sep=;");
	becomes("SEP=x", "'SEP=x");
	becomes("ID;P", "'ID;P");
}

static void test_harmless_texts_stay(void)
{
	static const char *const texts[] = {
		"",	 "-",  "-20 %",	   "+3.5",  "a=1",  "qemu -cpu host", "1;-2;3",
		"a;b|c", "ID", "separate", "1 - 2", "x'=1", "\u5b57\uff1d",   "\u2019s",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		becomes(texts[i], texts[i]);
	becomes("a,=1", "\"a,=1\"");
	becomes(",", "\",\"");
}

int main(void)
{
	test_formulas_are_marked();
	test_wide_forms_are_marked();
	test_what_stands_before_does_not_matter();
	test_other_separators();
	test_harmless_texts_stay();
	return check_result();
}
