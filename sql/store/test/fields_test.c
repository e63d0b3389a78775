// SPDX-License-Identifier: GPL-2.0-only
/*
 * fields_test.c - every field of a record comes back from the database bit for bit
 *
 * Random records as a ring publishes them: a field that no flag calls valid is 0. Prints its seed;
 * fields_test SEED repeats a run.
 */
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "sql/store/store.h"
#include "sql/test/check.h"

#define RECORDS 4000

#define ABI2_FEATURES                                                                              \
	(KVM_EXIT_FEAT_SPLIT | KVM_EXIT_FEAT_KEYS | KVM_EXIT_FEAT_SYNTH | KVM_EXIT_FEAT_POLLED |   \
	 KVM_EXIT_FEAT_VALUE | KVM_EXIT_FEAT_REQUESTS | KVM_EXIT_FEAT_EVENT)

static struct kvm_exit_record records[RECORDS];
static uint64_t state;

/* A value of any length, 0 and 1 as often as others. */
static uint64_t pick(unsigned int bits)
{
	uint64_t value = random_next(&state) >> random_next(&state) % 64;

	return bits < 64 ? value & ((UINT64_C(1) << bits) - 1) : value;
}

static uint64_t pick_if(uint32_t flags, uint32_t flag, unsigned int bits)
{
	return flags & flag ? pick(bits) : 0;
}

static void make_record(struct kvm_exit_record *r, uint64_t seq)
{
	/* All or none of them often: the ends of a row. */
	uint32_t flags = (uint32_t)random_next(&state) & 0x7ffff &
			 (uint32_t) - (random_next(&state) % 4 != 0);

	*r = (struct kvm_exit_record){
		.seq = seq,
		.tsc = pick(64),
		.guest_rip = pick_if(~flags, KVM_EXIT_REC_NO_RIP, 64),
		.guest_cr3 = pick_if(flags, KVM_EXIT_REC_CR3, 64),
		.qualification = pick_if(flags, KVM_EXIT_REC_QUAL, 64),
		.info2 = pick_if(flags, KVM_EXIT_REC_QUAL, 64),
		.key = pick_if(flags, KVM_EXIT_REC_KEY, 64),
		.key_aux = pick_if(flags, KVM_EXIT_REC_KEY, 64),
		.handler_cycles = pick(48),
		.halted_cycles = pick_if(flags, KVM_EXIT_REC_HALTED, 48),
		.userspace_cycles = pick_if(flags, KVM_EXIT_REC_USER, 48),
		.preempted_cycles = pick_if(flags, KVM_EXIT_REC_PREEMPTED, 48),
		.reason = (uint32_t)(random_next(&state) % 100) * 0x02f5c28f,
		.intr_info = (uint32_t)pick_if(flags, KVM_EXIT_REC_INTR, 32),
		.error_code = (uint32_t)pick_if(flags, KVM_EXIT_REC_ERROR_CODE, 32),
		.pcpu = (uint16_t)pick(16),
		.vcpu_id = 3,
		.user_reason = (uint8_t)pick_if(flags, KVM_EXIT_REC_USER, 8),
		.isa = KVM_EXIT_ISA_VMX,
		.run_errno = (uint16_t)pick_if(flags, KVM_EXIT_REC_USER, 16),
		.value = pick_if(flags, KVM_EXIT_REC_VALUE, 64),
		.requests = pick_if(flags, KVM_EXIT_REC_REQUESTS, 64),
		.entry_event = (uint32_t)pick_if(flags, KVM_EXIT_REC_EVENT, 32),
		.entry_error_code = (uint32_t)pick_if(flags, KVM_EXIT_REC_EVENT_ERROR, 32),
	};
	r->polled_cycles =
		flags & KVM_EXIT_REC_POLLED ? random_next(&state) % (r->halted_cycles + 1) : 0;
	r->cycles =
		r->handler_cycles + r->halted_cycles + r->userspace_cycles + r->preempted_cycles;

	r->flags = flags & ~(uint32_t)KVM_EXIT_REC_POLLED;
	if (r->polled_cycles)
		r->flags |= KVM_EXIT_REC_POLLED;
}

/*
 * Stores the records as a run of one vCPU. @features: as in struct store_run, -1: unknown; @totals:
 * of the vCPU, or NULL.
 */
