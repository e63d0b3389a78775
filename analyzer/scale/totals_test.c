// SPDX-License-Identifier: GPL-2.0-only
/*
 * totals_test.c - the same totals from rows, chunks, roll-ups, sums of long
 * intervals and plain C, for random exits; reading next to a writer; and windows
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/query/compare/compare.h"
#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/sums/agg.h"
#include "analyzer/query/time/edges.h"
#include "analyzer/query/time/series.h"
#include "sql/store/store.h"
#include "sql/store/test/synthetic.h"
#include "sql/test/check.h"

#define VCPUS	 3
#define PER_VCPU 20000U

static struct kvm_exit_record record[VCPUS][PER_VCPU];

/* Begin a run with VCPUS vCPUs in a file that is made anew. */
static struct store *begin(const char *path, bool compact)
{
	const struct store_run run = {.source = "capture",
				      .collector = "totals_test",
				      .isa = KVM_EXIT_ISA_VMX,
				      .tsc_khz = SYNTHETIC_TSC_KHZ,
				      .tsc_start = SYNTHETIC_TSC_START,
				      .raw = 1,
				      .compact = compact,
				      .split = 1};
	struct store *store = NULL;
	int number;

	unlink(path);
	CHECK_EQ(store_open(path, &store), 0);
	CHECK_EQ(store_begin(store, &run), 0);
	for (uint32_t i = 0; i < VCPUS; i++) {
		const struct store_vcpu vcpu = {.vm_id = 1 + i / 2, .ring_id = i + 1, .vcpu_id = i};

		CHECK_EQ(store_add_vcpu(store, &vcpu, &number), 0);
	}
	return store;
}

