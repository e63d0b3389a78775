// SPDX-License-Identifier: GPL-2.0-only
/*
 * push.c - analyzer push: a recording's sums, and its exits, to ClickHouse servers
 */
#include "analyzer/push/push.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyzer/commands/share/commands.h"
#include "analyzer/push/create.h"
#include "base/clean.h"
#include "base/units.h"

/* How long --follow waits for new exits: 1 s, or nine times a pass's CPU time if that is longer. */
#define FOLLOW_NS  INT64_C(1000000000)
#define FOLLOW_CPU 9

enum {
	EXTRA_TO,
	EXTRA_RAW,
	EXTRA_FOLLOW,
	EXTRA_AGAIN,
	EXTRA_CREATE,
	EXTRA_CLUSTER,
	EXTRA_WITHOUT,
	EXTRA_GIVE_UP,
	EXTRA_BATCH,
	EXTRA_LOGIN,
	EXTRA_CA,
	EXTRA_CERT,
	EXTRA_RUN
};

static const struct extra_option extra[] = {
	{"to", "URL[,URL...]", "servers: https://HOST:PORT (8443 is ClickHouse's port for https)"},
	{"raw", NULL, "single exits too"},
	{"follow", NULL, "go on until the recording ends"},
	{"again", NULL,
	 "all of it, also what was sent before: for a server that has lost its data"},
	{"create", NULL, "make tables and views on the servers first; without FILE nothing else"},
	{"cluster", "NAME", "with --create: the servers' own name for all of them together"},
	{"without", "C[,C...]", "columns to leave out, such as rip,cr3,command"},
	{"give-up", "TIME", "stop when a server has not answered for this time (default: never)"},
	{"batch", "ROWS", "rows of a request, 1000 to 500000 (default: 200000)"},
	{"login", "FILE", "file with a user's name and password, a line each"},
	{"ca", "FILE",
	 "certificates that those of servers must be signed by (default: the system's)"},
	{"cert", "FILE", "this side's certificate and its key, PEM"},
	{"run", "RUN", "one run alone, by its number or label (default: all)"},
	{0},
};

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void report(void *context, const char *text)
{
	char line[640];

	(void)context;
	snprintf(line, sizeof(line), "%s", text);
	fprintf(stderr, "analyzer: %s\n", clean_text(line));
}

static int parse_batch(struct app *app, const char *text, uint64_t *rows)
{
	int64_t number = PUSH_BATCH_DEFAULT;

	if (text && units_parse_whole(text, PUSH_BATCH_MIN, PUSH_BATCH_MAX, &number))
		return app_fail(app, "--batch %s: not a number of rows from %d to %d", text,
				PUSH_BATCH_MIN, PUSH_BATCH_MAX);
	*rows = (uint64_t)number;
	return 0;
}

static int read_options(struct app *app, const struct options *opt, struct push_options *push)
{
	const char *give_up = opt->extra[EXTRA_GIVE_UP];

	*push = (struct push_options){
		.raw = opt->extra[EXTRA_RAW],
		.again = opt->extra[EXTRA_AGAIN],
		.without = opt->extra[EXTRA_WITHOUT],
		.server = {.login = opt->extra[EXTRA_LOGIN],
			   .ca = opt->extra[EXTRA_CA],
			   .cert = opt->extra[EXTRA_CERT],
			   .give_up_ns = -1,
			   .stop = &stop,
			   .report = report},
	};
	if (!opt->extra[EXTRA_TO])
		return app_fail(app, "push: name a server with --to (analyzer push --help)");
	if (opt->extra[EXTRA_CLUSTER] && !opt->extra[EXTRA_CREATE])
		return app_fail(app, "--cluster: only with --create");
	if (give_up && units_parse_ns(give_up, &push->server.give_up_ns))
		return app_fail(app, "--give-up %s: not a time (examples: 30s, 5min, 2h)", give_up);
	return parse_batch(app, opt->extra[EXTRA_BATCH], &push->batch_rows);
}

