// SPDX-License-Identifier: GPL-2.0-only
/*
 * args.c - the command line; see args.h
 */
#include "analyzer/args.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/options/choice.h"
#include "analyzer/query/near.h"
#include "base/units.h"

/* What an option sets: of the filter, or of the command's own options. */
struct target {
	struct app *app;
	struct options *opt;
	bool *given; /* of each of option_rows */
};

static int set_format(struct target *to, const char *value)
{
	static const char *const names[] = {"table", "csv", "json", NULL};
	int i = choice_parse(to->app, "--format", value, names);

	to->opt->style.format = (enum out_format)i;
	return i < 0 ? -1 : 0;
}

static int set_time(struct app *app, const char *option, const char *value, int64_t *ns)
{
	if (units_parse_ns(value, ns))
		return app_fail(app, "%s %s: not a time (examples: 10s, 1.5ms, 200us, 2h)", option,
				value);
	return 0;
}

static int set_from(struct target *to, const char *value)
{
	return set_time(to->app, "--from", value, &to->app->filter.from_ns);
}

static int set_to(struct target *to, const char *value)
{
	return set_time(to->app, "--to", value, &to->app->filter.to_ns);
}

static int set_limit(struct target *to, const char *value)
{
	if (units_parse_whole(value, 0, INT64_MAX, &to->opt->limit))
		return app_fail(to->app, "--limit %s: not a whole number from 0 on (0: no limit)",
				value);
	return 0;
}

#define SETTER(name, field)                                                                        \
	static int set_##name(struct target *to, const char *value)                                \
	{                                                                                          \
		to->field = value;                                                                 \
		return 0;                                                                          \
	}
SETTER(db, app->path)
SETTER(run, app->filter.run)
SETTER(vm, app->filter.vm)
SETTER(vcpu, app->filter.vcpu)
SETTER(reason, app->filter.reason)
SETTER(sort, opt->sort)
SETTER(by, opt->by)
SETTER(output, opt->output)
SETTER(columns, opt->style.columns)

static int set_cycles(struct target *to, const char *value)
{
	(void)value;
	to->opt->style.cycles = true;
	return 0;
}

static int set_exact(struct target *to, const char *value)
{
	(void)value;
	to->opt->exact = true;
	return 0;
}

/*
 * @mask: commands that take it; 0: all but those with OPT_NO_DB
 * @value: what the help calls its value; NULL: it has none
 * @help: %s is the command's default
 */
static const struct option_row {
	const char *name;
	unsigned int mask;
	const char *value;
	const char *help;
	int (*set)(struct target *to, const char *value);
} option_rows[] = {
	{"db", 0, "FILE", "the database (default: run.sqlite)", set_db},
	{"run", OPT_FILTER | OPT_RUN, "RUN", "a run's number or label (default: the last)",
	 set_run},
	{"vm", OPT_FILTER | OPT_WHO | OPT_VCPU, "VM[,VM...]",
	 "VMs: names, patterns, numbers or process ids of their VMMs, such as web-*,1,3-5", set_vm},
	{"vcpu", OPT_FILTER | OPT_WHO | OPT_VCPU, "N[,N...]", "vCPUs with these ids, such as 0,2-5",
	 set_vcpu},
	{"reason", OPT_FILTER | OPT_WHO, "R[,R...]",
	 "exit reasons, by number or name; !R: all except R", set_reason},
	{"from", OPT_FILTER | OPT_RANGE, "TIME",
	 "from this time of the run on: 10s, 1.5ms, 200us; a bare number is seconds", set_from},
	{"to", OPT_FILTER | OPT_RANGE, "TIME", "up to this time of the run", set_to},
	{"by", OPT_BY, "KEY", "what to group by", set_by},
	{"sort", OPT_SORT, "KEY", "what to sort by", set_sort},
	{"limit", OPT_LIMIT, "N", "at most N rows; 0: all; default: %s", set_limit},
	{"exact", OPT_EXACT, NULL, "read every exit, not the roll-ups", set_exact},
	{"format", OPT_FORMAT | OPT_NO_TIME, "F", "table, csv or json", set_format},
	{"cycles", OPT_FORMAT | OPT_CYCLES, NULL, "times in TSC cycles", set_cycles},
	{"columns", OPT_FORMAT | OPT_COLUMNS | OPT_NO_TIME, "C[,C...]",
	 "columns to show, by their names in CSV", set_columns},
	{"output", OPT_OUTPUT, "FILE", "write to this file", set_output},
};