/* Random records, in batches and flushes of random size. */
static void fill(struct store *store, uint64_t seed)
{
	size_t done[VCPUS] = {0}, left = VCPUS * PER_VCPU;

	srand((unsigned int)seed);
	for (uint32_t i = 0; i < VCPUS; i++) {
		struct synthetic s;

		synthetic_init(&s, i, seed);
		s.lose_one_in = 500;
		synthetic_fill(&s, record[i], PER_VCPU);
	}
	while (left) {
		int i = rand() % VCPUS;
		size_t n = 1 + (size_t)rand() % 3000;

		if (n > PER_VCPU - done[i])
			n = PER_VCPU - done[i];
		CHECK_EQ(store_append(store, i, &record[i][done[i]], n), 0);
		done[i] += n;
		left -= n;
		if (rand() % 4 == 0)
			CHECK_EQ(store_flush(store), 0);
	}
	CHECK_EQ(store_flush(store), 0);
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Sums in plain C of the records of one reason key, and their sorted durations. */
static struct group plain(int64_t key, uint64_t *cycles)
{
	struct group sum = {.min = UINT64_MAX, .first = INT64_MAX, .last = INT64_MIN};

	for (int v = 0; v < VCPUS; v++)
		for (size_t i = 0; i < PER_VCPU; i++) {
			const struct kvm_exit_record *r = &record[v][i];

			if (reason_key(1, r->reason) != key)
				continue;
			cycles[sum.n] = r->cycles;
			sum.n++;
			sum.cycles += r->cycles;
			sum.halted += r->halted_cycles;
			sum.polled += r->polled_cycles;
			sum.userspace += r->userspace_cycles;
			sum.preempted += r->preempted_cycles;
			sum.fastpath += !!(r->flags & KVM_EXIT_REC_FASTPATH);
			sum.nested += !!(r->flags & KVM_EXIT_REC_NESTED);
			sum.to_user += !!(r->flags & KVM_EXIT_REC_USER);
			sum.synthesized += !!(r->flags & KVM_EXIT_REC_SYNTH);
			sum.min = r->cycles < sum.min ? r->cycles : sum.min;
			sum.max = r->cycles > sum.max ? r->cycles : sum.max;
			sum.first = (int64_t)r->tsc < sum.first ? (int64_t)r->tsc : sum.first;
			sum.last = (int64_t)r->tsc > sum.last ? (int64_t)r->tsc : sum.last;
		}
	qsort(cycles, sum.n, sizeof(*cycles), ascending);
	return sum;
}

static void same_sums(const struct group *a, const struct group *b)
{
	CHECK_EQ(a->n, b->n);
	CHECK_EQ(a->cycles, b->cycles);
	CHECK_EQ(a->halted, b->halted);
	CHECK_EQ(a->polled, b->polled);
	CHECK_EQ(a->userspace, b->userspace);
	CHECK_EQ(a->preempted, b->preempted);
	CHECK_EQ(a->fastpath, b->fastpath);
	CHECK_EQ(a->nested, b->nested);
	CHECK_EQ(a->to_user, b->to_user);
	CHECK_EQ(a->synthesized, b->synthesized);
	CHECK_EQ(a->min, b->min);
	CHECK_EQ(a->max, b->max);
	CHECK_EQ(a->first, b->first);
	CHECK_EQ(a->last, b->last);
}

static void check_group(const struct group *g)
{
	static const double qs[] = {0.01, 0.5, 0.9, 0.99, 0.999, 1};
	static uint64_t cycles[VCPUS * PER_VCPU];
	struct group want = plain(g->key[0], cycles);

	same_sums(g, &want);
	CHECK_EQ(g->dist.total, want.n);
	for (size_t i = 0; i < sizeof(qs) / sizeof(qs[0]); i++) {
		uint64_t exact = cycles[dist_rank(want.n, qs[i]) - 1],
			 is = group_quantile(g, qs[i]);

		CHECK((is > exact ? is - exact : exact - is) <= exact / 128 + 1);
	}
}

static void check_reasons(struct app *app, unsigned int flags)
{
	struct agg agg = {0};
	uint64_t n = 0;

	CHECK_EQ(agg_read(app, &app->run, BY_REASON, AGG_DIST | AGG_TIMES | flags, &agg), 0);
	for (uint32_t i = 0; i < agg.groups; i++) {
		check_group(&agg.group[i]);
		n += agg.group[i].n;
	}
	CHECK_EQ(n, VCPUS * PER_VCPU);
	agg_free(&agg);
}

/* A side of compare has the same sums and distributions by reason. */
static void check_side(const struct app *app)
{
	struct side side = {.app = *app};

	CHECK_EQ(side_read(&side), 0);
	for (uint32_t i = 0; i < side.by_reason.groups; i++)
		check_group(&side.by_reason.group[i]);
	CHECK_EQ(side.all.dist.total, VCPUS * PER_VCPU);
	side_free(&side);
}

/* Counts alone are those of all sums, in each bin. */
static void check_counts(struct app *app, int most, const struct series *all)
{
	struct series counts = {0};

	CHECK_EQ(series_read(app, &app->run, most, SERIES_COUNTS, &counts), 0);
	CHECK_EQ(counts.bins, all->bins);
	CHECK_EQ(counts.by.groups, all->by.groups);
	for (uint32_t i = 0; i < all->by.groups; i++) {
		const struct group *want = &all->by.group[i];
		const struct group *is = agg_find(&counts.by, want->key);

		CHECK(is && is->n == want->n && is->cycles == want->cycles &&
		      is->halted == want->halted);
	}
	for (int bin = 0; bin < all->bins; bin++)
		CHECK(counts.within[bin].halted == all->within[bin].halted);
	series_free(&counts);
}

/* Each bin's times are those of all sums, which are those of @want and of its own time. */
static void check_bins(struct app *app, const struct series *series, const struct group *want)
{
	const struct agg_bins bins = {.begin = series->origin, .width = series->bin_cycles};
	struct group is = {.min = UINT64_MAX, .first = INT64_MAX, .last = INT64_MIN};
	struct agg all = {0};

	CHECK_EQ(agg_read_bins(app, &app->run, &bins, 0, &all), 0);
	CHECK_EQ(all.groups, series->by.groups);
	for (uint32_t i = 0; i < all.groups; i++) {
		const struct group *g = &all.group[i], *times = agg_find(&series->by, g->key);
		int64_t begin = app->run.tsc_start + bins.begin + g->key[0] * bins.width;

		group_add(&is, g);
		CHECK(g->first >= begin && g->last < begin + bins.width);
		CHECK(times && times->n == g->n && times->cycles == g->cycles &&
		      times->halted == g->halted && times->userspace == g->userspace &&
		      times->preempted == g->preempted && times->polled == g->polled);
	}
	same_sums(&is, want);
	agg_free(&all);
}

/* By vCPU and over time the sums are those by reason. */
static void check_others(struct app *app, unsigned int flags)
{
	static const int most[] = {0, 1, 3, 40, 1000};
	struct agg by_reason = {0}, by_vcpu = {0};
	struct group want, is;

	CHECK_EQ(agg_read(app, &app->run, BY_REASON, flags, &by_reason), 0);
	CHECK_EQ(agg_read(app, &app->run, BY_VCPU, flags, &by_vcpu), 0);
	CHECK_EQ(by_vcpu.groups, VCPUS);
	want = agg_total(&by_reason);
	is = agg_total(&by_vcpu);
	same_sums(&is, &want);
	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		struct series series = {0};

		CHECK_EQ(series_read(app, &app->run, most[i], SERIES_TIMES, &series), 0);
		CHECK(!most[i] || series.bins <= most[i] + 1);
		check_bins(app, &series, &want);
		check_counts(app, most[i], &series);
		series_free(&series);
	}
	agg_free(&by_reason);
	agg_free(&by_vcpu);
}