static void store_run_of(const char *path, int64_t features, const struct kvm_exit_total *totals)
{
	const struct store_run run = {
		.source = "device",
		.collector = "fields_test",
		.isa = KVM_EXIT_ISA_VMX,
		.tsc_khz = 1000,
		.raw = true,
		.split = true,
		.has_features = features >= 0,
		.features = (uint64_t)features,
	};
	const struct store_vcpu info = {.vm_id = 1, .ring_id = 1, .vcpu_id = 3};
	struct store_vcpu_end end = {.end_seq = RECORDS, .tid = 4321, .totals = totals};
	struct store *store = NULL;
	int vcpu = -1;

	CHECK_EQ(store_open(path, &store), 0);
	CHECK_EQ(store_begin(store, &run), 0);
	CHECK_EQ(store_add_vcpu(store, &info, &vcpu), 0);
	CHECK_EQ(store_append(store, vcpu, records, RECORDS / 2), 0);
	CHECK_EQ(store_flush(store), 0);
	CHECK_EQ(store_append(store, vcpu, records + RECORDS / 2, RECORDS / 2), 0);
	CHECK_EQ(store_end_vcpu(store, vcpu, &end), 0);
	CHECK_EQ(store_finish(store, "complete", 0, 0), 0);
	store_close(store);
}

/* A record from its row. */
static void read_record(sqlite3_stmt *row, struct kvm_exit_record *r)
{
	int64_t v[26];

	for (int i = 0; i < 26; i++)
		v[i] = sqlite3_column_int64(row, i);

	*r = (struct kvm_exit_record){
		.seq = (uint64_t)v[0],
		.tsc = (uint64_t)v[1],
		.guest_rip = (uint64_t)v[2],
		.guest_cr3 = (uint64_t)v[3],
		.qualification = (uint64_t)v[4],
		.info2 = (uint64_t)v[5],
		.key = (uint64_t)v[6],
		.key_aux = (uint64_t)v[7],
		.cycles = (uint64_t)v[8],
		.handler_cycles = (uint64_t)(v[8] - v[9] - v[10] - v[11]),
		.halted_cycles = (uint64_t)v[9],
		.userspace_cycles = (uint64_t)v[10],
		.preempted_cycles = (uint64_t)v[11],
		.reason = (uint32_t)v[12],
		.flags = (uint32_t)v[13],
		.intr_info = (uint32_t)v[14],
		.error_code = (uint32_t)v[15],
		.pcpu = (uint16_t)v[16],
		.user_reason = (uint8_t)v[17],
		.vcpu_id = (uint16_t)v[18],
		.isa = (uint8_t)v[19],
		.value = (uint64_t)v[20],
		.requests = (uint64_t)v[21],
		.entry_event = (uint32_t)v[22],
		.polled_cycles = (uint64_t)v[23],
		.run_errno = (uint16_t)v[24],
		.entry_error_code = (uint32_t)v[25],
	};
}

static void test_bits(const char *path)
{
	static const char sql[] =
		"SELECT e.seq, e.tsc, e.rip, e.cr3, e.qualification, e.info2, e.key, e.key_aux, e.cycles,"
		" e.halted_cycles, e.userspace_cycles, e.preempted_cycles, e.reason, e.flags,"
		" e.intr_info, e.error_code, e.pcpu, e.user_reason, c.vcpu_id, r.isa, e.value,"
		" e.requests, e.entry_event, e.polled_cycles, e.run_errno, e.entry_error_code"
		" FROM exit e JOIN vcpu c ON c.id = e.vcpu JOIN run r ORDER BY e.rowid";
	sqlite3_stmt *row = NULL;
	sqlite3 *db = NULL;
	int differ = 0;
	int n = 0;

	CHECK_EQ(sqlite3_open(path, &db), 0);
	CHECK_EQ(sqlite3_prepare_v2(db, sql, -1, &row, NULL), 0);
	while (sqlite3_step(row) == SQLITE_ROW && n < RECORDS) {
		struct kvm_exit_record r;

		read_record(row, &r);
		differ += !!memcmp(&r, &records[n++], sizeof(r));
	}
	CHECK_EQ(n, RECORDS);
	CHECK_EQ(differ, 0);
	sqlite3_finalize(row);
	sqlite3_close(db);

	CHECK_EQ(query(path, "SELECT count(*) FROM pragma_integrity_check"
			     " WHERE integrity_check = 'ok'"),
		 1);
}

/* Column @column of view exits, of the exit at @row, or @none where it is NULL. */
static int64_t column_of(sqlite3_stmt *row, int column, int64_t none)
{
	return sqlite3_column_type(row, column) == SQLITE_NULL ? none
							       : sqlite3_column_int64(row, column);
}

