// SPDX-License-Identifier: GPL-2.0-only
/* kvm_event_test.c - fields are found by the format text, wherever it says that they are */
#include <errno.h>
#include <string.h>

#include <event-parse.h>

#include "collector/events/kvm_event.h"
#include "kvm/test/check.h"

#define COMMON                                                                                     \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"                     \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"                     \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"             \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"

/* As Linux 6.1 shows it. */
static const char exit_format[] =
	"name: kvm_exit\nID: 1440\nformat:\n" COMMON
	"\tfield:unsigned int exit_reason;\toffset:8;\tsize:4;\tsigned:0;\n"
	"\tfield:unsigned long guest_rip;\toffset:16;\tsize:8;\tsigned:0;\n"
	"\tfield:u32 isa;\toffset:24;\tsize:4;\tsigned:0;\n"
	"\tfield:u64 info1;\toffset:32;\tsize:8;\tsigned:0;\n"
	"\tfield:u64 info2;\toffset:40;\tsize:8;\tsigned:0;\n"
	"\tfield:u32 intr_info;\toffset:48;\tsize:4;\tsigned:0;\n"
	"\tfield:u32 error_code;\toffset:52;\tsize:4;\tsigned:0;\n"
	"\tfield:unsigned int vcpu_id;\toffset:56;\tsize:4;\tsigned:0;\n\n"
	"print fmt: \"vcpu %u\", REC->vcpu_id\n";

static const char old_exit_format[] =
	"name: kvm_exit\nID: 1440\nformat:\n" COMMON
	"\tfield:unsigned int exit_reason;\toffset:8;\tsize:4;\tsigned:0;\n\n"
	"print fmt: \"%u\", REC->exit_reason\n";

/* The vCPU's id not where any kernel has it. */
static const char entry_format[] =
	"name: kvm_entry\nID: 1449\nformat:\n" COMMON
	"\tfield:unsigned long rip;\toffset:8;\tsize:8;\tsigned:0;\n"
	"\tfield:unsigned int vcpu_id;\toffset:24;\tsize:4;\tsigned:0;\n\n"
	"print fmt: \"vcpu %u\", REC->vcpu_id\n";

static void put(unsigned char *data, size_t offset, uint64_t value, size_t size)
{
	memcpy(data + offset, &value, size);
}

static struct tep_handle *handle(const char *exits, struct kvm_event_format *format, int *rc)
{
	struct tep_handle *tep = tep_alloc();

	CHECK(tep);
	tep_set_long_size(tep, 8);
	tep_set_file_bigendian(tep, TEP_LITTLE_ENDIAN);
	tep_set_local_bigendian(tep, TEP_LITTLE_ENDIAN);
	CHECK(!tep_parse_event(tep, entry_format, strlen(entry_format), "kvm"));
	if (exits)
		CHECK(!tep_parse_event(tep, exits, strlen(exits), "kvm"));
	*rc = kvm_event_format_init(format, tep);
	return tep;
}

static void test_decode(void)
{
	unsigned char data[64] = {0};
	struct kvm_event_format format;
	struct kvm_event event;
	struct tep_handle *tep;
	int rc;

	tep = handle(exit_format, &format, &rc);
	CHECK(!rc);
	put(data, 0, 1440, 2);
	put(data, 4, 4711, 4);
	put(data, 8, 0x80000021, 4);
	put(data, 16, 0xffffffff81000000, 8);
	put(data, 24, 1, 4);
	put(data, 32, 0x1122334455667788, 8);
	put(data, 40, 0x99, 8);
	put(data, 48, 0x80000306, 4);
	put(data, 52, 7, 4);
	put(data, 56, 3, 4);
	CHECK(kvm_event_parse(&format, data, 60, &event));
	CHECK(event.kind == KVM_EVENT_EXIT && event.tid == 4711 && event.vcpu_id == 3);
	CHECK(event.reason == 0x80000021 && event.isa == 1 && event.error_code == 7);
	CHECK(event.guest_rip == 0xffffffff81000000 && event.info1 == 0x1122334455667788);
	CHECK(event.info2 == 0x99 && event.intr_info == 0x80000306);
	CHECK(!kvm_event_parse(&format, data, 56, &event)); /* cut off before vcpu_id */
	CHECK(!kvm_event_parse(&format, data, 3, &event));
	put(data, 0, 1449, 2);
	put(data, 24, 5, 4);
	CHECK(kvm_event_parse(&format, data, 28, &event));
	CHECK(event.kind == KVM_EVENT_ENTRY && event.vcpu_id == 5 && event.tid == 4711);
	put(data, 0, 1441, 2);
	CHECK(!kvm_event_parse(&format, data, 60, &event)); /* another event */
	tep_free(tep);
}

static void test_kernels_that_tell_too_little(void)
{
	struct kvm_event_format format;
	struct tep_handle *tep;
	int rc;

	tep = handle(old_exit_format, &format, &rc);
	CHECK(rc == -ENOTSUP);
	tep_free(tep);
	tep = handle(NULL, &format, &rc);
	CHECK(rc == -ENOENT);
	tep_free(tep);
}

int main(void)
{
	test_decode();
	test_kernels_that_tell_too_little();
	return 0;
}
