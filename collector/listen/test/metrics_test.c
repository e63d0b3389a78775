// SPDX-License-Identifier: GPL-2.0-only
/* metrics_test.c - what is counted, and that the number of series stays bounded */
#include <stdlib.h>
#include <string.h>

#include "collector/listen/metrics.h"
#include "sql/test/check.h"

static int add_vcpu(struct metrics *m, int vcpu, uint64_t vm_id, const char *name)
{
	struct store_identity identity = {0};
	struct source_item item = {.kind = SOURCE_VCPU, .vcpu = vcpu};
	int rc;

	item.info.vm_id = vm_id;
	item.info.tgid = 77;
	rc = metrics_add(m, &item);
	snprintf(identity.name, sizeof(identity.name), "%s", name);
	item = (struct source_item){.kind = SOURCE_NAMES, .vcpu = vcpu, .names = &identity};
	return rc ? rc : metrics_add(m, &item);
}

static void add_record(struct metrics *m, int vcpu, struct kvm_exit_record r)
{
	struct source_item item = {.kind = SOURCE_RECORDS, .vcpu = vcpu, .records = &r, .count = 1};

	r.cycles = r.handler_cycles + r.halted_cycles;
	CHECK_EQ(metrics_add(m, &item), 0);
}

static void end_vcpu(struct metrics *m, int vcpu, uint64_t end_seq)
{
	struct source_item item = {.kind = SOURCE_END_VCPU, .vcpu = vcpu};

	item.end.end_seq = end_seq;
	item.end.filtered = 5;
	item.end.unread = 6;
	CHECK_EQ(metrics_add(m, &item), 0);
}

static struct metrics *begin(void)
{
	const struct run_info info = {.isa = KVM_EXIT_ISA_VMX, .tsc_khz = 1000000};
	struct metrics *m = metrics_new();

	CHECK(m);
	CHECK_EQ(metrics_begin(m, &info, false, true), 0);
	return m;
}

static char *text_of(struct metrics *m)
{
	char *text = NULL;
	size_t bytes;
	FILE *file = open_memstream(&text, &bytes);

	CHECK_EQ(metrics_write(m, file), 0);
	fclose(file);
	return text;
}

#define HAS(text, line) CHECK(strstr(text, line "\n"))
#define WEB		"{vm=\"web\\\"1\\n\",id=\"9\",pid=\"77\""

static void test_counts(void)
{
	struct metrics *m = begin();
	char *text;

	CHECK_EQ(add_vcpu(m, 0, 9, "web\"1\n"), 0);
	CHECK_EQ(add_vcpu(m, 1, 9, "web\"1\n"), 0);
	add_record(
		m, 0,
		(struct kvm_exit_record){.reason = 12, .handler_cycles = 1000, .halted_cycles = 1});
	add_record(m, 0, (struct kvm_exit_record){.seq = 4, .reason = 12, .handler_cycles = 1000});
	add_record(
		m, 1,
		(struct kvm_exit_record){.reason = 1U << 31 | 33, .handler_cycles = 20000000000});
	add_record(m, 1, (struct kvm_exit_record){.seq = 1, .reason = 9999});
	end_vcpu(m, 0, 7);

	text = text_of(m);
	HAS(text, "kvm_exit_vcpus" WEB "} 1");
	HAS(text, "kvm_exits_total" WEB ",reason=\"HLT\"} 2");
	HAS(text, "kvm_exits_total" WEB ",reason=\"INVALID_STATE FAILED_VMENTRY\"} 1");
	HAS(text, "kvm_exits_total" WEB ",reason=\"UNKNOWN_9999\"} 1");
	HAS(text, "kvm_exit_records_total" WEB ",state=\"recorded\"} 4");
	HAS(text, "kvm_exit_records_total" WEB ",state=\"dropped\"} 5");
	HAS(text, "kvm_exit_records_total" WEB ",state=\"filtered\"} 5");
	HAS(text, "kvm_exit_records_total" WEB ",state=\"unread\"} 6");
	HAS(text, "kvm_exit_part_seconds_total" WEB ",part=\"halted\"} 1e-09");
	HAS(text, "kvm_exit_duration_seconds_bucket" WEB ",le=\"1e-06\"} 2");
	HAS(text, "kvm_exit_duration_seconds_bucket" WEB ",le=\"2e-06\"} 3");
	HAS(text, "kvm_exit_duration_seconds_bucket" WEB ",le=\"10\"} 3");
	HAS(text, "kvm_exit_duration_seconds_bucket" WEB ",le=\"+Inf\"} 4");
	HAS(text, "kvm_exit_duration_seconds_count" WEB "} 4");
	free(text);
	metrics_free(m);
}

