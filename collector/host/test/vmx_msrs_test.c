// SPDX-License-Identifier: GPL-2.0-only
/* vmx_msrs_test.c - the VMX capability MSRs as text and back */
#include "collector/host/vmx_msrs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/test/common/check.h"

/* A CPU with few MSRs: no true controls, no tertiary controls, no VMFUNC. */
static int rdmsr_old_cpu(void *context, unsigned int msr, uint64_t *value)
{
	unsigned int *calls = context;

	(*calls)++;
	switch (msr) {
	case 0x482: /* with secondary controls */
		*value = 0x8000000000000000;
		return 0;
	case 0x48b: /* with EPT, without VM functions */
		*value = 0x0000000200000000;
		return 0;
	case 0x48c:
		return -EIO;
	default:
		*value = msr;
		return msr < 0x48b ? 0 : -EIO;
	}
}

static int rdmsr_refused(void *context, unsigned int msr, uint64_t *value)
{
	(void)context;
	(void)msr;
	(void)value;
	return -EPERM;
}

static int add_row(void *context, const struct vmx_caps_row *row)
{
	uint64_t *sum = context;

	CHECK(row->cpu == 7);
	CHECK(row->valid || !row->value);
	sum[0]++;
	sum[1] += row->valid;
	sum[2] += row->value;
	if (row->msr == 0x48c)
		CHECK(!row->valid);
	if (row->msr == 0x482)
		CHECK(row->value == 0x8000000000000000);
	return 0;
}

static int stop(void *context, const struct vmx_caps_row *row)
{
	(void)row;
	++*(int *)context;
	return 42;
}

static void test_round_trip(void)
{
	const uint64_t others =
		0x480 + 0x481 + 0x483 + 0x484 + 0x485 + 0x486 + 0x487 + 0x488 + 0x489 + 0x48a;
	unsigned int calls = 0;
	uint64_t sum[3] = {0};
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	CHECK(out);
	CHECK(!vmx_caps_write(out, 7, rdmsr_old_cpu, &calls));
	fclose(out);
	CHECK(calls == 13); /* MSRs that are not there are not asked for */
	CHECK(strstr(text, "7 0x480 0x0000000000000480\n") == text);
	CHECK(strstr(text, "7 0x48c unreadable\n"));
	CHECK(!vmx_caps_parse(text, add_row, sum));
	CHECK(sum[0] == 13 && sum[1] == 12);
	CHECK(sum[2] == others + 0x8000000000000000 + 0x0000000200000000);
	free(text);
}

static void test_refused(void)
{
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	CHECK(out);
	CHECK(vmx_caps_write(out, 0, rdmsr_refused, NULL) == -EPERM);
	fclose(out);
	CHECK(!*text);
	free(text);
}

static void test_malformed(void)
{
	static const char *const bad[] = {
		"0\n",
		"0 0x480\n",
		"0 0x480 \n",
		"0 0x47f 0x1\n",
		"0 0x494 0x1\n",
		"0 0x480 0x1 2\n",
		"0 0x480 1\n",
		"0 0x480 0x\n",
		"0 0x480 unread\n",
		"\n",
		"x 0x480 0x1\n",
		"0 0x480 0x1ffffffffffffffff\n",
		"0 0x480 0x00000000000000000000000000000000000000000000000000000001\n",
	};
	uint64_t sum[3] = {0};
	int calls = 0;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(vmx_caps_parse(bad[i], add_row, sum) == -EPROTO);
	CHECK(!sum[0]);
	CHECK(!vmx_caps_parse("", add_row, sum));
	CHECK(!vmx_caps_parse("7 0x480 0xffffffffffffffff", add_row, sum));
	CHECK(sum[0] == 1 && sum[2] == UINT64_MAX);
	CHECK(vmx_caps_parse("0 0x480 0x1\n0 0x481 0x1\n", stop, &calls) == 42 && calls == 1);
}

int main(void)
{
	test_round_trip();
	test_refused();
	test_malformed();
	return 0;
}