/* The sums of all exits are @want's, and each is in a distribution where those are read. */
static void check_single(struct app *app, enum agg_by by, unsigned int flags,
			 const struct group *want)
{
	struct agg agg = {0};
	struct group is;

	CHECK_EQ(agg_read(app, &app->run, by, flags, &agg), 0);
	CHECK_EQ(agg_sum(&agg, &is), 0);
	CHECK_EQ(is.dist.total, flags & AGG_DIST ? want->n : 0);
	for (uint32_t i = 0; i < agg.groups; i++)
		CHECK_EQ(agg.group[i].dist.total, flags & AGG_DIST ? agg.group[i].n : 0);

	is.first = want->first;
	is.last = want->last;
	if (by == BY_RIP) {
		is.fastpath = want->fastpath;
		is.nested = want->nested;
		is.to_user = want->to_user;
		is.synthesized = want->synthesized;
	}
	same_sums(&is, want);
	dist_free(&is.dist);
	agg_free(&agg);
}

/* However they are read, the sums are the same; times, and flags by RIP, may be missing. */
static void check_singles(struct app *app)
{
	static const enum agg_by bys[] = {BY_REASON, BY_SUBKEY, BY_USER_REASON, BY_RIP,
					  BY_PCPU,   BY_CR3,	BY_REGION};
	static const unsigned int flags[] = {0, AGG_DIST, AGG_DIST | AGG_HANDLER,
					     AGG_DIST | AGG_EXACT,
					     AGG_DIST | AGG_EXACT | AGG_HANDLER};
	struct agg by_reason = {0};
	struct group want;

	CHECK_EQ(agg_read(app, &app->run, BY_REASON, AGG_EXACT | AGG_TIMES, &by_reason), 0);
	want = agg_total(&by_reason);
	for (size_t i = 0; i < sizeof(bys) / sizeof(bys[0]); i++) {
		for (size_t j = 0; j < sizeof(flags) / sizeof(flags[0]); j++)
			check_single(app, bys[i], flags[j], &want);
	}
	agg_free(&by_reason);
}

static void check_file(const char *path, bool coarse)
{
	struct app app = {.path = path, .filter = {.from_ns = -1, .to_ns = -1}};

	CHECK_EQ(db_open(&app, path, &app.db), 0);
	CHECK_EQ(run_open(&app, NULL, &app.run), 0);
	CHECK_EQ(app.run.coarse, coarse);
	check_reasons(&app, 0);
	check_reasons(&app, AGG_EXACT);
	check_others(&app, 0);
	check_side(&app);
	check_singles(&app);
	run_close(&app.run);
	CHECK_EQ(sqlite3_close(app.db), 0);
}

/*
 * A reader in the middle of a query keeps no writer from writing, and sees what
 * was there when it began.
 */
static void check_beside_writer(const char *path, struct store *store)
{
	struct app app = {.path = path};
	static struct kvm_exit_record more[1000];
	struct synthetic s;
	sqlite3_stmt *stmt;
	int64_t seen = 1;

	synthetic_init(&s, 0, 99);
	synthetic_fill(&s, more, 1000);
	for (int i = 0; i < 1000; i++)
		more[i].seq = record[0][PER_VCPU - 1].seq + 1 + (uint64_t)i;
	CHECK_EQ(db_open(&app, path, &app.db), 0);
	CHECK_EQ(db_prepare(&app, &stmt, "SELECT rowid FROM exit"), 0);
	CHECK_EQ(db_step(&app, stmt), 1);
	CHECK_EQ(store_append(store, 0, more, 1000), 0);
	CHECK_EQ(store_flush(store), 0);
	while (db_step(&app, stmt) > 0)
		seen++;
	CHECK_EQ(seen, VCPUS * PER_VCPU);
	sqlite3_reset(stmt);
	for (seen = 0; db_step(&app, stmt) > 0;)
		seen++;
	CHECK_EQ(seen, VCPUS * PER_VCPU + 1000);
	sqlite3_finalize(stmt);
	CHECK_EQ(sqlite3_close(app.db), 0);
}

