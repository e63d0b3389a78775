// SPDX-License-Identifier: GPL-2.0-only
/*
 * fleet.c - analyzer fleet: questions to the servers that many recordings were pushed to
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/options/choice.h"
#include "analyzer/commands/share/commands.h"
#include "analyzer/push/ask.h"
#include "analyzer/push/create.h"
#include "analyzer/push/kernels.h"
#include "base/units.h"
#include "sql/clickhouse/make_text.h"

#define DAYS_DEFAULT	  7
#define DAYS_DEFAULT_TEXT "7"
#define DAYS_MAX	  36500
#define ROWS_MAX	  100000 /* of a table; --limit 0 */
#define KERNELS_ROWS_MAX  1000000

enum { EXTRA_FROM, EXTRA_DAYS, EXTRA_LOGIN, EXTRA_CA, EXTRA_CERT };

static const struct extra_option extra[] = {
	{"from", "URL", "a server that runs were pushed to: https://HOST:PORT"},
	{"days", "N", "of runs that began in the last N days, 1 to 36500 (default: 7)"},
	{"login", "FILE", "file with a user's name and password, a line each"},
	{"ca", "FILE", "certificates that the server's must be signed by (default: the system's)"},
	{"cert", "FILE", "this side's certificate and its key, PEM"},
	{0},
};

static const struct out_column top_exits_columns[] = {
	{"isa", "ISA", OUT_TEXT, 4},	  {"name", "NAME", OUT_TEXT, 0},
	{"hosts", "HOSTS", OUT_COUNT, 0}, {"exits", "EXITS", OUT_COUNT, 0},
	{"time_ns", "TIME", OUT_NS, 3},	  {"busy_ns", "BUSY", OUT_NS, 0},
	{"mean_ns", "MEAN", OUT_NS, 0},	  {"max_ns", "MAX", OUT_NS, 1},
};

static const struct out_column steal_columns[] = {
	{"host", "HOST", OUT_TEXT, 0},	      {"vm", "VM", OUT_TEXT, 0},
	{"runs", "RUNS", OUT_COUNT, 2},	      {"waiting", "WAITING", OUT_SHARE, 0},
	{"handler", "HANDLER", OUT_SHARE, 0}, {"halted", "HALTED", OUT_SHARE, 0},
	{"wall_ns", "TIME", OUT_NS, 1},
};

static const struct out_column p99_columns[] = {
	{"host", "HOST", OUT_TEXT, 0},	{"vm", "VM", OUT_TEXT, 0},
	{"runs", "RUNS", OUT_COUNT, 1}, {"exits", "EXITS", OUT_COUNT, 0},
	{"p50_ns", "P50", OUT_NS, 0},	{"p99_ns", "P99", OUT_NS, 0},
};

static const struct out_column changed_columns[] = {
	{"host", "HOST", OUT_TEXT, 0},
	{"exits", "EXITS", OUT_COUNT, 0},
	{"exits_before", "BEFORE", OUT_COUNT, 1},
	{"moved", "MOVED", OUT_SHARE, 0},
	{"reason", "MOST BY", OUT_TEXT, 0},
	{"share_before", "SHARE BEFORE", OUT_SHARE, 0},
	{"share", "SHARE", OUT_SHARE, 0},
};

static const struct out_column runs_columns[] = {
	{"host", "HOST", OUT_TEXT, 0},	      {"run", "RUN", OUT_ID, 0},
	{"label", "LABEL", OUT_TEXT, 0},      {"started", "STARTED", OUT_TEXT, 0},
	{"state", "STATE", OUT_TEXT, 4},      {"kernel", "KERNEL", OUT_TEXT, 5},
	{"vms", "VMS", OUT_COUNT, 3},	      {"vcpus", "VCPUS", OUT_COUNT, 2},
	{"exits", "EXITS", OUT_COUNT, 0},     {"coverage", "COVERAGE", OUT_SHARE, 1},
	{"duration_ns", "LENGTH", OUT_NS, 0},
};

