// SPDX-License-Identifier: GPL-2.0-only
/* store_test.c - what goes into a run database comes out of it */
#include <errno.h>
#include <string.h>

#include "sql/hist.h"
#include "sql/store/test/fixture.h"

static void test_round_trip(void)
{
	const char *path = test_path("round.sqlite");
	struct synthetic s[2];
	uint64_t cycles = 0;
	uint64_t synthesized = 0;
	int i;

	record_run(path, 1, 50, s);
	for (i = 0; i < (int)KVM_EXIT_TOTAL_SLOTS; i++) {
		cycles += s[0].totals[i].cycles + s[1].totals[i].cycles;
		synthesized += s[0].totals[i].synthesized + s[1].totals[i].synthesized;
	}
	CHECK(s[0].lost && s[1].lost);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit"), RECORDS);
	CHECK_EQ(query(path, "SELECT sum(cycles) FROM exit"), cycles);
	CHECK_EQ(query(path, "SELECT sum(recorded) FROM vcpu"), RECORDS);
	CHECK_EQ(query(path, "SELECT sum(n) FROM loss"), s[0].lost + s[1].lost);
	CHECK_EQ(query(path, "SELECT sum(dropped) FROM vcpu"), s[0].lost + s[1].lost);
	CHECK_EQ(query(path, "SELECT sum(n_synth) FROM exit_rollup"), synthesized);
	CHECK_EQ(query(path, "SELECT sum(vmfail) FROM vcpu"), 6);
	CHECK_EQ(query(path, "SELECT count(*) FROM vm"), 1);
	CHECK_EQ(query(path, "SELECT count(*) FROM run WHERE state = 'complete'"), 1);
	/* The rows carry the sequence numbers that the losses leave. */
	CHECK_EQ(query(path, "SELECT max(seq) + 1 FROM exit WHERE vcpu = 2"), s[1].seq);
	CHECK_EQ(query(path, "SELECT count(*) FROM loss l JOIN exit e ON e.vcpu = l.vcpu"
			     " AND e.seq BETWEEN l.first_seq AND l.first_seq + l.n - 1"),
		 0);
	CHECK_EQ(query(path, "SELECT count(*) FROM loss l LEFT JOIN exit e ON e.vcpu = l.vcpu"
			     " AND e.seq = l.first_seq - 1 WHERE e.tsc IS NOT l.tsc_before"),
		 0);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit WHERE (key IS NULL) <> (flags & 2048 = 0)"),
		 0);
	CHECK_EQ(query(path, "SELECT sum(n) FROM crosscheck WHERE source = 'totals_recorded'"),
		 RECORDS);
	CHECK_EQ(query(path, "SELECT sum(cycles) FROM crosscheck WHERE source = 'totals'"), cycles);
	CHECK_EQ(query(path, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

/* Roll-ups and histograms say exactly what the rows say. */
static void test_sums(void)
{
	static const char hist_differs[] =
		"SELECT count(*) FROM (SELECT vcpu, slot, reason, sum(n) FROM interval_histograms"
		" WHERE part = %d GROUP BY 1, 2, 3 EXCEPT SELECT vcpu,"
		" (tsc - tsc_start) / hist_cycles, reason, count(*) FROM exit, run GROUP BY 1, 2, "
		"3)";
	const char *path = test_path("round.sqlite");
	char sql[sizeof(hist_differs) + 16];
	int part;

	CHECK_EQ(query(path, rollup_differs), 0);
	CHECK_EQ(query(path, "SELECT sum(n) FROM exit_rollup"), RECORDS);
	CHECK(query(path, "SELECT count(DISTINCT slot) FROM exit_rollup") >= 10);
	CHECK(query(path, "SELECT count(DISTINCT slot) FROM interval_histograms") >= 3);
	for (part = 0; part < 2; part++) {
		snprintf(sql, sizeof(sql), hist_differs, part);
		CHECK_EQ(query(path, sql), 0);
		snprintf(sql, sizeof(sql), "SELECT sum(n) FROM interval_histograms WHERE part = %d",
			 part);
		CHECK_EQ(query(path, sql), RECORDS);
	}
}

/* A second run in the same file, without rows. */
static void test_second_run(void)
{
	const char *path = test_path("round.sqlite");
	struct synthetic s[2];

	record_run(path, 0, 0, s);
	CHECK_EQ(query(path, "SELECT count(*) FROM run"), 2);
	CHECK_EQ(query(path, "SELECT has_raw FROM run WHERE id = 2"), 0);
	CHECK_EQ(query(path, "SELECT label = 'run 2' FROM run WHERE id = 2"), 1);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit"), RECORDS);
	CHECK_EQ(query(path, "SELECT sum(n) FROM exit_rollup"), 2 * RECORDS);
	CHECK_EQ(query(path, "SELECT sum(recorded) FROM vcpu"), 2 * RECORDS);
}

/* More reasons than histograms fit into memory. A forged capture has them. */
static void test_many_reasons(void)
{
	enum { REASONS = 1000 };

	const char *path = test_path("reasons.sqlite");
	struct store *store = open_run(path, 0);
	struct synthetic s;
	int vcpu = add_vcpu(store, 0);

	synthetic_init(&s, 0, 1);
	synthetic_fill(&s, records, RECORDS);
	for (uint32_t i = 0; i < RECORDS; i++)
		records[i].reason = i % REASONS * (i % 2 ? 1 : 4000001);
	CHECK_EQ(store_append(store, vcpu, records, RECORDS), 0);
	CHECK_EQ(store_finish(store, "complete", s.tsc, 0), 0);
	store_close(store);

	CHECK_EQ(query(path, "SELECT count(DISTINCT reason) FROM exit_hist_total"), REASONS);
	CHECK_EQ(query(path, "SELECT sum(n) FROM exit_hist_total WHERE part = 0"), RECORDS);
	CHECK_EQ(query(path, "SELECT sum(n) FROM exit_rollup_coarse WHERE level = 5"), RECORDS);
}

/* --keep-raw: rows of the last second of ten, of this run alone; sums of all. */
static void test_keep(void)
{
	const char *path = test_path("keep.sqlite");
	struct store_run run = test_run;
	struct synthetic s[2];
	struct store *store;
	int i;

	record_run(path, 1, 0, s);
	run.keep_cycles = SYNTHETIC_TSC_KHZ * 1000ULL;
	CHECK_EQ(store_open(path, &store), 0);
	CHECK_EQ(store_begin(store, &run), 0);
	add_vcpu(store, 0);
	synthetic_init(&s[0], 0, 3);
	for (i = 0; i < 1000; i++) {
		s[0].tsc = SYNTHETIC_TSC_START + SYNTHETIC_TSC_KHZ * 10ULL * (unsigned int)i;
		synthetic_fill(&s[0], records, 10);
		CHECK_EQ(store_append(store, 0, records, 10), 0);
		CHECK_EQ(store_flush(store), 0);
	}
	CHECK_EQ(store_finish(store, "complete", s[0].tsc, 0), 0);

	/* The same without a flush before the end, as from a capture. */
	CHECK_EQ(store_begin(store, &run), 0);
	add_vcpu(store, 0);
	synthetic_init(&s[0], 0, 3);
	for (i = 0; i < 1000; i++) {
		s[0].tsc = SYNTHETIC_TSC_START + SYNTHETIC_TSC_KHZ * 10ULL * (unsigned int)i;
		synthetic_fill(&s[0], records, 10);
		CHECK_EQ(store_append(store, 0, records, 10), 0);
	}
	CHECK_EQ(store_finish(store, "complete", s[0].tsc, 0), 0);
	store_close(store);
	for (i = 3; i <= 4; i++) {
		char sql[128];

		snprintf(sql, sizeof(sql),
			 "SELECT count(*) FROM exit WHERE vcpu = %d AND tsc < ("
			 "SELECT max(tsc) - %llu FROM exit WHERE vcpu = %d)",
			 i, (unsigned long long)run.keep_cycles, i);
		CHECK_EQ(query(path, sql), 0);
	}
	CHECK_EQ(query(path, "SELECT min(seq) FROM exit WHERE vcpu = 4"),
		 query(path, "SELECT min(seq) FROM exit WHERE vcpu = 3"));
	CHECK_EQ(query(path, "SELECT sum(n) FROM exit_rollup WHERE vcpu = 4"), 10000);
	CHECK_EQ(query(path, "SELECT has_raw FROM run WHERE id = 2"), 2);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit WHERE vcpu <= 2"), RECORDS);
	CHECK_EQ(query(path, "SELECT sum(n) FROM exit_rollup WHERE vcpu = 3"), 10000);
	CHECK_EQ(query(path, "SELECT max(seq) FROM exit WHERE vcpu = 3"), 9999);
	/* All of the last second. */
	CHECK(query(path, "SELECT min(seq) FROM exit WHERE vcpu = 3") <= 9000);
	CHECK(query(path, "SELECT min(seq) FROM exit WHERE vcpu = 3") > 8980);
}

/* --trigger --keep-raw: after a long time without an event rows go on with their numbers. */
static void test_keep_nothing(void)
{
	const char *path = test_path("events.sqlite");
	struct store_run run = test_run;
	struct synthetic s;
	struct store *store;

	run.keep_cycles = SYNTHETIC_TSC_KHZ * 1000ULL;
	run.chosen = true;
	CHECK_EQ(store_open(path, &store), 0);
	CHECK_EQ(store_begin(store, &run), 0);
	add_vcpu(store, 0);
	synthetic_init(&s, 0, 3);
	for (unsigned int i = 0; i < 100; i++) {
		s.tsc = SYNTHETIC_TSC_START + SYNTHETIC_TSC_KHZ * 100ULL * i;
		synthetic_fill(&s, records, 10);
		CHECK_EQ(store_append(store, 0, records, 10), 0);
		if (i == 0 || i == 99)
			CHECK_EQ(store_keep(store, 0, records, 10), 0);
		CHECK_EQ(store_flush(store), 0);
	}
	CHECK_EQ(query(path, "SELECT count(*) FROM exit WHERE rowid <= 9"), 0);
	CHECK_EQ(query(path, "SELECT max(rowid) FROM exit"), 20);
	CHECK_EQ(query(path, "SELECT max(seq) FROM exit"), 999);
	CHECK_EQ(store_finish(store, "complete", s.tsc, 0), 0);
	store_close(store);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit"), 10);
}

/* A file of an older program gets today's tables, views and meanings; the data stay. */
static void test_refreshed(void)
{
	const char *path = test_path("round.sqlite");
	struct synthetic s[2];
	int64_t exits = query(path, "SELECT count(*) FROM exit");

	query(path, "DROP VIEW exits");
	query(path, "DROP TABLE exit_rollup_coarse");
	query(path, "DELETE FROM exit_reason WHERE number = 10");
	record_run(path, 0, 0, s);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit"), exits);
	CHECK(query(path, "SELECT count(*) FROM exit_rollup_coarse") > 0);
	CHECK_EQ(query(path, "SELECT count(*) FROM exits WHERE reason_name = 'CPUID'"),
		 query(path, "SELECT count(*) FROM exit WHERE reason = 10"));
	CHECK(query(path, "SELECT count(*) FROM exit WHERE reason = 10") > 0);
}

/* One value in every field of a record, as wide as the field is. */
static struct kvm_exit_record record_of(uint64_t seq, uint64_t value)
{
	return (struct kvm_exit_record){
		.seq = seq,
		.tsc = SYNTHETIC_TSC_START + seq,
		.guest_rip = value,
		.guest_cr3 = value,
		.qualification = value,
		.info2 = value,
		.key = value,
		.key_aux = value,
		.cycles = value,
		.handler_cycles = value,
		.halted_cycles = value,
		.userspace_cycles = value,
		.preempted_cycles = value,
		.reason = (__u32)value,
		.flags = KVM_EXIT_REC_KEY | KVM_EXIT_REC_CR3,
		.intr_info = (__u32)value,
		.error_code = (__u32)value,
		.pcpu = (__u16)value,
		.user_reason = (__u8)value,
	};
}

/* Every length that a value can have in the file, at its edges, both signs. */
static void test_values(void)
{
	const char *path = test_path("values.sqlite");
	struct store *store = open_run(path, 1);
	struct kvm_exit_record r;
	char sql[512];
	uint64_t seq = 0;
	int bit;
	int off;

	add_vcpu(store, 0);
	for (bit = 0; bit < 64; bit++) {
		for (off = -2; off < 2; off++) {
			r = record_of(seq++, (UINT64_C(1) << bit) + (uint64_t)off);
			CHECK_EQ(store_append(store, 0, &r, 1), 0);
			r = record_of(seq++, 0 - (UINT64_C(1) << bit) + (uint64_t)off);
			r.flags = 0;
			CHECK_EQ(store_append(store, 0, &r, 1), 0);
		}
	}
	CHECK_EQ(store_finish(store, "complete", 0, 0), 0);
	store_close(store);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit"), seq);
	CHECK_EQ(query(path,
		       "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"),
		 1);
	CHECK_EQ(query(path,
		       "SELECT count(*) FROM exit WHERE (flags = 0) <> (key IS NULL)"
		       " OR (flags = 0) <> (key_aux IS NULL) OR (flags = 0) <> (cr3 IS NULL)"),
		 0);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit WHERE typeof(rip) <> 'integer'"), 0);
	for (bit = 0; bit < 64; bit++) {
		for (off = -2; off < 2; off++) {
			int64_t value = (int64_t)((UINT64_C(1) << bit) + (uint64_t)off);

			snprintf(sql, sizeof(sql),
				 "SELECT rip = %lld AND cr3 = rip AND qualification = rip AND "
				 "info2 = rip"
				 " AND key = rip AND key_aux = rip AND cycles = rip AND"
				 " halted_cycles = rip AND userspace_cycles = rip AND"
				 " preempted_cycles = rip AND reason = rip & 0xffffffff AND"
				 " intr_info = reason AND error_code = reason AND pcpu = rip & "
				 "0xffff"
				 " AND user_reason = rip & 255 FROM exit WHERE seq = %d",
				 (long long)value, bit * 8 + (off + 2) * 2);
			CHECK_EQ(query(path, sql), 1);
		}
	}
}

/*
 * More intervals and reasons in one flush than the sums in memory have room for: the sums are
 * written in between, and none of them is written empty.
 */
static void test_full_sums(void)
{
	const char *path = test_path("full.sqlite");
	struct store *store = open_run(path, 1);
	struct kvm_exit_record *r = records;

	add_vcpu(store, 0);
	for (uint32_t i = 0; i < 2000; i++) {
		r[i] = (struct kvm_exit_record){
			.seq = i,
			.tsc = SYNTHETIC_TSC_START + i * (SYNTHETIC_TSC_KHZ * 500ULL),
			.reason = i % 7,
			.cycles = 1000 + i,
			.handler_cycles = 1000 + i,
		};
	}
	CHECK_EQ(store_append(store, 0, records, 2000), 0);
	CHECK_EQ(store_finish(store, "complete", records[1999].tsc, 0), 0);
	store_close(store);

	CHECK_EQ(query(path, "SELECT count(*) FROM exit_rollup"), 2000);
	CHECK_EQ(query(path, "SELECT min(min_cycles) FROM exit_rollup"), 1000);
	CHECK_EQ(query(path, "SELECT min(first_tsc) FROM exit_rollup"), SYNTHETIC_TSC_START);
	CHECK_EQ(query(path, rollup_differs), 0);
	CHECK_EQ(query(path, "SELECT min(min_cycles) FROM exit_rollup_coarse"), 1000);
	CHECK_EQ(query(path, "SELECT min(first_ns) FROM top_exits"), 0);
}

/* More rows than memory is set aside for, without a flush of the caller's. */
static void test_many(void)
{
	const char *path = test_path("many.sqlite");
	struct store *store = open_run(path, 1);
	struct synthetic s;
	int i;

	add_vcpu(store, 0);
	synthetic_init(&s, 0, 1);
	for (i = 0; i < 20; i++) {
		synthetic_fill(&s, records, RECORDS);
		CHECK_EQ(store_append(store, 0, records, RECORDS), 0);
	}
	CHECK_EQ(store_finish(store, "complete", s.tsc, 0), 0);
	store_close(store);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit"), 20 * RECORDS);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit a JOIN exit b ON b.rowid = a.rowid + 1"
			     " WHERE b.seq <> a.seq + 1"),
		 0);
	CHECK_EQ(query(path, "SELECT sum(n) FROM exit_rollup"), 20 * RECORDS);
	CHECK_EQ(query(path,
		       "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"),
		 1);
}

