// SPDX-License-Identifier: GPL-2.0-only
/*
 * args.c - the command line; see args.h
 */
#include "analyzer/args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/choice.h"
#include "analyzer/output/units.h"

static int set_format(struct app *app, const char *value)
{
	static const char *const names[] = {"table", "csv", "json", NULL};
	int i = choice_parse(app, "--format", value, names);

	app->opt.format = (enum out_format)i;
	return i < 0 ? -1 : 0;
}

static int set_time(struct app *app, const char *option, const char *value, int64_t *ns)
{
	return units_parse_ns(value, ns)
		       ? app_fail(app, "%s %s: not a time (such as 10s, 1.5ms, 200us)", option,
				  value)
		       : 0;
}

static int set_from(struct app *app, const char *value)
{
	return set_time(app, "--from", value, &app->opt.from_ns);
}

static int set_to(struct app *app, const char *value)
{
	return set_time(app, "--to", value, &app->opt.to_ns);
}

static int set_limit(struct app *app, const char *value)
{
	char *end;

	errno = 0;
	app->opt.limit = strtoll(value, &end, 10);
	if (errno || end == value || *end || app->opt.limit < 0)
		return app_fail(app, "--limit %s: not a number (0: no limit)", value);
	return 0;
}

static int set_reason(struct app *app, const char *value)
{
	char *list = strdup(value), *save = NULL;

	if (!list)
		return app_fail(app, "out of memory");
	for (char *word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		if (app->opt.reasons == REASONS_MAX) {
			free(list);
			return app_fail(app, "--reason: more than %d reasons", REASONS_MAX);
		}
		app->opt.reason[app->opt.reasons] = strdup(word);
		if (!app->opt.reason[app->opt.reasons++]) {
			free(list);
			return app_fail(app, "out of memory");
		}
	}
	free(list);
	return 0;
}

static int set_string(const char **to, const char *value)
{
	*to = value;
	return 0;
}

#define SETTER(field)                                                                              \
	static int set_##field(struct app *app, const char *value)                                 \
	{                                                                                          \
		return set_string(&app->opt.field, value);                                         \
	}
SETTER(db)
SETTER(run)
SETTER(vm)
SETTER(vcpu)
SETTER(sort)
SETTER(by)
SETTER(output)

static int set_cycles(struct app *app, const char *value)
{
	(void)value;
	app->opt.cycles = true;
	return 0;
}

static int set_exact(struct app *app, const char *value)
{
	(void)value;
	app->opt.exact = true;
	return 0;
}

/*
 * @mask: commands that take it; 0: all
 * @value: what the help calls its value; NULL: it has none
 */
static const struct option_row {
	const char *name;
	unsigned int mask;
	const char *value;
	const char *help;
	int (*set)(struct app *app, const char *value);
} option_rows[] = {
	{"db", 0, "FILE", "the database (default: run.sqlite)", set_db},
	{"run", OPT_FILTER | OPT_RUN, "RUN", "a run's number or label (default: the last)",
	 set_run},
	{"vm", OPT_FILTER, "VM", "one VM: its number or the process id of its VMM", set_vm},
	{"vcpu", OPT_FILTER, "N", "the vCPU with this id", set_vcpu},
	{"reason", OPT_FILTER, "R[,R...]", "exit reasons, by number or name", set_reason},
	{"from", OPT_FILTER, "TIME", "from this time of the run on: 10s, 1.5ms, 200us", set_from},
	{"to", OPT_FILTER, "TIME", "up to this time of the run", set_to},
	{"by", OPT_BY, "KEY", "what to group by", set_by},
	{"sort", OPT_SORT, "KEY", "what to sort by", set_sort},
	{"limit", OPT_LIMIT, "N", "at most N rows; 0: all", set_limit},
	{"exact", OPT_EXACT, NULL, "read every exit, not the roll-ups", set_exact},
	{"format", OPT_FORMAT, "F", "table, csv or json", set_format},
	{"cycles", OPT_FORMAT | OPT_CYCLES, NULL, "times in TSC cycles", set_cycles},
	{"output", OPT_OUTPUT, "FILE", "write to this file", set_output},
};

#define N_OPTIONS (sizeof(option_rows) / sizeof(option_rows[0]))

static bool takes(const struct cmd *cmd, const struct option_row *row)
{
	return !row->mask || (cmd && (cmd->options & row->mask));
}

/* Set an option of the command's own; 1: it has none of this name. */
static int set_extra(struct app *app, const struct cmd *cmd, const char *name, const char *value,
		     bool *used)
{
	for (int i = 0; cmd && cmd->extra && cmd->extra[i].name; i++) {
		if (strcmp(cmd->extra[i].name, name))
			continue;
		if (cmd->extra[i].has_value && !value)
			return app_fail(app, "--%s: needs a value", name);
		app->opt.extra[i] = cmd->extra[i].has_value ? value : "";
		*used = cmd->extra[i].has_value;
		return 0;
	}
	return 1;
}

