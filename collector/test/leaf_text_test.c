// SPDX-License-Identifier: GPL-2.0-only
/* leaf_text_test.c - which lines are readings, and what they say */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/leaf_text.h"
#include "kvm/test/common/check.h"

/* A guest's console with Debian's cpuid -1 -r, leaf_reader --raw, and other lines. */
static const char console[] =
	"L2| [  19.750] LEAF    0x4fffffff 0x00: eax=0x0001ed05 ebx=0x00000000 ecx=0x00000000 "
	"edx=0x00000000\n"
	"L2| L2 6.1.0 up\n"
	"   0x4ffffffd 0x0a: eax=0x00000064 ebx=0x00000001 ecx=0x00000002 edx=0xffffffff\r\n"
	"   0x40000000 0x00: eax=0x40000001 ebx=0x4b4d564b ecx=0x564b4d56 edx=0x0000004d\n"
	"   0x4ffffff0 0x00: eax=0x00000000 ebx=0x00000000 ecx=0x00000000 edx=0x00000000\n"
	"   0x4ffffffc 0x30: eax=0x00000000 ebx=0x00000007\n"
	"0x4ffffffc 0x1e: eax=0x00000000 ebx=0x00000007 ecx=0xdeadbeef edx=0x00000000";

/* A line that was cut off has no value, not a smaller one. */
static void test_lines_cut_off(void)
{
	static const char line[] =
		"0x4ffffffd 0x72:\teax=0x00000035 ebx=0x00000000 ecx=0x00000000 edx=0x0000003a";
	char part[sizeof(line)];
	struct store_leaf leaf;

	CHECK(leaf_text_line(line, &leaf) && leaf.reason == 0x72 && leaf.edx == 0x3a);
	for (size_t bytes = 0; bytes < sizeof(line) - 1; bytes++) {
		memcpy(part, line, bytes);
		part[bytes] = '\0';
		CHECK(!leaf_text_line(part, &leaf));
	}
	CHECK(!leaf_text_line(
		"0x4ffffffd 0x72: eax=0x00000035 ebx=0x00000000 ecx=0x00000000 edx=0x0000003aa",
		&leaf));
}

/* The ends of lines that another system or a terminal makes, and a line longer than memory is. */
static void test_line_ends(int fd, const char *path)
{
	static const char reading[] =
		"0x4fffffff 0x00: eax=0x00000001 ebx=0x00000000 ecx=0x00000000 edx=0x00000000";
	static const char *const ends[] = {"\n", "\r\n", "\r", "\r\r\n"};
	char zeros[100000] = {0};
	struct store_leaf *leaves;
	size_t count;

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		CHECK(!ftruncate(fd, 0) && !lseek(fd, 0, SEEK_SET));
		for (int n = 0; n < 3; n++)
			CHECK(dprintf(fd, "%s%s", reading, ends[i]) > 0);
		CHECK(write(fd, zeros, sizeof(zeros)) == (ssize_t)sizeof(zeros));
		CHECK(!leaf_text_read(path, &leaves, &count) && count == 3);
		free(leaves);
	}
}

int main(void)
{
	char path[] = "/tmp/leaf_text_test.XXXXXX";
	struct store_leaf *leaves;
	size_t count;
	int fd = mkstemp(path);

	test_lines_cut_off();
	CHECK(fd >= 0 && write(fd, console, strlen(console)) == (ssize_t)strlen(console));
	CHECK(!leaf_text_read(path, &leaves, &count) && count == 3);
	CHECK(leaves[0].leaf == 0x4fffffff && leaves[0].reason == 0 && leaves[0].eax == 0x1ed05);
	CHECK(leaves[1].leaf == 0x4ffffffd && leaves[1].reason == 10 && leaves[1].ebx == 1);
	CHECK(leaves[1].ecx == 2 && leaves[1].edx == 0xffffffff);
	CHECK(leaves[2].leaf == 0x4ffffffc && leaves[2].reason == 30 &&
	      leaves[2].ecx == 0xdeadbeef);
	free(leaves);
	test_line_ends(fd, path);
	CHECK(!ftruncate(fd, 0));
	CHECK(leaf_text_read(path, &leaves, &count) == -EPROTO && !leaves);
	unlink(path);
	CHECK(leaf_text_read(path, &leaves, &count) == -ENOENT);
	return 0;
}
