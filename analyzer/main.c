// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer - show what a recording of VM exits holds
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/args.h"
#include "analyzer/commands/commands.h"
#include "analyzer/query/db.h"
#include "base/clean.h"
#include "base/file_limit.h"
#include "base/output.h"
#include "exitscope_version.h"

/* clang-format off */
static const struct cmd *const cmds[] = {
	&cmd_findings,
	&cmd_explain,
	&cmd_states,
	&cmd_top_exits,
	&cmd_latency,
	&cmd_histogram,
	&cmd_timeline,
	&cmd_list,
	&cmd_slowest,
	&cmd_sequences,
	&cmd_ipi,
	&cmd_compare,
	&cmd_baseline,
	&cmd_symbols,
	&cmd_runs,
	&cmd_sql,
	&cmd_report,
	&cmd_export,
	&cmd_compact,
	&cmd_expand,
	&cmd_push,
	&cmd_fleet,
	&cmd_verify,
	&cmd_live,
	&cmd_vmx_caps,
	NULL,
};
/* clang-format on */

/* help/analyzer.txt has a line @COMMANDS@ where they are listed. */
static void print_usage(void)
{
	static const char mark[] = "@COMMANDS@\n";
	const char *list = strstr(help_analyzer, mark);

	printf("%.*s", (int)(list - help_analyzer), help_analyzer);
	for (int i = 0; cmds[i]; i++)
		printf("  %-12s %s\n", cmds[i]->name, cmds[i]->summary);
	fputs(list + strlen(mark), stdout);
}

static void print_command_usage(const struct cmd *cmd)
{
	printf("usage: analyzer %s%s%s%s\n\n%s\nOptions:\n",
	       cmd->options & OPT_NO_DB ? "" : "[--db FILE] ", cmd->name, *cmd->usage ? " " : "",
	       cmd->usage, cmd->help);
	args_print_options(stdout, cmd);
}

static int run_command(struct app *app, const struct options *opt, const struct cmd *cmd)
{
	int rc = 0;

	if (!(cmd->options & (OPT_OWN_DB | OPT_NO_DB)))
		rc = db_open(app, app->path, &app->db);
	if (!rc)
		rc = cmd->run(app, opt);
	run_close(&app->run);
	sqlite3_close(app->db);
	free(app->damaged);
	return rc;
}

/* One line, also where a damaged file or an argument brought others into the text. */
static void print_error(char *text)
{
	fprintf(stderr, "analyzer: %s%s\n", clean_text(text),
		file_limit_was_hit() ? FILE_LIMIT_HINT : "");
}

/* What was printed lacks exits. */
static void print_damage(struct app *app)
{
	char text[sizeof(app->error)];

	snprintf(text, sizeof(text), "%s: %zu damaged chunks: their %lld exits are left out",
		 app->path, app->n_damaged, (long long)app->damaged_exits);
	fflush(stdout);
	print_error(text);
	app->status = 1;
}

/* All output has to have arrived. @rc < 0: app->error says why. Returns the exit status. */
static int end_output(struct app *app, int rc)
{
	int flushed = output_flush(stdout);

	if (rc >= 0 && flushed)
		rc = app_fail(app, "standard output: %s", strerror(-flushed));
	if (rc >= 0)
		return app->status;

	print_error(app->error);
	return 1;
}

int main(int argc, char **argv)
{
	struct app app = {0};
	struct options opt;
	const struct cmd *cmd;
	int rc;

	file_limit_watch();
	if (argc < 2) {
		print_usage();
		return end_output(&app, 0);
	}

	rc = args_parse(&app, &opt, cmds, argc, argv, &cmd);
	if (rc == ARGS_HELP && cmd)
		print_command_usage(cmd);
	else if (rc == ARGS_HELP)
		print_usage();
	else if (rc == ARGS_VERSION)
		puts("analyzer " EXITSCOPE_VERSION);
	else if (!rc)
		rc = run_command(&app, &opt, cmd);

	if (app.n_damaged)
		print_damage(&app);
	args_free(&opt);
	return end_output(&app, rc);
}
