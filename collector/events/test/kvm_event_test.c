// SPDX-License-Identifier: GPL-2.0-only
/* kvm_event_test.c - fields are found by the format text, wherever it says that they are */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "collector/events/kvm_event.h"
#include "kvm/test/common/check.h"
#include "kvm/uapi/kvm_exit_ring.h"

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

static int add(struct kvm_event_formats *formats, const char *text)
{
	return kvm_event_formats_add(formats, text, strlen(text));
}

static void test_decode(void)
{
	struct kvm_event_formats formats = {0};
	unsigned char data[64] = {0};
	struct kvm_event event;

	CHECK(add(&formats, exit_format) == KVM_EVENT_EXIT);
	CHECK(add(&formats, entry_format) == KVM_EVENT_ENTRY);
	CHECK(!kvm_event_formats_check(&formats) && kvm_event_formats_have_vcpu(&formats));
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
	CHECK(kvm_event_parse(&formats, data, 60, &event));
	CHECK(event.kind == KVM_EVENT_EXIT && event.tid == 4711 && event.vcpu_id == 3);
	CHECK(event.reason == 0x80000021 && event.isa == 1 && event.error_code == 7);
	CHECK(event.guest_rip == 0xffffffff81000000 && event.info1 == 0x1122334455667788);
	CHECK(event.info2 == 0x99 && event.intr_info == 0x80000306 && !event.no_info);
	CHECK(!kvm_event_parse(&formats, data, 56, &event)); /* cut off before vcpu_id */
	CHECK(!kvm_event_parse(&formats, data, 3, &event));
	CHECK(!kvm_event_parse(&formats, data, 0, &event));

	put(data, 0, 1449, 2);
	put(data, 24, 5, 4);
	CHECK(kvm_event_parse(&formats, data, 28, &event));
	CHECK(event.kind == KVM_EVENT_ENTRY && event.vcpu_id == 5 && event.tid == 4711);
	put(data, 0, 1441, 2);
	CHECK(!kvm_event_parse(&formats, data, 60, &event)); /* another event */
}

/* Kernels before 5.10: no vCPU in kvm_exit. */
static void test_old_kernel(void)
{
	struct kvm_event_formats formats = {0};
	unsigned char data[12] = {0};
	struct kvm_event event;

	CHECK(add(&formats, old_exit_format) == KVM_EVENT_EXIT);
	CHECK(!kvm_event_formats_check(&formats) && !kvm_event_formats_have_vcpu(&formats));
	put(data, 0, 1440, 2);
	put(data, 8, 48, 4);
	CHECK(kvm_event_parse(&formats, data, 12, &event));
	CHECK(event.vcpu_id == KVM_EVENT_NO_VCPU && event.reason == 48 && event.no_info);
	CHECK(!event.intr_info && !event.info2);
}

#define EVENT(name, id, fields) "name: " name "\nID: " id "\nformat:\n" COMMON fields

static void test_other_hosts(void)
{
	struct kvm_event_formats formats = {0};

	CHECK(kvm_event_formats_check(&formats) == -ENOENT);
	CHECK(add(&formats,
		  EVENT("kvm_exit", "7",
			"\tfield:int ret;\toffset:8;\tsize:4;\tsigned:1;\n\tfield:unsigned long vcpu_pc;\toffset:16;\tsize:8;\tsigned:0;\n")) ==
	      KVM_EVENT_EXIT);
	CHECK(kvm_event_formats_check(&formats) == -ENOEXEC);
	CHECK(add(&formats,
		  EVENT("kvm_exit", "7",
			"\tfield:unsigned long guest_rip;\toffset:8;\tsize:8;\tsigned:0;\n")) ==
	      KVM_EVENT_EXIT);
	CHECK(kvm_event_formats_check(&formats) == -EBADMSG);
	CHECK(add(&formats, EVENT("kvm_apic", "8", "")) == -ENOENT);
}