/* Exits that began within @from to @to after the start, in plain C. */
static uint64_t count_plain(int64_t from, int64_t to)
{
	uint64_t n = 0;

	for (int v = 0; v < VCPUS; v++) {
		for (size_t i = 0; i < PER_VCPU; i++) {
			int64_t since = (int64_t)(record[v][i].tsc - SYNTHETIC_TSC_START);

			n += since >= from && since < to;
		}
	}
	return n;
}

/* Called by SQLite for every step of its virtual machine. */
static int count_step(void *steps)
{
	++*(int64_t *)steps;
	return 0;
}

/* What reaches over the ends of a window is found without a pass over all rows. */
static void check_edges(struct app *app)
{
	struct edge *edges = NULL;
	int64_t steps = 0;

	sqlite3_progress_handler(app->db, 1, count_step, &steps);
	CHECK_EQ(edges_read(app, &app->run, &edges), 0);
	sqlite3_progress_handler(app->db, 0, NULL, NULL);

	/* A scan takes nine and more for each row. */
	CHECK_EQ(steps > 0 && steps < (int64_t)VCPUS * PER_VCPU * 5, true);
	free(edges);
}

/* Opens the run with a window. The rows that it is read from; 0: all. */
static int64_t check_window(const char *path, int64_t from_ns, int64_t to_ns)
{
	struct app app = {.path = path, .filter = {.from_ns = from_ns, .to_ns = to_ns}};
	struct agg agg = {0};
	int64_t rows = 0;

	CHECK_EQ(db_open(&app, path, &app.db), 0);
	CHECK_EQ(run_open(&app, NULL, &app.run), 0);
	CHECK_EQ(app.run.by_rows, true);
	CHECK_EQ(agg_read(&app, &app.run, BY_REASON, 0, &agg), 0);
	CHECK_EQ(agg_total(&agg).n, count_plain(app.run.from, app.run.to));
	if (app.run.first_row > 0)
		rows = app.run.last_row - app.run.first_row;
	/* A late exit's interval needs all rows. */
	if (rows)
		check_edges(&app);

	agg_free(&agg);
	run_close(&app.run);
	CHECK_EQ(sqlite3_close(app.db), 0);
	return rows;
}

/* Cycles that the last exit of a vCPU before the run's @end takes after it. */
static uint64_t cycles_after(int vcpu, uint64_t end)
{
	const struct kvm_exit_record *last = &record[vcpu][PER_VCPU - 1];

	while (last->tsc >= end)
		last--;
	return last->tsc + last->cycles > end ? last->tsc + last->cycles - end : 0;
}

/* A run may have exits after its end: those of a vCPU that others were read before. */
static void set_end(const char *path, uint64_t end)
{
	char sql[80];
	sqlite3 *db;

	snprintf(sql, sizeof(sql), "UPDATE run SET tsc_end = %" PRIu64, end);
	CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	CHECK_EQ(sqlite3_close(db), SQLITE_OK);
}

/* Of the whole run: exits that last longer than it are found from the end of the rows. */
static void check_whole_edges(const char *path, uint64_t end)
{
	struct app app = {.path = path, .filter = {.from_ns = -1, .to_ns = -1}};
	struct edge *edges = NULL;
	int64_t steps = 0;
	int found = 0;

	CHECK_EQ(db_open(&app, path, &app.db), 0);
	CHECK_EQ(run_open(&app, NULL, &app.run), 0);
	sqlite3_progress_handler(app.db, 1, count_step, &steps);
	CHECK_EQ(edges_read(&app, &app.run, &edges), 0);
	sqlite3_progress_handler(app.db, 0, NULL, NULL);

	for (int v = 0; v < VCPUS; v++) {
		CHECK_EQ(edges[v].after.cycles, cycles_after(v, end));
		found += edges[v].after.cycles > 0;
	}
	CHECK_EQ(found > 0, true);
	CHECK_EQ(steps > 0 && steps < (int64_t)VCPUS * PER_VCPU, true);
	free(edges);
	run_close(&app.run);
	CHECK_EQ(sqlite3_close(app.db), 0);
}

