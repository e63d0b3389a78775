// SPDX-License-Identifier: GPL-2.0-only
/* capture_test.c - what goes into a capture file comes out of it; a stop in the middle */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/source/capture.h"
#include "collector/source/capture_file.h"
#include "sql/store/test/synthetic.h"
#include "sql/test/check.h"

#define RECORDS 5000

static struct kvm_exit_record records[RECORDS];
static struct synthetic s;

/* One vCPU, all records in one block, its end. */
static void write_capture(const char *path)
{
	struct run_info info = {
		.isa = KVM_EXIT_ISA_SVM,
		.tsc_khz = 12345,
		.tsc_start = 7,
		.tsc_end = 8,
		.started_ns = 9,
		.ended_ns = 10,
	};
	struct source_item item = {
		.kind = SOURCE_VCPU,
		.info = {.comm = "a name that is longer than a capture holds",
			 .vm_id = 1,
			 .ring_id = 2,
			 .tgid = 3,
			 .vcpu_id = 4,
			 .first_seq = 5},
	};
	const struct store_identity names = {.name = "web-1", .name_source = "qemu", .tid = 12};
	struct source_item named = {.kind = SOURCE_NAMES, .names = &names};
	struct capture *capture;

	CHECK_EQ(capture_create(path, &capture), 0);
	run_info_set(&info, RUN_KERNEL, "a=b=c");
	run_info_set_features(&info, KVM_EXIT_FEAT_POLLED);
	CHECK_EQ(capture_begin(capture, &info), 0);
	CHECK_EQ(capture_write(capture, &item), 0);
	item.kind = SOURCE_RECORDS;
	item.records = records;
	item.count = RECORDS;
	CHECK_EQ(capture_write(capture, &item), 0);
	CHECK_EQ(capture_write(capture, &named), 0);
	item.kind = SOURCE_END_VCPU;
	item.end = (struct store_vcpu_end){s.totals, s.seq, 11, 12, 13, 1, 1, 14};
	CHECK_EQ(capture_write(capture, &item), 0);
	CHECK_EQ(capture_finish(capture, &info), 0);
	CHECK_EQ(capture_close(capture, false), 0);
	run_info_free(&info);
}

/* A file has the first @known bytes of each record; the rest is read as 0. */
static bool is_same(const struct kvm_exit_record *read, size_t first, size_t count, size_t known)
{
	for (size_t i = 0; i < count; i++) {
		struct kvm_exit_record wanted = {0};

		memcpy(&wanted, &records[first + i], known);
		if (memcmp(&read[i], &wanted, sizeof(wanted)))
			return false;
	}
	return true;
}

static void test_round_trip(const char *path, size_t known)
{
	struct fault fault = {""};
	struct source_item item;
	struct store_run run;
	struct source *source;
	size_t n = 0;

	CHECK_EQ(source_capture_open(path, &source, &fault), 0);
	CHECK_EQ(source_next(source, &item, &fault), 0);
	CHECK_EQ(item.kind, SOURCE_VCPU);
	CHECK(!strcmp(source->info.text[RUN_KERNEL], "a=b=c"));
	CHECK(source->info.isa == KVM_EXIT_ISA_SVM && source->info.tsc_khz == 12345);
	run = run_info_store(&source->info, "capture", true);
	CHECK(run.has_features && run.features == KVM_EXIT_FEAT_POLLED);
	CHECK(source->info.tsc_start == 7 && source->info.started_ns == 9);
	CHECK(!strcmp(item.info.comm, "a name that is longer than a ca"));
	CHECK(item.info.vm_id == 1 && item.info.ring_id == 2 && item.info.tgid == 3);
	CHECK(item.info.vcpu_id == 4 && item.info.first_seq == 5);
	while (!source_next(source, &item, &fault) && item.kind == SOURCE_RECORDS) {
		CHECK(n + item.count <= RECORDS);
		CHECK(is_same(item.records, n, item.count, known));
		n += item.count;
	}
	CHECK_EQ(n, RECORDS);
	CHECK_EQ(item.kind, SOURCE_NAMES);
	CHECK(!strcmp(item.names->name, "web-1") && item.names->tid == 12);
	CHECK_EQ(source_next(source, &item, &fault), 0);
	CHECK_EQ(item.kind, SOURCE_END_VCPU);
	CHECK(!memcmp(item.end.totals, s.totals, sizeof(s.totals)));
	CHECK(item.end.end_seq == s.seq && item.end.filtered == 11 && item.end.unread == 12);
	CHECK(item.end.vmfail == 13 && item.end.open_exits == 1 && item.end.ended == 1);
	CHECK_EQ(item.end.tid, 14);
	CHECK_EQ(source_next(source, &item, &fault), 0);
	CHECK_EQ(item.kind, SOURCE_FINISHED);
	CHECK(source->info.tsc_end == 8 && source->info.ended_ns == 10);
	source_close(source);
}