/* "print fmt" that libtraceevent 1.7.1 crashes on is not read at all. */
static void test_damaged_formats(void)
{
	struct kvm_event_formats formats = {0};
	char text[sizeof(exit_format)];

	CHECK(add(&formats, "") == -EBADMSG);
	CHECK(add(&formats, "name: kvm_exit\n") == -EBADMSG);
	CHECK(add(&formats,
		  EVENT("kvm_entry", "9", "print fmt: \"%u\", __print_symbolic(REC->gone, {(")) ==
	      KVM_EVENT_ENTRY);

	/* Cut off anywhere, and each byte changed: no crash, no field outside of an event. */
	for (size_t i = 0; i < sizeof(exit_format); i++) {
		unsigned char data[60] = {0};
		struct kvm_event event;

		kvm_event_formats_add(&formats, exit_format, i);
		memcpy(text, exit_format, sizeof(text));
		text[i] = (char)(text[i] ^ (1 + (int)i % 127));
		kvm_event_formats_add(&formats, text, sizeof(text) - 1);
		put(data, 0, 1440, 2);
		for (size_t size = 0; size <= sizeof(data); size++)
			kvm_event_parse(&formats, data, size, &event);
	}
}

static const struct {
	const char *format;
	uint64_t value[3]; /* of the fields at 8, 16 and 24, 8 bytes each */
	uint32_t isa, reason;
	uint64_t key, key_aux;
} keys[] = {
	{"kvm_msr ecx write", {0x277, 0}, 2, 0x7c, 0x277, 0},
	{"kvm_msr ecx write", {0x6e0, 1}, 1, 32, 0x6e0, 1},
	{"kvm_pio port size rw", {0x60, 1, 0}, 1, 30, 0x60, KVM_EXIT_KEY_IO_IN | 1},
	{"kvm_pio port size rw", {0x3f8, 4, 1}, 2, 0x7b, 0x3f8, 4},
	{"kvm_mmio gpa type", {0xfee000b0, 2}, 1, 48, 0xfee000b0, KVM_EXIT_ACCESS_WRITE},
	{"kvm_mmio gpa type", {0xfe000000, 1}, 1, 49, 0xfe000000, 0},
	{"kvm_cpuid function index", {7, 1}, 1, 10, 7, 1},
	{"kvm_page_fault fault_address error_code", {0x1234000, 2}, 1, 48, 0x1234000, 4},
	{"kvm_hypercall nr", {5}, 2, 0x81, 5, 0},
};

/* The format of "name field field field", each field with 8 bytes from 8 on. */
static void make_format(const char *words, char *text, size_t bytes)
{
	char copy[80], *rest, *word;
	int offset = 8;

	snprintf(copy, sizeof(copy), "%s", words);
	word = strtok_r(copy, " ", &rest);
	snprintf(text, bytes, "name: %s\nID: 77\nformat:\n" COMMON, word);
	while ((word = strtok_r(NULL, " ", &rest))) {
		snprintf(text + strlen(text), bytes - strlen(text),
			 "\tfield:u64 %s;\toffset:%d;\tsize:8;\tsigned:0;\n", word, offset);
		offset += 8;
	}
}

static void test_keys(void)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		struct kvm_event exits = {.isa = keys[i].isa, .reason = keys[i].reason, .info1 = 4};
		struct kvm_event wrong = {.isa = keys[i].isa, .reason = 1};
		struct kvm_event_formats formats = {0};
		unsigned char data[32] = {0};
		struct kvm_event event;
		char text[1024];

		make_format(keys[i].format, text, sizeof(text));
		CHECK(kvm_event_formats_add(&formats, text, strlen(text)) > KVM_EVENT_ENTRY);
		put(data, 0, 77, 2);
		for (size_t v = 0; v < 3; v++)
			put(data, 8 + 8 * v, keys[i].value[v], 8);
		CHECK(kvm_event_parse(&formats, data, sizeof(data), &event) && event.has_key);
		kvm_event_join(&wrong, &event);
		CHECK(!wrong.has_key);
		kvm_event_join(&exits, &event);
		CHECK(exits.has_key && exits.key == keys[i].key);
		CHECK(exits.key_aux == keys[i].key_aux);

		/* The first event after the exit is what it was about. */
		event.key++;
		kvm_event_join(&exits, &event);
		CHECK(exits.key == keys[i].key);
	}
}

int main(void)
{
	test_decode();
	test_old_kernel();
	test_other_hosts();
	test_damaged_formats();
	test_keys();
	return 0;
}
