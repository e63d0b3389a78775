// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer live - watch a recording in progress
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/choice.h"
#include "analyzer/commands/commands.h"
#include "analyzer/live/data.h"
#include "analyzer/live/screen.h"
#include "analyzer/output/out.h"
#include "analyzer/query/db.h"
#include "base/units.h"

enum { EXTRA_INTERVAL, EXTRA_COUNT, EXTRA_PLAIN };

static const struct extra_option extra[] = {
	{"interval", "TIME", "between two snapshots (default 1s)"},
	{"count", "N", "end after N snapshots"},
	{"plain", NULL, "one block of text per snapshot, as without a terminal"},
	{0},
};

enum sort {
	SORT_RATE,
	SORT_EXITS,
	SORT_TIME,
	SORT_MEAN,
	SORT_P99,
	SORT_MAX,
	SORT_WAITING,
	SORT_NAME
};

static const char *const sort_names[] = {"rate", "exits",   "time", "mean", "p99",
					 "max",	 "waiting", "name", NULL};
static const char *const by_names[] = {"reason", "vm", NULL};
static const char sort_keys[] = "retmpxwn"; /* in the order of sort_names */

#define KEYS                                                                                       \
	"q quit  f freeze  sort by: r rate  e exits  t time  m mean  p p99  x max  w waiting  n name"

static const struct out_column columns[] = {
	{"reason", "REASON", OUT_TEXT, 0}, {"per_s", "EXITS/S", OUT_REAL, 0},
	{"share", "SHARE", OUT_SHARE, 4},  {"share_bar", "", OUT_BAR, 99},
	{"exits", "EXITS", OUT_COUNT, 5},  {"time_share", "TIME%", OUT_SHARE, 3},
	{"mean", "MEAN", OUT_TIME, 6},	   {"p50", "P50", OUT_TIME, 7},
	{"p99", "P99", OUT_TIME, 0},	   {"max", "MAX", OUT_TIME, 2},
};

/* --by vm: the states of each VM, as shares of its vCPUs' time. */
static const struct out_column vm_columns[] = {
	{"vm", "VM", OUT_TEXT, 0},
	{"per_s", "EXITS/S", OUT_REAL, 0},
	{"share", "SHARE", OUT_SHARE, 6},
	{"exits", "EXITS", OUT_COUNT, 5},
	{"guest", "GUEST", OUT_SHARE, 0},
	{"handler", "HANDLER", OUT_SHARE, 0},
	{"userspace", "USERSPACE", OUT_SHARE, 0},
	{"halted", "HALTED", OUT_SHARE, 0},
	{"waiting", "WAITING", OUT_SHARE, 0},
	{"mean", "MEAN", OUT_TIME, 6},
	{"p50", "P50", OUT_TIME, 7},
	{"p99", "P99", OUT_TIME, 3},
	{"max", "MAX", OUT_TIME, 4},
};

/*
 * struct view - what is shown
 * @opt: the command line
 * @full: on the whole screen, else as blocks of text
 * @left: polls to go; -1: no end
 */
struct view {
	const struct options *opt;
	struct live live;
	struct live_row *rows;
	unsigned int n;
	enum sort sort;
	double interval;
	int64_t left;
	bool full;
	bool frozen;
};

static double sort_value(const struct live_row *row, enum sort sort)
{
	const double value[] = {
		row->per_s, (double)row->exits,	      row->time, row->mean, row->p99,
		row->max,   row->parts[LIVE_WAITING], 0};

	return value[sort];
}

/* Largest first; what is equal by name. */
static int compare(const void *a, const void *b, void *sort)
{
	double x = sort_value(a, *(enum sort *)sort), y = sort_value(b, *(enum sort *)sort);

	if (x != y)
		return x < y ? 1 : -1;
	return strcmp(((const struct live_row *)a)->name, ((const struct live_row *)b)->name);
}

/* How much is recorded, how fast, and what is missing. */
static void put_counts(struct out *out, const struct view *view)
{
	const struct run *run = &view->live.app->run;
	char exits[UNITS_TEXT], rate[UNITS_TEXT], dropped[UNITS_TEXT], now[UNITS_TEXT],
		share[UNITS_TEXT];
	bool first = view->live.polls == 1;
	double per_s = 0;
	uint64_t recorded = 0;

	for (unsigned int i = 0; i < view->n; i++) {
		per_s += view->rows[i].per_s;
		recorded += view->rows[i].exits;
	}
	units_count(view->live.dropped, now);
	out_line(out, "%s %sexits, %s/s%s; dropped %s%s%s%s; coverage %s; %u vCPU%s",
		 units_count((int64_t)recorded, exits), run->shown_dropped ? "recorded " : "",
		 units_real(per_s, rate), first ? " on average" : "",
		 units_count(run->shown_dropped, dropped), first ? "" : " (+", first ? "" : now,
		 first ? "" : ")", run->shown_exits ? units_share(out_coverage(run), share) : "-",
		 run->n_vcpus, run->n_vcpus == 1 ? "" : "s");
}

