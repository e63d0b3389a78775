// SPDX-License-Identifier: GPL-2.0-only
/* output_test.c - output that did not arrive is an error, whenever its write failed */
#include "base/output.h"

#include "sql/test/check.h"

static void test_output_arrives(void)
{
	FILE *file = fopen("/dev/null", "w");

	CHECK(file);
	CHECK_EQ(output_flush(file), 0);
	fputs("text", file);
	CHECK_EQ(output_flush(file), 0);
	fclose(file);
}

static void test_flush_fails(void)
{
	FILE *file = fopen("/dev/full", "w");

	CHECK(file);
	fputs("text", file);
	CHECK_EQ(output_flush(file), -ENOSPC);
	fclose(file);
}

/* The write fails in fputs(); nothing is left for fflush(), which succeeds. */
static void test_write_failed_before(void)
{
	FILE *file = fopen("/dev/full", "w");

	CHECK(file);
	setvbuf(file, NULL, _IONBF, 0);
	CHECK_EQ(fputs("text", file), EOF);
	CHECK_EQ(fflush(file), 0);
	CHECK_EQ(output_flush(file), -ENOSPC);

	errno = 0;
	CHECK_EQ(output_flush(file), -EIO);
	fclose(file);
}

int main(void)
{
	test_output_arrives();
	test_flush_fails();
	test_write_failed_before();
	return check_result();
}