/* A text of another's file is a number, or it is unknown. */
static void test_features(void)
{
	static const char *const wrong[] = {NULL, "", "0x", "16", "0x10 ", "0x1ffffffffffffffff",
					    "0xg"};
	struct run_info info = {0};
	struct store_run run;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		run_info_set(&info, RUN_FEATURES, wrong[i]);
		run = run_info_store(&info, "capture", true);
		CHECK(!run.has_features);
	}
	run_info_set_features(&info, UINT64_MAX);
	run = run_info_store(&info, "capture", true);
	CHECK(run.has_features && run.features == UINT64_MAX);
	run_info_free(&info);
}

/* Ctrl-C while a file is read: it is not half a recording. */
static void test_stopped(const char *path)
{
	struct fault fault = {""};
	struct source_item item;
	struct source *source;

	CHECK_EQ(source_capture_open(path, &source, &fault), 0);
	CHECK_EQ(source_next(source, &item, &fault), 0);
	CHECK_EQ(source_next(source, &item, &fault), 0);
	CHECK_EQ(item.kind, SOURCE_RECORDS);
	source_stop(source);
	CHECK_EQ(source_next(source, &item, &fault), -EINTR);
	CHECK(*fault.text);
	source_close(source);
}

/* plain.cap becomes zeroed.cap, whose bytes from @from on are 0. */
static void zero_from(long from)
{
	FILE *in = fopen(test_path("plain.cap"), "r");
	FILE *out = fopen(test_path("zeroed.cap"), "w");
	int byte;

	CHECK(in && out);
	for (long at = 0; (byte = getc(in)) != EOF; at++)
		putc(at < from ? byte : 0, out);
	CHECK(!fclose(in) && !fclose(out));
}

/* The records of zeroed.cap, which are those that were written; then it is cut off. */
static size_t count_zeroed(void)
{
	struct fault fault = {""};
	struct source_item item = {.kind = SOURCE_NOTHING};
	struct source *source;
	size_t count = 0;
	int rc;

	CHECK_EQ(source_capture_open(test_path("zeroed.cap"), &source, &fault), 0);
	while (!(rc = source_next(source, &item, &fault))) {
		if (item.kind != SOURCE_RECORDS)
			continue;
		CHECK(is_same(item.records, count, item.count, sizeof(records[0])));
		count += item.count;
	}
	CHECK_EQ(rc, -ENODATA);
	CHECK(strstr(fault.text, "cut off at byte") != NULL);
	source_close(source);
	return count;
}

/* The host crashed: the file is as long as it should be, and zeros from some sector on. */
static void test_zeroed(void)
{
	struct stat plain;
	size_t before = 0;

	CHECK_EQ(stat(test_path("plain.cap"), &plain), 0);
	for (long sector = 8; sector * 512 < plain.st_size; sector += 37) {
		size_t count;

		zero_from(sector * 512);
		count = count_zeroed();
		CHECK(count >= before && count <= (size_t)sector * 512 / sizeof(records[0]));
		CHECK(count + 8 >= (size_t)sector * 512 / sizeof(records[0]) || count == RECORDS);
		before = count;
	}
	CHECK(before > RECORDS - 100);
}