/* Which time each column is about. */
static void put_windows(struct out *out, const struct view *view)
{
	char seconds[UNITS_TEXT];

	out_line(out,
		 "EXITS: since the start; EXITS/S, SHARE, TIME%%: %s %s; MEAN to MAX: last %d s",
		 view->live.polls > 1 ? "last" : "since the start,",
		 units_ns(view->live.seconds * 1e9, seconds), LIVE_RECENT_S);
}

static void put_head(struct out *out, const struct view *view)
{
	const struct run *run = &view->live.app->run;
	char length[UNITS_TEXT], filter[128];

	out_line(out, "%srun %" PRId64 " \"%s\": %s, %s%s%s", view->full ? "\2" : "", run->id,
		 run->label, run->state,
		 units_ns((double)cycles_to_ns(run->length_cycles, run->tsc_khz), length),
		 !strcmp(run->environment, "emulated")
			 ? ", emulated machine (times are not real latencies)"
			 : "",
		 view->frozen ? " -- FROZEN" : "");
	out_vms(out, run);
	out_filter_text(run, filter, sizeof(filter));
	if (*filter)
		out_line(out, "filter: %s (shares are of what passes it)", filter);
	put_counts(out, view);
	put_windows(out, view);
}

static void put_latency(struct out *out, double cycles)
{
	if (cycles > 0)
		out_real(out, cycles);
	else
		out_none(out);
}

static void put_latencies(struct out *out, const struct live_row *row)
{
	put_latency(out, row->mean);
	put_latency(out, row->p50);
	put_latency(out, row->p99);
	put_latency(out, row->max);
}

static void put_reason(struct out *out, const struct live_row *row)
{
	out_text(out, row->name);
	out_real(out, row->per_s);
	out_real(out, row->share);
	out_real(out, row->share);
	out_int(out, (int64_t)row->exits);
	out_real(out, row->time);
	put_latencies(out, row);
}

static void put_vm(struct out *out, const struct run *run, const struct live_row *row)
{
	static const int order[] = {LIVE_HANDLER, LIVE_USERSPACE, LIVE_HALTED, LIVE_WAITING};
	double guest = 1;

	out_text(out, row->name);
	out_real(out, row->per_s);
	out_real(out, row->share);
	out_int(out, (int64_t)row->exits);

	/* Exits that began before the interval may be longer than it. */
	for (int i = 0; i < LIVE_PARTS; i++)
		guest -= row->parts[i];
	if (run->has_split && row->has_parts) {
		out_real(out, guest > 0 ? guest : 0);
		for (int i = 0; i < LIVE_PARTS; i++)
			out_real(out, row->parts[order[i]]);
	} else {
		for (int i = 0; i <= LIVE_PARTS; i++)
			out_none(out);
	}
	put_latencies(out, row);
}

static void put_rows(struct out *out, const struct view *view, unsigned int limit)
{
	bool by_vm = view->live.by == BY_VM;

	if (by_vm)
		out_table(out, "rows", vm_columns, sizeof(vm_columns) / sizeof(vm_columns[0]));
	else
		out_table(out, "rows", columns, sizeof(columns) / sizeof(columns[0]));
	for (unsigned int i = 0; i < view->n && i < limit; i++) {
		if (by_vm)
			put_vm(out, &view->live.app->run, &view->rows[i]);
		else
			put_reason(out, &view->rows[i]);
	}
	if (view->full)
		putc('\2', out->file); /* the titles */
	out_table_end(out);
}

static unsigned int row_limit(const struct view *view, unsigned int room)
{
	int64_t limit = view->opt->limit;

	return limit > 0 && limit < room ? (unsigned int)limit : room;
}

static int print_block(struct view *view)
{
	struct out out;

	out_begin(&out, &view->opt->style, view->live.app->run.tsc_khz);
	out.no_durations = view->live.app->run.no_durations;
	put_head(&out, view);
	put_rows(&out, view, row_limit(view, view->n));
	out_line(&out, "%s", "");
	return out_end(&out, view->live.app, false);
}

