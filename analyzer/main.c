// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer - show what a recording of VM exits holds
 */
#include <stdio.h>
#include <string.h>

#include "analyzer/args.h"
#include "analyzer/commands/commands.h"
#include "analyzer/query/db.h"
#include "exitscope_version.h"

/* clang-format off */
static const struct cmd *const cmds[] = {
	&cmd_top_exits,
	&cmd_latency,
	&cmd_histogram,
	&cmd_timeline,
	&cmd_slowest,
	&cmd_sequences,
	&cmd_compare,
	&cmd_symbols,
	&cmd_runs,
	&cmd_sql,
	&cmd_report,
	&cmd_export,
	&cmd_verify,
	&cmd_live,
	&cmd_vmx_caps,
	NULL,
};
/* clang-format on */

static void print_usage(void)
{
	puts("usage: analyzer [--db FILE] COMMAND [OPTION...]\n"
	     "\n"
	     "Shows why and for how long virtual machines left guest mode, from a database\n"
	     "that the collector recorded (run.sqlite in this folder unless --db names it).\n");
	for (int i = 0; cmds[i]; i++)
		printf("  %-12s %s\n", cmds[i]->name, cmds[i]->summary);
	puts("\n"
	     "analyzer COMMAND --help tells a command's options, with examples.\n"
	     "\n"
	     "Examples:\n"
	     "  analyzer top-exits\n"
	     "  analyzer --db boot.sqlite top-exits --sort time --limit 5\n"
	     "  analyzer top-exits --format json");
}

static void print_command_usage(const struct cmd *cmd)
{
	printf("usage: analyzer [--db FILE] %s%s%s\n\n%s\n\nOptions:\n", cmd->name,
	       *cmd->usage ? " " : "", cmd->usage, cmd->help);
	args_print_options(stdout, cmd);
}

static int run_command(struct app *app, const struct cmd *cmd)
{
	int rc = 0;

	if (!(cmd->options & OPT_OWN_DB))
		rc = db_open(app, app->opt.db, &app->db);
	if (!rc)
		rc = cmd->run(app);
	run_close(&app->run);
	sqlite3_close(app->db);
	return rc;
}

/* One line, whatever a damaged file or an argument brought into the text. */
static void print_error(char *text)
{
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	fprintf(stderr, "analyzer: %s\n", text);
}

int main(int argc, char **argv)
{
	struct app app = {0};
	const struct cmd *cmd;
	int rc;

	if (argc < 2) {
		print_usage();
		return 0;
	}
	rc = args_parse(&app, cmds, argc, argv, &cmd);
	if (rc == ARGS_HELP && cmd)
		print_command_usage(cmd);
	else if (rc == ARGS_HELP)
		print_usage();
	else if (rc == ARGS_VERSION)
		puts("analyzer " EXITSCOPE_VERSION);
	else if (!rc)
		rc = run_command(&app, cmd);
	args_free(&app);
	if (rc >= 0)
		return 0;
	fflush(stdout);
	print_error(app.error);
	return 1;
}