static void test_bad_calls(void)
{
	struct store *store = open_run(test_path("bad.sqlite"), 1);
	struct store_vcpu_end end = {0};
	struct synthetic s;

	CHECK_EQ(store_append(store, 0, records, 1), -EINVAL);
	CHECK_EQ(store_end_vcpu(store, -1, &end), -EINVAL);
	add_vcpu(store, 0);
	synthetic_init(&s, 0, 1);
	synthetic_fill(&s, records, 10);
	CHECK_EQ(store_append(store, 0, records, 10), 0);
	CHECK_EQ(store_flush(store), 0);
	CHECK_EQ(store_append(store, 0, records, 10), -EPROTO);
	CHECK_EQ(store_append(store, 0, records, 10), STORE_RUNLESS);
	CHECK_EQ(store_finish(store, "complete", 1, 1), 0);
	store_close(store);
	CHECK_EQ(query(test_path("bad.sqlite"), "SELECT count(*) FROM exit"), 10);
}

/* What a run that failed left in memory does not come into the next one. */
static void test_run_after_a_failed_one(void)
{
	const char *path = test_path("again.sqlite");
	struct store *store = open_run(path, 1);
	struct synthetic s;

	add_vcpu(store, 0);
	synthetic_init(&s, 0, 1);
	fill(store, &s, 0, 100);
	CHECK_EQ(store_append(store, 0, records, 1), -EPROTO);
	CHECK_EQ(store_finish(store, "interrupted", 1, 1), 0);

	CHECK_EQ(store_begin(store, &test_run), 0);
	add_vcpu(store, 0);
	synthetic_init(&s, 0, 1);
	fill(store, &s, 0, 10);
	CHECK_EQ(store_finish(store, "complete", s.tsc, 2), 0);
	store_close(store);

	CHECK_EQ(query(path, "SELECT count(*) FROM exit"), 10);
	CHECK_EQ(query(path, "SELECT sum(n) FROM exit_rollup"), 10);
	CHECK_EQ(query(path, "SELECT sum(n) FROM interval_histograms WHERE part = 0"), 10);
}