static int draw(struct view *view)
{
	struct app *app = view->live.app;
	struct out out;
	char *text = NULL, keys[160];
	size_t size;
	int rows, width, head, rc;
	FILE *file;

	file = open_memstream(&text, &size);
	if (!file)
		return app_fail(app, "out of memory");

	screen_size(&rows, &width);
	out_begin_file(&out, file, &view->opt->style, app->run.tsc_khz);
	out.width = width;
	put_head(&out, view);
	/* Four lines of head or five, the table's titles and the line of keys. */
	head = app->filter.vm || app->filter.vcpu || app->filter.reason ? 7 : 6;
	put_rows(&out, view, row_limit(view, rows > head ? (unsigned int)(rows - head) : 0));
	rc = out_end(&out, app, false);
	if (fclose(file) && !rc)
		rc = app_fail(app, "out of memory");

	snprintf(keys, sizeof(keys), "\1%s  (by %s)", KEYS, sort_names[view->sort]);
	if (!rc && screen_draw(text, keys))
		rc = app_fail(app, "the terminal cannot be written to");
	free(text);
	return rc;
}

static int poll_run(struct view *view)
{
	if (live_poll(&view->live))
		return -1;
	free(view->rows);
	view->rows = live_rows(&view->live, &view->n);
	return view->rows ? 0 : -1;
}

static int show(struct view *view)
{
	qsort_r(view->rows, view->n, sizeof(*view->rows), compare, &view->sort);
	return view->full ? draw(view) : print_block(view);
}

/* Answer keys until the next poll is due. 1: it is time to end. */
static int wait_for_poll(struct view *view)
{
	double due = view->live.polled_at + view->interval;

	for (;;) {
		double left = due - live_clock();
		int key = screen_wait(left > 0 ? left : 0);
		const char *sort = key > 0 && key < 256 ? strchr(sort_keys, key) : NULL;

		if (key == SCREEN_TIME && !view->frozen)
			return 0;
		if (key == SCREEN_END || key == 'q' || key == 'Q')
			return 1;
		if (key == SCREEN_TIME)
			due = live_clock() + 3600; /* frozen: only keys count */
		if (key == 'f' || key == 'F' || key == ' ')
			view->frozen = !view->frozen;
		if (!view->frozen)
			due = view->live.polled_at + view->interval;
		if (sort)
			view->sort = (enum sort)(sort - sort_keys);
		if (view->full && show(view))
			return -1;
	}
}

static int watch(struct view *view)
{
	int rc;

	for (;;) {
		if (poll_run(view) || show(view))
			return -1;
		if (view->left > 0 && !--view->left)
			return 0;
		/* Without keys to end it, it ends with the recording. */
		if (!view->full && strcmp(view->live.app->run.state, "recording"))
			return 0;
		rc = wait_for_poll(view);
		if (rc)
			return rc < 0 ? -1 : 0;
	}
}

static int parse_options(struct app *app, const struct options *opt, struct view *view)
{
	const char *interval = opt->extra[EXTRA_INTERVAL], *count = opt->extra[EXTRA_COUNT];
	int64_t ns = 1000000000;
	int sort = choice_parse(app, "--sort", opt->sort ? opt->sort : "rate", sort_names);
	int by = choice_parse(app, "--by", opt->by ? opt->by : "reason", by_names);

	if (sort < 0 || by < 0)
		return -1;
	view->sort = (enum sort)sort;
	view->live.by = by ? BY_VM : BY_REASON;
	if (by && app->filter.reason)
		return app_fail(
			app,
			"live: --by vm and --reason: use one of them (states are of all exits)");

	if (interval && (units_parse_ns(interval, &ns) || ns < 10000000 || ns > 3600000000000))
		return app_fail(app, "--interval %s: not a time from 10ms to 1h", interval);
	view->interval = (double)ns / 1e9;

	view->left = -1;
	if (count && units_parse_whole(count, 1, INT64_MAX, &view->left))
		return app_fail(app, "--count %s: not a number of snapshots", count);

	view->full = !opt->extra[EXTRA_PLAIN] && screen_possible();
	return 0;
}

static int live(struct app *app, const struct options *opt)
{
	struct view view = {.opt = opt, .live = {.app = app}};
	int rc;

	if (parse_options(app, opt, &view))
		return -1;
	rc = screen_open(view.full);
	if (rc)
		return app_fail(app, "the terminal: %s (try --plain)", strerror(-rc));
	rc = watch(&view);
	screen_close();
	free(view.rows);
	live_free(&view.live);
	return rc;
}

const struct cmd cmd_live = {
	.name = "live",
	.summary = "watch a recording in progress",
	.usage = "[--by KEY] [--interval TIME] [--count N] [--plain] [OPTION...]",
	.help = help_live,
	.options = OPT_RUN | OPT_WHO | OPT_BY | OPT_SORT | OPT_LIMIT | OPT_CYCLES | OPT_COLUMNS,
	.extra = extra,
	.run = live,
};