static int create_on_all(struct push *push, const char *cluster)
{
	for (unsigned int i = 0; i < push->targets; i++) {
		if (create_tables(&push->target[i].server, cluster))
			return -1;
	}
	return 0;
}

/* What was sent, a row for each run. */
static int print_sent(const struct push *push, const struct options *opt)
{
	static const struct out_column columns[] = {
		{"run", "RUN", OUT_ID, 0},
		{"label", "LABEL", OUT_TEXT, 0},
		{"server", "SERVER", OUT_TEXT, 1},
		{"intervals", "INTERVALS", OUT_COUNT, 0},
		{"histograms", "HISTOGRAMS", OUT_COUNT, 0},
		{"exits", "EXITS", OUT_COUNT, 0},
		{"rows", "ALL ROWS", OUT_COUNT, 0},
		{"bytes", "BYTES", OUT_COUNT, 0},
	};
	struct out out;

	out_begin(&out, &opt->style, 0);
	out_table(&out, "sent", columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < push->n_sent; i++) {
		const struct push_sent *sent = &push->sent[i];
		uint64_t all = 0;

		for (int table = 0; table < PUSH_TABLES; table++)
			all += sent->rows[table];
		out_int(&out, sent->run);
		out_text(&out, sent->label);
		out_text(&out, sent->server ? sent->server->url : "");
		out_int(&out, (int64_t)sent->rows[PUSH_ROLLUP]);
		out_int(&out, (int64_t)sent->rows[PUSH_HIST]);
		out_int(&out, (int64_t)sent->rows[PUSH_EXIT]);
		out_int(&out, (int64_t)all);
		out_int(&out, (int64_t)sent->bytes);
	}
	out_table_end(&out);
	return out_end(&out, push->app, false);
}

static int64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* One pass, or with --follow passes until the recording has ended or the user stops it. */
static int send_all(struct push *push, const struct options *opt)
{
	const struct server_options *server = &push->options->server;
	bool follow = opt->extra[EXTRA_FOLLOW], is_over;
	int rc;

	for (;;) {
		int64_t spent_ns = cpu_ns();

		rc = push_pass(push, opt->extra[EXTRA_RUN], &is_over);
		if (rc || is_over || !follow)
			break;
		spent_ns = FOLLOW_CPU * (cpu_ns() - spent_ns);
		server_sleep(server, spent_ns > FOLLOW_NS ? spent_ns : FOLLOW_NS);
		if (stop)
			break;
	}
	/* Ctrl-C is how a recording that goes on is left. */
	return follow && stop ? 0 : rc;
}

static int create_and_send(struct push *push, const struct options *opt)
{
	bool only_create = opt->extra[EXTRA_CREATE] && !opt->n_words && !opt->extra[EXTRA_FOLLOW];
	int rc = 0;

	if (opt->extra[EXTRA_CREATE])
		rc = create_on_all(push, opt->extra[EXTRA_CLUSTER]);
	if (rc || only_create)
		return rc;

	rc = send_all(push, opt);
	return rc ? rc : print_sent(push, opt);
}

static int push_file(struct app *app, const struct options *opt)
{
	struct push_options options;
	struct push *push;
	int rc;

	if (read_options(app, opt, &options))
		return -1;
	if (opt->n_words)
		app->path = opt->words[0];
	push = calloc(1, sizeof(*push)); /* too large for a small stack */
	if (!push)
		return app_fail(app, "out of memory");

	catch_signals();
	rc = push_open(push, app, &options, opt->extra[EXTRA_TO]);
	if (!rc)
		rc = create_and_send(push, opt);
	push_close(push);
	free(push);
	return rc;
}

const struct cmd cmd_push = {
	.name = "push",
	.summary = "send a recording's sums, or all of it, to a ClickHouse server",
	.usage = "--to URL [FILE] [OPTION...]",
	.help = help_push,
	.options = OPT_NO_TIME | OPT_OWN_DB,
	.words = 1,
	.extra = extra,
	.run = push_file,
};