/*
 * Windows of rows that came in the order of time are read from few of them, and have all of
 * their exits; also one that came last though it began in the middle (@is_late).
 */
static void check_windows(const char *path, bool is_late)
{
	struct store *store = begin(path, false);
	size_t done[VCPUS] = {0};
	uint64_t end = 0;
	int64_t length_ns;

	for (uint32_t i = 0; i < VCPUS; i++) {
		struct synthetic s;

		synthetic_init(&s, i, 7);
		synthetic_fill(&s, record[i], PER_VCPU);
		/* Slower, so that the run has many intervals. */
		for (size_t k = 0; k < PER_VCPU; k++)
			record[i][k].tsc += (record[i][k].tsc - SYNTHETIC_TSC_START) * 30;
		if (record[i][PER_VCPU - 1].tsc > end)
			end = record[i][PER_VCPU - 1].tsc;
	}
	if (is_late)
		record[0][PER_VCPU - 1].tsc = record[0][PER_VCPU / 2].tsc;
	/* The vCPU that is furthest behind comes next, as from a collector that reads all often. */
	for (size_t n = 0; n < VCPUS * PER_VCPU; n += 50) {
		int next = 0;

		for (int i = 1; i < VCPUS; i++) {
			if (done[next] == PER_VCPU ||
			    (done[i] < PER_VCPU &&
			     record[i][done[i]].tsc < record[next][done[next]].tsc))
				next = i;
		}
		CHECK_EQ(store_append(store, next, &record[next][done[next]], 50), 0);
		done[next] += 50;
	}
	CHECK_EQ(store_finish(store, "complete", end + 1, 0), 0);
	store_close(store);

	length_ns = cycles_to_ns((int64_t)(end - SYNTHETIC_TSC_START), SYNTHETIC_TSC_KHZ);
	for (int i = 0; i < 50; i++) {
		int64_t from = length_ns / 50 * i;
		int64_t rows = check_window(path, from, from + length_ns / 60);

		/* The interval of the late one needs all rows. */
		if (!is_late)
			CHECK_EQ(rows > 0 && rows < VCPUS * PER_VCPU / 2, true);
	}
	check_window(path, length_ns / 100, -1);
	check_window(path, -1, length_ns / 100);
	check_whole_edges(path, end + 1);
	end = record[1][PER_VCPU - 10].tsc + record[1][PER_VCPU - 10].cycles / 2;
	set_end(path, end);
	check_whole_edges(path, end);
}

/* The same exits in chunks. */
static void check_chunks(const char *path, uint64_t seed)
{
	struct store *store = begin(path, true);

	fill(store, seed);
	check_file(path, false);
	CHECK_EQ(store_finish(store, "complete", SYNTHETIC_TSC_START + (UINT64_C(1) << 40), 0), 0);
	store_close(store);
	check_file(path, true);
}

/* vCPUs are found in whatever order their ids are. */
static void test_vcpus_are_found(void)
{
	struct vcpu_ref vcpus[] = {{.id = 7}, {.id = 9}, {.id = 8}, {.id = 3}, {.id = 12}};
	const struct run run = {.vcpus = vcpus, .n_vcpus = 5};
	const struct run none = {.n_vcpus = 0};

	for (int64_t id = 0; id < 16; id++) {
		const struct vcpu_ref *want = NULL;

		for (unsigned int i = 0; i < run.n_vcpus; i++)
			want = vcpus[i].id == id ? &vcpus[i] : want;
		CHECK(run_find_vcpu(&run, id) == want);
		CHECK(!run_find_vcpu(&none, id));
	}
	CHECK(!run_find_vcpu(&run, INT64_MIN));
}

int main(void)
{
	char *path = strdup(test_path("totals.sqlite"));

	test_vcpus_are_found();
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct store *store = begin(path, false);

		fill(store, seed);
		check_file(path, false);
		if (seed == 3)
			check_beside_writer(path, store);
		else
			CHECK_EQ(store_finish(store, "complete",
					      SYNTHETIC_TSC_START + (UINT64_C(1) << 40), 0),
				 0);
		store_close(store);
		if (seed < 3)
			check_file(path, true);
		check_chunks(path, seed);
	}
	check_windows(path, false);
	check_windows(path, true);
	unlink(path);
	free(path);
	return check_result();
}