/*
 * One option. @next: the word behind it, taken as its value (*used) where it
 * needs one and has none behind a '='.
 */
static int set_option(struct app *app, const struct cmd *cmd, const char *word, const char *next,
		      bool *used)
{
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	const char *value = equals ? equals + 1 : next;
	char name[32];
	int rc;

	snprintf(name, sizeof(name), "%.*s", (int)length, word);
	for (size_t i = 0; i < N_OPTIONS; i++) {
		if (strcmp(option_rows[i].name, name) || !takes(cmd, &option_rows[i]))
			continue;
		if (!option_rows[i].value && equals)
			return app_fail(app, "--%s: takes no value", name);
		if (option_rows[i].value && !value)
			return app_fail(app, "--%s: needs a value", name);
		*used = option_rows[i].value && !equals;
		return option_rows[i].set(app, value);
	}
	rc = set_extra(app, cmd, name, value, used);
	if (equals)
		*used = false;
	if (rc > 0)
		return cmd ? app_fail(app, "unknown option --%s (analyzer %s --help lists them)",
				      name, cmd->name)
			   : app_fail(app,
				      "unknown option --%s (analyzer --help shows the commands)",
				      name);
	return rc;
}

static const struct cmd *find_cmd(const struct cmd *const *cmds, const char *name)
{
	for (int i = 0; cmds[i]; i++)
		if (!strcmp(cmds[i]->name, name))
			return cmds[i];
	return NULL;
}

/* The command's name is the first word; options may stand before it. */
static int find_command(struct app *app, const struct cmd *const *cmds, int argc, char **argv,
			const struct cmd **cmd)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--db"))
			i++;
		else if (argv[i][0] != '-') {
			*cmd = find_cmd(cmds, argv[i]);
			if (!*cmd)
				return app_fail(app,
						"%s: no such command (analyzer --help shows them)",
						argv[i]);
			return i;
		}
	}
	return 0;
}

static int take_word(struct app *app, const struct cmd *cmd, char *word)
{
	if (app->opt.n_words == cmd->words)
		return app_fail(app, "%s: too many words (analyzer %s --help)", word, cmd->name);
	app->opt.words[app->opt.n_words++] = word;
	return 0;
}

int args_parse(struct app *app, const struct cmd *const *cmds, int argc, char **argv,
	       const struct cmd **cmd)
{
	int at, rc = 0;
	bool options = true;

	*cmd = NULL;
	app->opt = (struct options){.db = "run.sqlite", .from_ns = -1, .to_ns = -1, .limit = -1};
	app->opt.words = calloc((size_t)argc + 1, sizeof(*app->opt.words));
	if (!app->opt.words)
		return app_fail(app, "out of memory");
	at = find_command(app, cmds, argc, argv, cmd);
	if (at < 0)
		return -1;
	for (int i = 1; i < argc && !rc; i++) {
		bool used = false;

		if (i == at)
			continue;
		if (options && (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")))
			return ARGS_HELP;
		if (options && !strcmp(argv[i], "--version"))
			return ARGS_VERSION;
		if (options && !strcmp(argv[i], "--"))
			options = false;
		else if (options && !strncmp(argv[i], "--", 2))
			rc = set_option(app, *cmd, argv[i] + 2, i + 1 < argc ? argv[i + 1] : NULL,
					&used);
		else if (options && argv[i][0] == '-' && argv[i][1])
			rc = app_fail(app, "unknown option %s", argv[i]);
		else
			rc = take_word(app, *cmd, argv[i]);
		i += used;
	}
	if (!rc && !*cmd)
		return app_fail(app, "no command (analyzer --help shows them)");
	return rc;
}

void args_print_options(FILE *file, const struct cmd *cmd)
{
	char left[64];

	for (size_t i = 0; i < N_OPTIONS; i++) {
		if (!takes(cmd, &option_rows[i]))
			continue;
		snprintf(left, sizeof(left), "--%s %s", option_rows[i].name,
			 option_rows[i].value ? option_rows[i].value : "");
		fprintf(file, "  %-20s %s\n", left, option_rows[i].help);
	}
	for (int i = 0; cmd->extra && cmd->extra[i].name; i++) {
		snprintf(left, sizeof(left), "--%s%s", cmd->extra[i].name,
			 cmd->extra[i].has_value ? " VALUE" : "");
		fprintf(file, "  %-20s %s\n", left, cmd->extra[i].help);
	}
}

const char *args_option_name(const struct cmd *cmd, unsigned int index)
{
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (takes(cmd, &option_rows[i]) && !index--)
			return option_rows[i].name;
	for (int i = 0; cmd->extra && cmd->extra[i].name; i++)
		if (!index--)
			return cmd->extra[i].name;
	return NULL;
}

void args_free(struct app *app)
{
	for (unsigned int i = 0; i < app->opt.reasons; i++)
		free(app->opt.reason[i]);
	free(app->opt.words);
}