/* What is found later replaces what was known; VMs of one name are numbered. */
static void test_names(void)
{
	const char *path = test_path("names.sqlite");
	struct store *store = open_run(path, 1);
	struct store_identity first = {.name = "web", .name_source = "qemu", .uuid = "u"};
	struct store_identity again = {.name = "web-1", .name_source = "qemu", .tid = 7};
	struct store_vcpu other = {.vm_id = 99, .ring_id = 99, .tgid = 100, .tid = 101};
	int vcpu;

	add_vcpu(store, 0);
	CHECK_EQ(store_identify(store, 0, &first), 0);
	CHECK_EQ(store_identify(store, 0, &again), 0);
	CHECK_EQ(store_identify(store, 1, &again), -EINVAL);
	CHECK_EQ(store_add_vcpu(store, &other, &vcpu), 0);
	CHECK_EQ(store_finish(store, "complete", 0, 0), 0);
	CHECK_EQ(query(path, "SELECT count(*) FROM vms WHERE label = 'web-1' AND uuid IS NULL"), 1);
	CHECK_EQ(query(path, "SELECT count(*) FROM vms WHERE label = '2' AND name IS NULL"), 1);
	CHECK_EQ(query(path, "SELECT tid FROM coverage WHERE vm = 1"), 7);
	CHECK_EQ(query(path, "SELECT tid FROM coverage WHERE vm = 2"), 101);

	CHECK_EQ(store_begin(store, &(struct store_run){.source = "device",
							.collector = "test",
							.isa = 1,
							.tsc_khz = 1000}),
		 0);
	other.tid = 0;
	for (int i = 0; i < 2; i++) {
		other.vm_id++;
		CHECK_EQ(store_add_vcpu(store, &other, &vcpu), 0);
		CHECK_EQ(store_identify(store, vcpu, &first), 0);
	}
	CHECK_EQ(store_finish(store, "complete", 0, 0), 0);
	store_close(store);
	CHECK_EQ(query(path, "SELECT count(*) FROM vms WHERE run = 2 AND label = 'web #' || vm"),
		 2);
}

