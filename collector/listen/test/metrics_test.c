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
	metrics_begin(m, &info);
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
	test_bounds();
	test_unseen();
	return check_result();
}