/* What a source without parts, or without records, does not know is absent. */
static void test_unknown(void)
{
	static const struct {
		struct run_info info;
		bool has_records;
		bool has_parts;
		bool has_durations;
	} cases[] = {
		{{.isa = KVM_EXIT_ISA_VMX, .tsc_khz = 1000000, .unsplit = true}, true, false, true},
		{{.isa = KVM_EXIT_ISA_VMX, .tsc_khz = 1000000, .untimed = true},
		 true,
		 false,
		 false},
		{{.isa = KVM_EXIT_ISA_VMX, .tsc_khz = 1000000}, false, true, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct metrics *m = metrics_new();
		char *text;

		CHECK(m);
		CHECK_EQ(metrics_begin(m, &cases[i].info, false, cases[i].has_records), 0);
		CHECK_EQ(add_vcpu(m, 0, 9, "web"), 0);
		add_record(m, 0, (struct kvm_exit_record){.reason = 12, .handler_cycles = 1000});
		text = text_of(m);
		CHECK(strstr(text, "kvm_exits_total{"));
		CHECK_EQ(!!strstr(text, "kvm_exit_part_seconds_total"), cases[i].has_parts);
		CHECK_EQ(!!strstr(text, "kvm_exit_duration_seconds"), cases[i].has_durations);
		free(text);
		metrics_free(m);
	}
}

/* A source with the totals of two vCPUs. */
static struct kvm_exit_total totals[2][KVM_EXIT_TOTAL_SLOTS];

static int read_totals(struct source *source, source_see_totals *see, void *context)
{
	(void)source;
	for (int i = 0; i < 2; i++)
		see(context, i, totals[i]);
	return 0;
}

/* Exits without a record count, and those of a vCPU that has ended once. */
static void test_totals(void)
{
	const struct source_ops ops = {.read_totals = read_totals};
	const struct run_info info = {.isa = KVM_EXIT_ISA_SVM, .tsc_khz = 1000000};
	struct source source = {.ops = &ops};
	struct source_item end = {.kind = SOURCE_END_VCPU};
	struct metrics *m = metrics_new();
	char *text;

	CHECK(m);
	CHECK_EQ(metrics_begin(m, &info, true, true), 0);
	CHECK_EQ(add_vcpu(m, 0, 9, "web\"1\n"), 0);
	CHECK_EQ(add_vcpu(m, 1, 9, "web\"1\n"), 0);
	totals[0][0x78] = (struct kvm_exit_total){.count = 100,
						  .cycles = 5000000000,
						  .halted_cycles = 4000000000,
						  .recorded = 60,
						  .dropped = 30,
						  .filtered = 9};
	totals[1][0xe0] = (struct kvm_exit_total){
		.count = 6, .synthesized = 1, .cycles = 1000000000, .recorded = 7};
	totals[1][KVM_EXIT_TOTAL_OTHER].count = 3;
	add_record(m, 0, (struct kvm_exit_record){.reason = 0x78, .handler_cycles = 1000});

	for (int round = 0; round < 2; round++) {
		CHECK_EQ(metrics_update(m, &source), 0);
		text = text_of(m);
		HAS(text, "kvm_exits_total" WEB ",reason=\"HLT\"} 100");
		HAS(text, "kvm_exits_total" WEB ",reason=\"NPF\"} 7");
		HAS(text, "kvm_exits_total" WEB ",reason=\"(others)\"} 3");
		HAS(text, "kvm_exit_records_total" WEB ",state=\"recorded\"} 67");
		HAS(text, "kvm_exit_records_total" WEB ",state=\"dropped\"} 30");
		HAS(text, "kvm_exit_records_total" WEB ",state=\"filtered\"} 9");
		HAS(text, "kvm_exit_part_seconds_total" WEB ",part=\"handler\"} 2");
		HAS(text, "kvm_exit_part_seconds_total" WEB ",part=\"halted\"} 4");
		HAS(text, "kvm_exit_duration_seconds_count" WEB "} 1");
		free(text);

		/* Its ring stays open until the source is asked for the next item. */
		end.end.totals = totals[0];
		if (!round)
			CHECK_EQ(metrics_add(m, &end), 0);
	}
	metrics_free(m);
}

static uint64_t count_lines(const char *text, const char *start)
{
	uint64_t n = 0;

	for (; (text = strstr(text, start)); text++)
		n++;
	return n;
}

/* A guest may choose the reason, a host may start VMs for years. */
static void test_bounds(void)
{
	struct metrics *m = begin();
	char name[32];
	char *text;

	CHECK_EQ(add_vcpu(m, 0, 1, "many"), 0);
	for (uint32_t i = 0; i < 70000; i++)
		add_record(m, 0, (struct kvm_exit_record){.seq = i, .reason = i});
	text = text_of(m);
	CHECK_EQ(count_lines(text, "\nkvm_exits_total{"), METRICS_REASONS + 1);
	/* 70,000 records have the reasons 0 to 65,535, the first 4,464 of them twice. */
	HAS(text, "kvm_exits_total{vm=\"many\",id=\"1\",pid=\"77\",reason=\"(others)\"} 69808");
	free(text);

	/* VMs that run: those beyond the bound are one. */
	for (int i = 1; i < (int)METRICS_VMS + 10; i++) {
		snprintf(name, sizeof(name), "vm%d", i);
		CHECK_EQ(add_vcpu(m, i, 1000 + (uint64_t)i, name), 0);
		add_record(m, i, (struct kvm_exit_record){.reason = 10});
	}
	text = text_of(m);
	CHECK_EQ(count_lines(text, "\nkvm_exit_vcpus{"), METRICS_VMS + 1);
	HAS(text, "kvm_exits_total{vm=\"(others)\",reason=\"CPUID\"} 10");
	free(text);

	/* One that has ended makes room for a new one. */
	end_vcpu(m, 5, 1);
	CHECK_EQ(add_vcpu(m, METRICS_VMS + 10, 5000, "new"), 0);
	text = text_of(m);
	CHECK_EQ(count_lines(text, "\nkvm_exit_vcpus{"), METRICS_VMS + 1);
	HAS(text, "kvm_exit_vcpus{vm=\"new\",id=\"5000\",pid=\"77\"} 1");
	CHECK(!strstr(text, "\"vm5\""));
	free(text);
	metrics_free(m);
}

/* What no VM has is a number of its own, 0 too. */
static void test_unseen(void)
{
	struct metrics *m = begin();
	char *text;

	CHECK_EQ(add_vcpu(m, 0, 1, "a"), 0);
	text = text_of(m);
	CHECK(strstr(text, "\nkvm_exits_unseen_total 0\n"));
	free(text);
	metrics_set_unseen(m, 7);
	metrics_set_unseen(m, 12);
	text = text_of(m);
	CHECK(strstr(text, "\nkvm_exits_unseen_total 12\n"));
	free(text);
	metrics_free(m);
}

int main(void)
{
	test_counts();
	test_unknown();
	test_totals();
	test_bounds();
	test_unseen();
	return check_result();
}