/* Roll-ups of half seconds say what the rows say; a second is a whole number of them. */
static void test_rollup_interval(void)
{
	const char *path = test_path("interval.sqlite");
	struct store_run run = test_run;
	struct store *store = NULL;
	struct synthetic s;
	int vcpu;

	run.raw = true;
	CHECK_EQ(store_open(path, &store), 0);
	run.rollup_ms = 300;
	CHECK_EQ(store_begin(store, &run), -EINVAL);
	run.rollup_ms = 500;
	CHECK_EQ(store_begin(store, &run), 0);

	vcpu = add_vcpu(store, 0);
	synthetic_init(&s, 0, 1);
	for (int i = 0; i < 20; i++) {
		s.tsc += SYNTHETIC_TSC_KHZ * 130ULL;
		synthetic_fill(&s, records, 500);
		CHECK_EQ(store_append(store, vcpu, records, 500), 0);
		CHECK_EQ(store_flush(store), 0);
	}
	CHECK_EQ(store_finish(store, "complete", s.tsc, 2), 0);
	store_close(store);

	CHECK_EQ(query(path, "SELECT rollup_cycles / tsc_khz FROM run"), 500);
	CHECK_EQ(query(path, rollup_differs), 0);
	CHECK_EQ(query(path, "SELECT sum(n) FROM exit_rollup"), 10000);
	CHECK(query(path, "SELECT count(DISTINCT slot) FROM exit_rollup") >= 5);
}