#define N_OPTIONS (sizeof(option_rows) / sizeof(option_rows[0]))

static bool takes(const struct cmd *cmd, const struct option_row *row)
{
	if (!row->mask)
		return !cmd || !(cmd->options & OPT_NO_DB);
	return cmd && (cmd->options & row->mask);
}

/*
 * Refuse or accept the value of option --@name. @value: of "--name=value", or the
 * next word; NULL: there is none.
 */
static int check_value(struct app *app, const struct cmd *cmd, const char *name, bool has_value,
		       bool equals, const char *value)
{
	const char *blank = cmd ? " " : "", *command = cmd ? cmd->name : "";

	if (!has_value && equals)
		return app_fail(app, "--%s: takes no value (analyzer%s%s --help)", name, blank,
				command);
	if (has_value && !value)
		return app_fail(app, "--%s: needs a value (analyzer%s%s --help)", name, blank,
				command);
	if (has_value && !*value)
		return app_fail(app, "--%s: the value is empty (leave the option out)", name);
	return 0;
}

/* The option of the command's own with this name; -1: none. */
static int find_extra(const struct cmd *cmd, const char *name)
{
	for (int i = 0; cmd && cmd->extra && cmd->extra[i].name; i++)
		if (!strcmp(cmd->extra[i].name, name))
			return i;
	return -1;
}

/* The option of @cmd (NULL: no command) with number @index; NULL past the last. */
static const char *args_option_name(const struct cmd *cmd, unsigned int index)
{
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (takes(cmd, &option_rows[i]) && !index--)
			return option_rows[i].name;
	for (int i = 0; cmd && cmd->extra && cmd->extra[i].name; i++)
		if (!index--)
			return cmd->extra[i].name;
	return NULL;
}

static int unknown_option(struct app *app, const struct cmd *cmd, const char *name)
{
	const char *near = NULL, *other;
	unsigned int best = NEAR_NONE;

	for (unsigned int i = 0; (other = args_option_name(cmd, i)); i++)
		near_best(name, other, &near, &best);
	if (near)
		return app_fail(app,
				"--%s: unknown option (did you mean --%s? analyzer%s%s --help)",
				name, near, cmd ? " " : "", cmd ? cmd->name : "");
	return app_fail(app, "--%s: unknown option (analyzer%s%s --help)", name, cmd ? " " : "",
			cmd ? cmd->name : "");
}

/* The last value of a filter would hide that the first was not obeyed. */
static int given_twice(struct app *app, const struct option_row *row)
{
	return app_fail(app, "--%s: given twice (%s)", row->name,
			strchr(row->value, ',') ? "write one list, with commas" : "name one");
}

/*
 * Set one option. @word: without dashes; @next: the following argument. Used as the
 * value if the option needs one and has no "=VALUE"; then *used is set.
 */
static int set_option(struct target *to, const struct cmd *cmd, const char *word, const char *next,
		      bool *used)
{
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	const char *value = equals ? equals + 1 : next;
	char name[32];
	int extra;

	snprintf(name, sizeof(name), "%.*s", (int)length, word);

	for (size_t i = 0; i < N_OPTIONS; i++) {
		const struct option_row *row = &option_rows[i];

		if (strcmp(row->name, name) || !takes(cmd, row))
			continue;
		if (check_value(to->app, cmd, name, row->value, equals, value))
			return -1;
		if (to->given[i] && (row->mask & (OPT_FILTER | OPT_COLUMNS)))
			return given_twice(to->app, row);
		to->given[i] = true;
		*used = row->value && !equals;
		return row->set(to, value);
	}

	extra = find_extra(cmd, name);
	if (extra < 0)
		return unknown_option(to->app, cmd, name);
	if (check_value(to->app, cmd, name, cmd->extra[extra].value, equals, value))
		return -1;
	to->opt->extra[extra] = cmd->extra[extra].value ? value : "";
	*used = cmd->extra[extra].value && !equals;
	return 0;
}

static int unknown_command(struct app *app, const struct cmd *const *cmds, const char *name)
{
	const char *near = NULL;
	unsigned int best = NEAR_NONE;

	for (int i = 0; cmds[i]; i++)
		near_best(name, cmds[i]->name, &near, &best);
	if (near)
		return app_fail(app, "%s: no such command (did you mean %s? analyzer --help)", name,
				near);
	return app_fail(app, "%s: no such command (analyzer --help)", name);
}