/* What view exits says of a record; @known: the run says that it has the fields of ABI 2. */
static int compare_exit(sqlite3_stmt *row, const struct kvm_exit_record *r, bool known)
{
	const int64_t none = INT64_MIN + 12345;
	bool has_event = r->flags & KVM_EXIT_REC_EVENT;
	int64_t errno_of = known || r->run_errno ? r->run_errno : none;
	const int64_t expected[] = {
		known || r->polled_cycles ? (int64_t)r->polled_cycles : none,
		r->flags & KVM_EXIT_REC_VALUE ? (int64_t)r->value : none,
		r->flags & KVM_EXIT_REC_REQUESTS ? (int64_t)r->requests : none,
		has_event ? r->entry_event : none,
		has_event ? r->entry_event & 0xff : none,
		r->flags & KVM_EXIT_REC_EVENT_ERROR ? r->entry_error_code : none,
		r->flags & KVM_EXIT_REC_USER ? errno_of : none,
		r->flags & KVM_EXIT_REC_NO_RIP ? none : 1,
	};
	int differ = 0;

	for (int i = 0; i < (int)(sizeof(expected) / sizeof(*expected)); i++)
		differ += column_of(row, i, none) != expected[i];
	return differ;
}

static void test_view(const char *path, bool known)
{
	static const char sql[] =
		"SELECT polled_cycles, value, requests, entry_event, event_vector, event_error_code,"
		" run_errno, rip IS NOT NULL OR NULL FROM exits ORDER BY id";
	sqlite3_stmt *row = NULL;
	sqlite3 *db = NULL;
	int differ = 0;
	int n = 0;

	CHECK_EQ(sqlite3_open(path, &db), 0);
	CHECK_EQ(sqlite3_prepare_v2(db, sql, -1, &row, NULL), 0);
	for (; sqlite3_step(row) == SQLITE_ROW && n < RECORDS; n++)
		differ += compare_exit(row, &records[n], known);
	CHECK_EQ(n, RECORDS);
	CHECK_EQ(differ, 0);
	sqlite3_finalize(row);
	sqlite3_close(db);

	CHECK_EQ(query(path, "SELECT has_polled + has_value + has_requests + has_event FROM runs"),
		 known ? 4 : 0);
	CHECK_EQ(query(path, "SELECT count(polled_cycles) > 0 FROM rollups"), known);
	CHECK_EQ(query(path, "SELECT count(polled_ns) > 0 FROM top_exits"), known);
}

/* Sums of the polled time, in intervals and in long ones, are those of the rows. */
static void test_sums(const char *path)
{
	CHECK_EQ(query(path, "SELECT sum(polled_cycles) FROM exit_rollup"),
		 query(path, "SELECT sum(polled_cycles) FROM exit"));
	CHECK_EQ(query(path, "SELECT sum(polled_cycles) FROM exit_rollup_coarse WHERE level = 5"),
		 query(path, "SELECT sum(polled_cycles) FROM exit"));
	CHECK(query(path, "SELECT sum(polled_cycles) FROM exit") > 0);
	CHECK_EQ(query(path, "SELECT count(*) FROM crosscheck"), 0);
	CHECK_EQ(query(path, "SELECT tid FROM coverage"), 4321);
}

/* What texts the view has for them. */
static void test_words(void)
{
	const char *path = test_path("words.sqlite");

	memset(records, 0, sizeof(records));
	for (uint64_t i = 0; i < RECORDS; i++)
		records[i].seq = i;
	records[1] = (struct kvm_exit_record){
		.seq = 1,
		.flags = KVM_EXIT_REC_USER | KVM_EXIT_REC_VALUE | KVM_EXIT_REC_REQUESTS |
			 KVM_EXIT_REC_EVENT | KVM_EXIT_REC_EVENT_ERROR,
		.run_errno = 4,
		.value = UINT64_MAX,
		.requests = 1 | UINT64_C(1) << 14 | UINT64_C(1) << 63,
		.entry_event = 0x80000b0e,
		.entry_error_code = 6,
	};
	records[2] = (struct kvm_exit_record){.seq = 2, .flags = KVM_EXIT_REC_USER};
	store_run_of(path, ABI2_FEATURES, NULL);

	CHECK_EQ(query(path, "SELECT count(*) FROM exits WHERE seq = 1 AND run_errno_name = 'EINTR'"
			     " AND value_text = '0xffffffffffffffff'"
			     " AND request_names = 'TLB_FLUSH,EVENT,REQUEST_63'"
			     " AND event_type = 'hardware exception' AND event_vector = 14"
			     " AND event_error_code = 6"),
		 1);
	CHECK_EQ(query(path, "SELECT count(*) FROM exits WHERE seq = 2 AND run_errno = 0"
			     " AND run_errno_name = '' AND request_names IS NULL"
			     " AND event_type IS NULL AND value_text IS NULL"),
		 1);
}