static const struct out_column kernels_columns[] = {
	{"name", "NAME", OUT_TEXT, 0},	      {"a_exits", "A", OUT_COUNT, 1},
	{"b_exits", "B", OUT_COUNT, 1},	      {"a_per_s", "A/VCPU/S", OUT_REAL, 0},
	{"b_per_s", "B/VCPU/S", OUT_REAL, 0}, {"change", "B IS", OUT_TEXT, 0},
	{"change_p", "P", OUT_NUMBER, 2},
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* @columns: of the answer, and of the table that shows it as it is. */
static const struct question {
	const char *name;
	const char *sql;
	const struct out_column *column;
	unsigned int columns;
} questions[] = {
	{"top-exits", clickhouse_ask_top_exits, top_exits_columns, COUNT(top_exits_columns)},
	{"steal", clickhouse_ask_steal, steal_columns, COUNT(steal_columns)},
	{"p99", clickhouse_ask_p99, p99_columns, COUNT(p99_columns)},
	{"changed", clickhouse_ask_changed, changed_columns, COUNT(changed_columns)},
	{"kernels", clickhouse_ask_kernels, NULL, KERNELS_COLUMNS},
	{"runs", clickhouse_ask_runs, runs_columns, COUNT(runs_columns)},
};

static const char *const question_names[] = {"top-exits", "steal", "p99", "changed",
					     "kernels",	  "runs",  NULL};

/* How far back was asked for; parse_days() has checked it. */
static const char *days_of(const struct options *opt)
{
	return opt->extra[EXTRA_DAYS] ? opt->extra[EXTRA_DAYS] : DAYS_DEFAULT_TEXT;
}

static int parse_days(struct app *app, const char *text, int64_t *days)
{
	*days = DAYS_DEFAULT;
	if (text && units_parse_whole(text, 1, DAYS_MAX, days))
		return app_fail(app, "--days %s: not a number from 1 to %d", text, DAYS_MAX);
	return 0;
}

/* The question's SQL for what was asked; of the heap, NULL with app->error. */
static char *fill_question(struct app *app, const struct options *opt,
			   const struct question *question)
{
	char days[32], limit[32], *a = NULL, *b = NULL, *sql = NULL;
	int64_t n;

	if (parse_days(app, opt->extra[EXTRA_DAYS], &n))
		return NULL;
	snprintf(days, sizeof(days), "%" PRId64, n);
	n = opt->limit < 0 ? 10 : opt->limit;
	snprintf(limit, sizeof(limit), "%" PRId64, n && n < ROWS_MAX ? n : ROWS_MAX);

	a = quote_literal(opt->n_words > 1 ? opt->words[1] : "");
	b = quote_literal(opt->n_words > 2 ? opt->words[2] : "");
	if (a && b) {
		const char *const names[] = {"days", days, "limit", limit, "a", a, "b", b, NULL};

		sql = fill_in(question->sql, names);
	}
	free(a);
	free(b);
	if (!sql)
		app_fail(app, "out of memory");
	return sql;
}

static void put_cell(struct out *out, const struct out_column *column, const char *text)
{
	if (!text || (column->type != OUT_TEXT && !strcmp(text, "nan")))
		out_none(out);
	else if (column->type == OUT_TEXT)
		out_text(out, text);
	else if (column->type == OUT_SHARE)
		out_real(out, strtod(text, NULL));
	else if (column->type == OUT_NS)
		out_int(out, (int64_t)fmax(fmin(strtod(text, NULL), 9e18), -9e18));
	else
		out_int(out, strtoll(text, NULL, 10));
}

static void put_answer(struct out *out, const struct question *question,
		       const struct answer *answer)
{
	out_table(out, "rows", question->column, (int)question->columns);
	for (size_t i = 0; i < answer->rows * answer->columns; i++)
		put_cell(out, &question->column[i % answer->columns], answer->text[i]);
	out_table_end(out);
}

static int put_kernels(struct app *app, struct out *out, const struct options *opt,
		       const struct answer *answer)
{
	size_t limit = opt->limit > 0 ? (size_t)opt->limit : SIZE_MAX;
	struct kernels kernels;
	int rc = kernels_compare(app, answer, &kernels);

	if (!rc && (!kernels.runs[0] || !kernels.runs[1]))
		rc = app_fail(
			app,
			"kernels: no run of %s in the last %s days (analyzer fleet runs --days N lists more)",
			opt->words[kernels.runs[0] ? 2 : 1], days_of(opt));
	if (!rc) {
		out_table(out, "rows", kernels_columns, COUNT(kernels_columns));
		for (size_t i = 0; i < kernels.changes && i < limit; i++) {
			const struct kernel_change *change = &kernels.change[i];

			out_text(out, change->reason);
			out_int(out, (int64_t)fmin(change->exits[0], 9e18));
			out_int(out, (int64_t)fmin(change->exits[1], 9e18));
			out_real(out, change->rate[0]);
			out_real(out, change->rate[1]);
			out_text(out, change->word ? change->word : "-");
			out_real(out, change->p);
		}
		out_table_end(out);
		out_note(
			out,
			"A: %zu runs of %s; B: %zu runs of %s. Of the differences that have a name chance makes at most 1 in 20.",
			kernels.runs[0], opt->words[1], kernels.runs[1], opt->words[2]);
		if (kernels.lost[0] > 0 || kernels.lost[1] > 0)
			out_note(
				out,
				"%.3g %% of A's exits and %.3g %% of B's have no record: \"lost\" where these could be the difference.",
				100 * kernels_lost_share(&kernels, 0),
				100 * kernels_lost_share(&kernels, 1));
		if (kernels.runs[0] < BATCHES_MIN || kernels.runs[1] < BATCHES_MIN)
			out_note(out, "Fewer than %d runs of a kernel: too few to tell.",
				 BATCHES_MIN);
	}
	kernels_free(&kernels);
	return rc;
}

/* After a question that was refused: most often the server has none of our tables. */
static int explain_refusal(struct app *app, struct server *server)
{
	char refusal[sizeof(app->error)];
	bool has_tables = true;

	memcpy(refusal, app->error, sizeof(refusal));

	if (ask_whether(server, clickhouse_has_fleet, &has_tables) || has_tables) {
		memcpy(app->error, refusal, sizeof(refusal));
		return -1;
	}
	return app_fail(
		app,
		"%s: it has no tables of exitscope (make them with analyzer push --to %s --create)",
		server->url, server->url);
}

/* How many servers there are, and how many of them answer. */
struct servers {
	uint64_t present;
	uint64_t expected;
};

static int count_servers(struct app *app, struct server *server, struct servers *servers)
{
	struct answer answer;
	int rc = ask(server, clickhouse_ask_servers, 2, 1, &answer);

	if (rc)
		rc = explain_refusal(app, server);
	else if (answer.rows != 1 || !answer.text[0] || !answer.text[1])
		rc = server_fail_form(server, answer.rows ? "not the number of servers" : "");
	if (!rc)
		*servers = (struct servers){strtoull(answer.text[0], NULL, 10),
					    strtoull(answer.text[1], NULL, 10)};
	answer_free(&answer);
	return rc;
}

/*
 * Asks, and before and after it how many servers answer: one that goes away in between may be
 * missing in the answer or not. Sets *@servers to the fewer.
 */
static int ask_all(struct app *app, struct server *server, const struct question *question,
		   const char *sql, struct answer *answer, struct servers *servers)
{
	size_t most = question->column ? ROWS_MAX : KERNELS_ROWS_MAX;
	struct servers before = {0};

	*answer = (struct answer){.text = NULL};
	if (count_servers(app, server, &before) ||
	    ask(server, sql, question->columns, most, answer) ||
	    count_servers(app, server, servers))
		return -1;
	if (before.present < servers->present)
		servers->present = before.present;
	return 0;
}

/* Says how much of what the guests did no figure has. */
static int note_coverage(struct server *server, struct out *out, const char *days)
{
	const char *const names[] = {"days", days, NULL};
	char *sql = fill_in(clickhouse_ask_coverage, names);
	struct answer answer = {.text = NULL};
	double exits, lost;
	int rc;

	if (!sql)
		return app_fail(server->app, "out of memory");
	rc = ask(server, sql, 2, 1, &answer);
	free(sql);
	if (!rc && answer.rows && answer.text[0] && answer.text[1]) {
		exits = strtod(answer.text[0], NULL);
		lost = strtod(answer.text[1], NULL);
		if (lost > 0 && exits >= lost)
			out_note(
				out,
				"%.3g %% of the exits of these runs have no record (dropped, filtered or unseen): they are in no figure here.",
				100 * lost / exits);
	}
	answer_free(&answer);
	return rc;
}

/* Says when servers are missing in the answer. */
static void note_servers(struct app *app, struct out *out, const struct servers *servers)
{
	if (servers->present == servers->expected)
		return;
	out_note(out,
		 "Only %" PRIu64 " of %" PRIu64
		 " servers have answered: the runs of the others are missing.",
		 servers->present, servers->expected);
	app->status = 1;
}

/* Old recordings, imports above all, are the usual cause of a table without rows. */
static void note_nothing(struct out *out, const struct options *opt,
			 const struct question *question)
{
	if (question->column == changed_columns)
		out_note(
			out,
			"Nothing: only hosts with runs in the last %s days and in as many before count (--days N).",
			days_of(opt));
	else
		out_note(
			out,
			"Nothing: only runs that began in the last %s days count (--days N asks further back).",
			days_of(opt));
}

static int answer_question(struct app *app, const struct options *opt, struct server *server,
			   const struct question *question, const char *sql)
{
	struct servers servers = {0};
	struct answer answer;
	struct out out;
	int rc;

	out_begin(&out, &opt->style, 0);
	rc = ask_all(app, server, question, sql, &answer, &servers);
	if (!rc) {
		note_servers(app, &out, &servers);
		if (question->column)
			put_answer(&out, question, &answer);
		else
			rc = put_kernels(app, &out, opt, &answer);
		if (!rc && !answer.rows)
			note_nothing(&out, opt, question);
		/* kernels says it of each side, runs of each run. */
		else if (!rc && question->column && question->column != runs_columns)
			rc = note_coverage(server, &out, days_of(opt));
	}
	answer_free(&answer);
	return out_end(&out, app, rc) || rc ? -1 : 0;
}

static int fleet(struct app *app, const struct options *opt)
{
	const struct server_options options = {.login = opt->extra[EXTRA_LOGIN],
					       .ca = opt->extra[EXTRA_CA],
					       .cert = opt->extra[EXTRA_CERT]};
	const char *url = opt->extra[EXTRA_FROM];
	const struct question *question;
	struct server server;
	char *sql;
	int i, rc;

	i = choice_parse(app, "fleet", opt->n_words ? opt->words[0] : "top-exits", question_names);
	if (i < 0)
		return -1;
	question = &questions[i];
	if (!url)
		return app_fail(app, "fleet: name a server with --from (analyzer fleet --help)");
	if (opt->n_words != (question->column ? opt->n_words > 0 : 3))
		return app_fail(app, "fleet %s: %s", question->name,
				question->column ? "takes no more words"
						 : "name two kernels, such as 6.6 6.8");

	sql = fill_question(app, opt, question);
	if (!sql)
		return -1;
	rc = server_open(&server, app, &options, url, strlen(url));
	if (!rc)
		rc = answer_question(app, opt, &server, question, sql);
	server_close(&server);
	free(sql);
	return rc;
}

const struct cmd cmd_fleet = {
	.name = "fleet",
	.summary = "ask a ClickHouse server about the runs of many hosts",
	.usage = "[QUESTION] --from URL [OPTION...]",
	.help = help_fleet,
	.options = OPT_NO_TIME | OPT_LIMIT | OPT_NO_DB,
	.limit = "10",
	.words = 3,
	.extra = extra,
	.run = fleet,
};