/* plain.cap becomes rewritten.cap, as another @version has it, whose records have @record_bytes. */
static void rewrite(uint32_t version, uint32_t record_bytes)
{
	static char data[sizeof(records)];
	FILE *in = fopen(test_path("plain.cap"), "r");
	FILE *out = fopen(test_path("rewritten.cap"), "w");
	struct capture_header header;
	struct capture_block block;

	CHECK(in && out && fread(&header, sizeof(header), 1, in) == 1);
	header.version = version;
	header.record_bytes = record_bytes;
	CHECK(fwrite(&header, sizeof(header), 1, out) == 1);
	while (fread(&block, sizeof(block), 1, in) == 1) {
		size_t bytes = block.bytes;
		size_t count = bytes / sizeof(records[0]);

		CHECK(bytes <= sizeof(data) && fread(data, 1, bytes, in) == bytes);
		if (block.kind != CAPTURE_RECORDS) {
			CHECK(fwrite(&block, sizeof(block), 1, out) == 1);
			CHECK(fwrite(data, 1, bytes, out) == bytes);
			continue;
		}
		block.bytes = count * record_bytes;
		CHECK(fwrite(&block, sizeof(block), 1, out) == 1);
		for (size_t i = 0; i < count; i++) {
			char record[CAPTURE_RECORD_BYTES_MAX];

			memset(record, 0xff, sizeof(record));
			memcpy(record, data + i * sizeof(records[0]), sizeof(records[0]));
			CHECK(fwrite(record, record_bytes, 1, out) == 1);
		}
	}
	fclose(in);
	CHECK(!fclose(out));
}

static int open_rewritten(uint32_t version, uint32_t record_bytes)
{
	struct fault fault = {""};
	struct source *source;
	int rc;

	rewrite(version, record_bytes);
	rc = source_capture_open(test_path("rewritten.cap"), &source, &fault);
	if (!rc)
		source_close(source);
	return rc;
}

/*
 * Version 1 had shorter records; testdata/ has such files. Of a later version with longer
 * records what is known is read.
 */
static void test_versions(void)
{
	rewrite(2, CAPTURE_RECORD_BYTES_MAX);
	test_round_trip(test_path("rewritten.cap"), sizeof(records[0]));
	rewrite(1, CAPTURE_VERSION_1_RECORD_BYTES);
	test_round_trip(test_path("rewritten.cap"), CAPTURE_VERSION_1_RECORD_BYTES);

	CHECK_EQ(open_rewritten(1, sizeof(records[0])), -EBADMSG);
	CHECK_EQ(open_rewritten(2, CAPTURE_VERSION_1_RECORD_BYTES), -EBADMSG);
	CHECK_EQ(open_rewritten(CAPTURE_VERSION + 1, sizeof(records[0])), -EPROTO);
	CHECK_EQ(open_rewritten(0, sizeof(records[0])), -EPROTO);
}

/* A capture that was never finished is removed. */
static void test_unfinished(const char *path)
{
	struct capture *capture;

	CHECK_EQ(capture_create(path, &capture), 0);
	CHECK_EQ(capture_close(capture, false), 0);
	CHECK(access(path, F_OK));
}

int main(void)
{
	synthetic_init(&s, 0, 1);
	s.lose_one_in = 100;
	synthetic_fill(&s, records, RECORDS);
	write_capture(test_path("plain.cap"));
	test_round_trip(test_path("plain.cap"), sizeof(records[0]));
	write_capture(test_path("small.cap.gz"));
	test_round_trip(test_path("small.cap.gz"), sizeof(records[0]));
	test_features();
	test_stopped(test_path("plain.cap"));
	test_zeroed();
	test_versions();
	test_unfinished(test_path("unfinished.cap"));
	return check_result();
}