static const struct cmd *find_cmd(const struct cmd *const *cmds, const char *name)
{
	for (int i = 0; cmds[i]; i++)
		if (!strcmp(cmds[i]->name, name))
			return cmds[i];
	return NULL;
}

/* Whether @word is an option of analyzer or of a command whose value is the next word. */
static bool takes_next_word(const struct cmd *const *cmds, const char *word)
{
	int extra;

	if (strncmp(word, "--", 2))
		return false;
	word += 2;

	for (size_t i = 0; i < N_OPTIONS; i++)
		if (!strcmp(option_rows[i].name, word))
			return option_rows[i].value;
	for (; *cmds; cmds++) {
		extra = find_extra(*cmds, word);
		if (extra >= 0)
			return (*cmds)->extra[extra].value;
	}
	return false;
}

/* The command's name is the first word; options, with their values, may stand before it. */
static int find_command(struct app *app, const struct cmd *const *cmds, int argc, char **argv,
			const struct cmd **cmd)
{
	for (int i = 1; i < argc; i++) {
		if (takes_next_word(cmds, argv[i])) {
			i++;
		} else if (argv[i][0] != '-') {
			*cmd = find_cmd(cmds, argv[i]);
			return *cmd ? i : unknown_command(app, cmds, argv[i]);
		}
	}
	return 0;
}

static int add_word(struct target *to, const struct cmd *cmd, char *word)
{
	if (to->opt->n_words == cmd->words)
		return app_fail(to->app, "%s: too many words (analyzer %s --help)", word,
				cmd->name);
	to->opt->words[to->opt->n_words++] = word;
	return 0;
}

/* All words but the one at @command. */
static int parse_words(struct target *to, int command, int argc, char **argv, const struct cmd *cmd)
{
	bool options = true;

	for (int i = 1; i < argc; i++) {
		bool used = false;
		int rc = 0;

		if (i == command)
			continue;
		if (options && (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")))
			return ARGS_HELP;
		if (options && !strcmp(argv[i], "--version"))
			return ARGS_VERSION;

		if (options && !strcmp(argv[i], "--"))
			options = false;
		else if (options && !strncmp(argv[i], "--", 2))
			rc = set_option(to, cmd, argv[i] + 2, i + 1 < argc ? argv[i + 1] : NULL,
					&used);
		else if (options && argv[i][0] == '-' && argv[i][1])
			rc = app_fail(to->app, "%s: unknown option (analyzer%s%s --help)", argv[i],
				      cmd ? " " : "", cmd ? cmd->name : "");
		else
			rc = add_word(to, cmd, argv[i]);

		if (rc)
			return rc;
		i += used;
	}
	return 0;
}

int args_parse(struct app *app, struct options *opt, const struct cmd *const *cmds, int argc,
	       char **argv, const struct cmd **cmd)
{
	bool given[N_OPTIONS] = {false};
	struct target to = {app, opt, given};
	int command, rc;

	*cmd = NULL;
	app->path = "run.sqlite";
	app->filter = (struct filter){.from_ns = -1, .to_ns = -1};
	*opt = (struct options){.limit = -1};

	opt->words = calloc((size_t)argc + 1, sizeof(*opt->words));
	if (!opt->words)
		return app_fail(app, "out of memory");

	command = find_command(app, cmds, argc, argv, cmd);
	if (command < 0)
		return -1;
	rc = parse_words(&to, command, argc, argv, *cmd);
	if (!rc && !*cmd)
		return app_fail(app, "no command (analyzer --help)");
	return rc;
}

/* @limit: what stands for %s in @help */
static void print_option(FILE *file, const char *name, const char *value, const char *help,
			 const char *limit)
{
	const char *mark = strstr(help, "%s");
	char left[64];

	snprintf(left, sizeof(left), "--%s%s%s", name, value ? " " : "", value ? value : "");
	fprintf(file, "  %-20s ", left);
	if (mark)
		fprintf(file, "%.*s%s%s\n", (int)(mark - help), help, limit, mark + 2);
	else
		fprintf(file, "%s\n", help);
}

void args_print_options(FILE *file, const struct cmd *cmd)
{
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (takes(cmd, &option_rows[i]))
			print_option(file, option_rows[i].name, option_rows[i].value,
				     option_rows[i].help, cmd->limit ? cmd->limit : "all");
	for (int i = 0; cmd->extra && cmd->extra[i].name; i++)
		print_option(file, cmd->extra[i].name, cmd->extra[i].value, cmd->extra[i].help, "");
}

void args_free(struct options *opt)
{
	free(opt->words);
}