/* Fields that an exit does not have take no room in its row. */
static void test_size(void)
{
	const char *path = test_path("size.sqlite");
	int64_t bytes;

	for (uint64_t i = 0; i < RECORDS; i++)
		records[i] =
			(struct kvm_exit_record){.seq = i, .cycles = 200, .handler_cycles = 200};
	store_run_of(path, ABI2_FEATURES, NULL);

	/* A header of 18 columns takes 19 bytes; the values of seq and cycles 1 or 2 each. */
	bytes = query(path, "SELECT sum(payload) FROM dbstat WHERE name = 'exit'");
	CHECK(bytes > 0 && bytes <= RECORDS * (19 + 2 + 2));
}

/* The parts of the totals page, each that there was, by reason. */
static void test_totals(void)
{
	static struct kvm_exit_total totals[KVM_EXIT_TOTAL_SLOTS];
	const char *path = test_path("totals.sqlite");

	totals[12] = (struct kvm_exit_total){.count = RECORDS,
					     .cycles = 1000,
					     .halted_cycles = 400,
					     .userspace_cycles = 300,
					     .polled_cycles = 100};
	store_run_of(path, ABI2_FEATURES, totals);
	CHECK_EQ(query(path, "SELECT count(*) FROM crosscheck WHERE source = 'totals_time'"), 3);
	CHECK_EQ(query(path, "SELECT sum(cycles = CASE name WHEN 'halted' THEN 400"
			     " WHEN 'userspace' THEN 300 WHEN 'polled' THEN 100 END)"
			     " FROM crosscheck WHERE source = 'totals_time' AND reason = 12"),
		 3);
}

/* Parts that don't add up are counted: the rows have no column for the handler's time. */
static void test_uneven(void)
{
	const char *path = test_path("uneven.sqlite");

	for (uint64_t i = 0; i < RECORDS; i++)
		records[i] = (struct kvm_exit_record){.seq = i, .cycles = 9, .handler_cycles = 9};
	records[7].handler_cycles = 8;
	records[8].polled_cycles = 1;
	store_run_of(path, ABI2_FEATURES, NULL);
	CHECK_EQ(query(path, "SELECT n FROM crosscheck WHERE source = 'records'"
			     " AND name = 'parts differ'"),
		 2);
}

/* A count that grows is there once, with its last value, after each flush; others stay. */
static void test_growing_count(void)
{
	const char *path = test_path("growing.sqlite");
	const struct store_run run = {
		.source = "device",
		.collector = "fields_test",
		.isa = KVM_EXIT_ISA_VMX,
		.tsc_khz = 1000,
	};
	struct store *store;

	CHECK_EQ(store_open(path, &store), 0);
	CHECK_EQ(store_begin(store, &run), 0);
	CHECK_EQ(store_add_run_count(store, "ring", "other", 3), 0);
	for (uint64_t n = 5; n < 8; n++) {
		CHECK_EQ(store_set_run_count(store, "ring", "lost_exits", n), 0);
		CHECK_EQ(store_flush(store), 0);
		CHECK_EQ(query(path, "SELECT unseen FROM runs"), (int64_t)n);
	}
	CHECK_EQ(query(path, "SELECT count(*) FROM crosscheck"), 2);
	CHECK_EQ(store_finish(store, "complete", 1000, 0), 0);

	/* Each run has its own. */
	CHECK_EQ(store_begin(store, &run), 0);
	CHECK_EQ(store_set_run_count(store, "ring", "lost_exits", 1), 0);
	CHECK_EQ(store_finish(store, "complete", 1000, 0), 0);
	store_close(store);
	CHECK_EQ(query(path, "SELECT sum(unseen) FROM runs"), 8);
	CHECK_EQ(query(path, "SELECT dropped FROM runs WHERE run = 2"), 1);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL);
	const char *path;

	printf("seed %llu\n", (unsigned long long)seed);
	state = seed;
	for (uint64_t i = 0; i < RECORDS; i++)
		make_record(&records[i], i);

	path = test_path("fields.sqlite");
	store_run_of(path, ABI2_FEATURES, NULL);
	test_bits(path);
	test_view(path, true);
	test_sums(path);

	path = test_path("unknown.sqlite");
	store_run_of(path, -1, NULL);
	test_bits(path);
	test_view(path, false);

	test_words();
	test_size();
	test_totals();
	test_uneven();
	test_growing_count();
	return check_result();
}
