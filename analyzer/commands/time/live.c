// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer live - watch a recording in progress
 *
 * On a whole screen there are pages: the exits by reason, the VMs with their states, and each VM.
 * Every page has sums of its own (struct live), read while it is shown.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/options/choice.h"
#include "analyzer/commands/time/commands.h"
#include "analyzer/live/log.h"
#include "analyzer/live/screen.h"
#include "analyzer/live/table.h"
#include "analyzer/live/watch.h"
#include "analyzer/query/db.h"
#include "analyzer/query/vms.h"
#include "base/array.h"
#include "base/units.h"

enum { EXTRA_INTERVAL, EXTRA_COUNT, EXTRA_PLAIN, EXTRA_LOG };

static const struct extra_option extra[] = {
	{"interval", "TIME", "between two snapshots, 10ms to 1h (default: 1s)"},
	{"count", "N", "end after N snapshots"},
	{"plain", NULL, "one block of text per snapshot, as without a terminal"},
	{"log", NULL, "one line per interval; with --by one per reason or VM"},
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
	"q quit  f freeze  v V next, previous VM  a all VMs  sort by: r rate  e exits  t time  m mean  p p99  x max  w waiting  n name"
#define KEYS_SHORT "q quit  f freeze  v V a VMs  sort: r e t m p x w n"

/* The pages that are not of one VM. */
#define PAGE_REASONS (-1)
#define PAGE_VMS     (-2)

/* struct page - @vm: vm.id, or PAGE_* */
struct page {
	int64_t vm;
	struct live live;
	char filter[24]; /* --vm of a page of one VM */
};

/*
 * struct view - what is shown
 * @opt: the command line; @vm: its --vm
 * @file: see watch.h
 * @page: those that were shown already; @at: the present one
 * @log: NULL: not a log
 * @full: on the whole screen, else as blocks of text or a log
 * @left: polls to go; -1: no end
 */
struct view {
	struct app *app;
	const struct options *opt;
	const char *vm;
	int file;
	struct page **page;
	size_t pages;
	struct page *at;
	struct snapshot snapshot;
	struct log *log;
	enum sort sort;
	double interval;
	int64_t left;
	bool full;
};

/* The page of a VM, or PAGE_*, made if it wasn't shown before. -1 with app->error. */
static int open_page(struct view *view, int64_t vm)
{
	struct page **more, *page;

	for (size_t i = 0; i < view->pages; i++) {
		if (view->page[i]->vm == vm) {
			view->at = view->page[i];
			return 0;
		}
	}

	more = array_reserve(view->page, view->pages, 1, sizeof(struct page *));
	if (more)
		view->page = more;
	page = more ? calloc(1, sizeof(*page)) : NULL;
	if (!page)
		return app_fail(view->app, "out of memory");

	page->vm = vm;
	page->live.app = view->app;
	page->live.by = vm == PAGE_VMS ? BY_VM : BY_REASON;
	page->live.end_is_whole = view->full;
	snprintf(page->filter, sizeof(page->filter), "%" PRId64, vm);
	more[view->pages++] = page;
	view->at = page;
	return 0;
}

/* Whether the command line lets the VM through. */
static bool is_asked_for(const struct view *view, const struct vm_ref *vm)
{
	struct vms_filter filter = {.patterns = NULL};
	bool passes = !vms_parse(view->app, view->vm, &filter) && vms_pass(&filter, vm);

	free(filter.patterns);
	return passes;
}

/* The VM after (@step 1) or before (-1) that of the present page; past the last: the reasons. */
static int64_t next_vm(const struct view *view, int step)
{
	const struct run *run = &view->app->run;
	int count = (int)run->n_vms, i = step > 0 ? -1 : count;

	for (int k = 0; k < count; k++)
		if (run->vms[k].id == view->at->vm)
			i = k;
	for (i += step; i >= 0 && i < count; i += step)
		if (is_asked_for(view, &run->vms[i]))
			return run->vms[i].id;
	return PAGE_REASONS;
}

static double sort_value(const struct live_row *row, enum sort sort)
{
	const double value[] = {
		row->per_s, (double)row->exits,	      row->time, row->mean, row->p99,
		row->max,   row->part[STATE_WAITING], 0};

	return value[sort];
}

/* Largest first; what is equal by name, web-2 before web-10. */
static int compare(const void *a, const void *b, void *sort)
{
	double x = sort_value(a, *(enum sort *)sort), y = sort_value(b, *(enum sort *)sort);

	if (x != y)
		return x < y ? 1 : -1;
	return strverscmp(((const struct live_row *)a)->name, ((const struct live_row *)b)->name);
}

static unsigned int row_limit(const struct view *view, unsigned int room)
{
	int64_t limit = view->opt->limit;

	return limit > 0 && limit < room ? (unsigned int)limit : room;
}

static int print_block(struct view *view)
{
	struct out out;

	out_begin(&out, &view->opt->style, view->app->run.tsc_khz);
	out.no_durations = view->app->run.no_durations;
	table_put_head(&out, &view->snapshot);
	table_put_rows(&out, &view->snapshot, row_limit(view, view->snapshot.rows));
	out_line(&out, "%s", "");
	return out_end(&out, view->app, false);
}

/* What the page is about, below the first line; NULL: what the command line says. */
static const char *page_title(const struct view *view, char text[96])
{
	if (view->at->vm < 0)
		return NULL;
	snprintf(text, 96, "VM %.80s", vms_label(&view->app->run, view->at->vm));
	return text;
}

static int count_lines(const char *text)
{
	int lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static int draw(struct view *view)
{
	struct app *app = view->app;
	struct out out;
	char *text = NULL, keys[192], title[96];
	size_t size;
	int rows, width, left, rc;
	FILE *file;

	file = open_memstream(&text, &size);
	if (!file)
		return app_fail(app, "out of memory");

	screen_size(&rows, &width);
	out_begin_file(&out, file, &view->opt->style, app->run.tsc_khz);
	out.width = width;
	out.no_durations = app->run.no_durations;
	view->snapshot.page = page_title(view, title);
	table_put_head(&out, &view->snapshot);

	/* Above the table its titles, below it the line of keys. */
	left = fflush(file) ? 0 : rows - count_lines(text) - 2;
	table_put_rows(&out, &view->snapshot, row_limit(view, left > 0 ? (unsigned int)left : 0));
	rc = out_end(&out, app, false);
	if (fclose(file) && !rc)
		rc = app_fail(app, "out of memory");

	snprintf(keys, sizeof(keys), "\1%s  (by %s)",
		 width > (int)strlen(KEYS) + 13 ? KEYS : KEYS_SHORT, sort_names[view->sort]);
	if (!rc && screen_draw(text, keys))
		rc = app_fail(app, "the terminal cannot be written to");
	free(text);
	return rc;
}

static int read_page(struct view *view)
{
	struct snapshot *snapshot = &view->snapshot;
	struct live *live = &view->at->live;

	view->app->filter.vm = view->at->vm < 0 ? view->vm : view->at->filter;
	/* Half of it, for a page that is turned back to: the timer may be early by a rounding. */
	if (watch_check(view->app, view->file) || live_poll(live, view->interval / 2))
		return -1;

	free(snapshot->row);
	snapshot->live = live;
	snapshot->taken = live_wall_clock();
	snapshot->row = live_rows(live, &snapshot->rows);
	return snapshot->row ? live_total(live, &snapshot->total) : -1;
}

static int poll_run(struct view *view)
{
	int64_t run = view->app->run.id;

	if (!read_page(view))
		return 0;
	/* Another run has begun, which doesn't have the VM of this page. */
	if (view->at->vm < 0 || view->app->run.id == run || open_page(view, PAGE_REASONS))
		return -1;
	return read_page(view);
}

static bool has_ended(const struct view *view)
{
	return strcmp(view->app->run.state, "recording");
}

static int show(struct view *view)
{
	struct snapshot *snapshot = &view->snapshot;

	qsort_r(snapshot->row, snapshot->rows, sizeof(*snapshot->row), compare, &view->sort);
	if (view->log)
		return log_write(view->log, snapshot, row_limit(view, snapshot->rows));
	return view->full ? draw(view) : print_block(view);
}

/* Another page, if the key asks for one. 1: it was opened; 0: it doesn't; -1 with app->error. */
static int turn_page(struct view *view, int key)
{
	int64_t vm;

	if (!view->full)
		return 0;
	if (key == 'v' || key == 'V')
		vm = next_vm(view, key == 'v' ? 1 : -1);
	else if (key == 'a' && !view->app->filter.reason)
		vm = view->at->vm == PAGE_VMS ? PAGE_REASONS : PAGE_VMS;
	else
		return 0;
	return open_page(view, vm) || poll_run(view) ? -1 : 1;
}

/* Answer keys until the next poll is due. 1: it is time to end. */
static int wait_for_poll(struct view *view)
{
	double due = view->at->live.polled_at + view->interval;
	bool *frozen = &view->snapshot.frozen;

	for (;;) {
		double left = due - live_clock();
		int key = screen_wait(left > 0 ? left : 0);
		const char *sort = key > 0 && key < 256 ? strchr(sort_keys, key) : NULL;

		if (key == SCREEN_TIME && !*frozen)
			return 0;
		if (key == SCREEN_END || key == 'q' || key == 'Q')
			return 1;

		if (key == SCREEN_TIME)
			due = live_clock() + 3600; /* frozen: only keys count */
		if (key == 'f' || key == 'F' || key == ' ')
			*frozen = !*frozen;
		if (turn_page(view, key) < 0)
			return -1;
		if (!*frozen)
			due = view->at->live.polled_at + view->interval;
		if (sort)
			view->sort = (enum sort)(sort - sort_keys);

		if (view->full && show(view))
			return -1;
	}
}

/* The first poll of a log has no interval yet, only what was since the start. */
static bool is_shown(const struct view *view)
{
	return !view->log || has_ended(view) || view->at->live.polls > 1 || view->log->lines;
}

static int watch(struct view *view)
{
	int rc;

	for (;;) {
		if (poll_run(view))
			return -1;
		if (is_shown(view)) {
			if (show(view))
				return -1;
			if (view->left > 0 && !--view->left)
				return 0;
		}

		/* Without keys to end it, it ends with the recording. */
		if (!view->full && has_ended(view))
			return 0;
		rc = wait_for_poll(view);
		if (rc)
			return rc < 0 ? -1 : 0;
	}
}

/* A recording that is cut off is an error, after all that it has was shown. */
static int check_end(struct app *app)
{
	char length[UNITS_TEXT];

	if (!app->run.state || strcmp(app->run.state, "interrupted"))
		return 0;
	return app_fail(
		app,
		"%s: run %" PRId64
		" is cut off after %s: its collector is gone (killed, or what it read was cut off; collector --db %s begins another run)",
		app->path, app->run.id,
		units_ns((double)cycles_to_ns(app->run.length_cycles, app->run.tsc_khz), length),
		app->path);
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
	if (by && app->filter.reason)
		return app_fail(
			app,
			"live: --by vm and --reason: use one of them (states are of all exits)");
	if (opt->style.format != OUT_TABLE && !opt->extra[EXTRA_LOG])
		return app_fail(app, "live: --format: only with --log");
	if (opt->extra[EXTRA_PLAIN] && opt->extra[EXTRA_LOG])
		return app_fail(app, "live: --plain and --log: use one of them");
	if (opt->style.columns && opt->extra[EXTRA_LOG] && opt->style.format != OUT_CSV)
		return app_fail(app, "live: --columns and --log: only with --format csv");

	if (interval && (units_parse_ns(interval, &ns) || ns < 10000000 || ns > 3600000000000))
		return app_fail(app, "--interval %s: not a time from 10ms to 1h", interval);
	view->interval = (double)ns / 1e9;

	view->left = -1;
	if (count && units_parse_whole(count, 1, INT64_MAX, &view->left))
		return app_fail(app, "--count %s: not a number of snapshots", count);

	view->full = !opt->extra[EXTRA_PLAIN] && !opt->extra[EXTRA_LOG] && screen_possible();
	view->snapshot.bright = view->full;
	return open_page(view, by ? PAGE_VMS : PAGE_REASONS);
}

static void free_view(struct view *view)
{
	for (size_t i = 0; i < view->pages; i++) {
		live_free(&view->page[i]->live);
		free(view->page[i]);
	}
	free(view->page);
	free(view->snapshot.row);
	view->app->filter.vm = view->vm;
}

/* On the screen, or to standard output. */
static int watch_all(struct view *view)
{
	struct app *app = view->app;
	int rc = screen_open(view->full);

	if (rc)
		return app_fail(app, "the terminal: %s (try --plain)", strerror(-rc));
	rc = watch(view);
	screen_close();
	return rc;
}

/* The same as a log. */
static int watch_log(struct view *view)
{
	const struct options *opt = view->opt;
	struct log log;
	int rc = 0;

	view->log = &log;
	if (log_begin(&log, &opt->style, opt->by ? *opt->by : '\0'))
		rc = watch_all(view);
	return log_end(&log, view->app, rc);
}

static int live(struct app *app, const struct options *opt)
{
	struct view view = {.app = app, .opt = opt, .vm = app->filter.vm, .file = -1};
	int rc = parse_options(app, opt, &view);

	if (!rc)
		rc = watch_open(app, &view.file);
	if (!rc)
		rc = opt->extra[EXTRA_LOG] ? watch_log(&view) : watch_all(&view);
	if (!rc)
		rc = check_end(app);
	free_view(&view);
	watch_close(app, view.file);
	return rc;
}

const struct cmd cmd_live = {
	.name = "live",
	.summary = "watch a recording in progress",
	.usage = "[--by KEY] [--interval TIME] [--count N] [--plain | --log] [OPTION...]",
	.help = help_live,
	.options = OPT_RUN | OPT_WHO | OPT_BY | OPT_SORT | OPT_LIMIT | OPT_FORMAT | OPT_OWN_DB,
	.limit = "all, or what fits the terminal",
	.extra = extra,
	.run = live,
};