/* --counts-only: exits that come as sums and histograms. */
static void test_counted(void)
{
	uint32_t total[HIST_BUCKETS] = {0}, handler[HIST_BUCKETS] = {0};
	const char *path = test_path("counted.sqlite");
	struct store *store = open_run(path, 0);
	struct store_sums sums = {
		.slot = 30,
		.buckets = HIST_BUCKETS,
		.first_tsc = SYNTHETIC_TSC_START,
		.n = 7,
		.cycles = 4 * 1000 + 3 * 70000,
		.userspace_cycles = 3 * 50000,
		.n_user = 3,
		.total = total,
		.handler = handler,
	};
	int vcpu = add_vcpu(store, 0);

	total[hist_bucket(1000)] = handler[hist_bucket(1000)] = 4;
	total[hist_bucket(70000)] = handler[hist_bucket(20000)] = 3;
	for (uint64_t second = 1; second <= 3; second++) {
		sums.last_tsc = SYNTHETIC_TSC_START + second * SYNTHETIC_TSC_KHZ * 1000ULL - 1;
		CHECK_EQ(store_add_sums(store, vcpu, &sums), 0);
		if (second == 2)
			CHECK_EQ(store_flush(store), 0);
	}

	sums.n = 8;
	CHECK_EQ(store_add_sums(store, vcpu, &sums), -EINVAL);
	sums.n = 7;
	sums.slot = KVM_EXIT_TOTAL_OTHER;
	CHECK_EQ(store_add_sums(store, vcpu, &sums), -EINVAL);
	CHECK_EQ(store_end_vcpu(store, vcpu, &(struct store_vcpu_end){.end_seq = 23}), 0);
	CHECK_EQ(store_finish(store, "complete", sums.last_tsc, 0), 0);
	store_close(store);

	CHECK_EQ(query(path, "SELECT sum(recorded) FROM coverage"), 21);
	CHECK_EQ(query(path, "SELECT sum(dropped) FROM coverage"), 2);
	CHECK_EQ(query(path, "SELECT sum(exits) FROM top_exits WHERE basic_reason = 30"), 21);
	CHECK_EQ(query(path, "SELECT sum(cycles) FROM top_exits"), 3 * sums.cycles);
	CHECK_EQ(query(path, "SELECT sum(to_user) FROM top_exits"), 9);
	CHECK_EQ(query(path, "SELECT count(DISTINCT slot) FROM interval_histograms"), 3);
	CHECK_EQ(query(path, "SELECT sum(n) FROM histograms WHERE part = 'handler'"
			     " AND 20000 BETWEEN low_cycles AND high_cycles"),
		 9);
	/* The limits of their buckets. */
	CHECK_EQ(query(path, "SELECT min(min_cycles) FROM rollups"), hist_low(hist_bucket(1000)));
	CHECK_EQ(query(path, "SELECT max(max_cycles) FROM rollups"),
		 hist_low(hist_bucket(70000) + 1) - 1);

	store = open_run(path, 1);
	sums.slot = 30;
	CHECK_EQ(store_add_sums(store, add_vcpu(store, 0), &sums), -EINVAL);
	CHECK_EQ(store_discard(store), 0);
	store_close(store);
}

int main(void)
{
	test_round_trip();
	test_sums();
	test_rollup_interval();
	test_second_run();
	test_many_reasons();
	test_counted();
	test_keep();
	test_keep_nothing();
	test_refreshed();
	test_values();
	test_names();
	test_full_sums();
	test_many();
	test_bad_calls();
	test_run_after_a_failed_one();
	return check_result();
}
