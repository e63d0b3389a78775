/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * command.h - what a command is, and the command line that it is given
 */
#ifndef EXITSCOPE_ANALYZER_COMMANDS_OPTIONS_COMMAND_H
#define EXITSCOPE_ANALYZER_COMMANDS_OPTIONS_COMMAND_H

#include "analyzer/output/out.h"
#include "analyzer/query/app.h"

/* Shared options that a command takes (struct cmd.options). */
#define OPT_FILTER  0x001U  /* --run --vm --vcpu --reason --from --to */
#define OPT_FORMAT  0x002U  /* --format --cycles --columns */
#define OPT_SORT    0x004U  /* --sort */
#define OPT_BY	    0x008U  /* --by */
#define OPT_LIMIT   0x010U  /* --limit */
#define OPT_EXACT   0x020U  /* --exact */
#define OPT_OUTPUT  0x040U  /* --output */
#define OPT_RUN	    0x080U  /* --run alone */
#define OPT_CYCLES  0x100U  /* --cycles, without --format */
#define OPT_COLUMNS 0x400U  /* --columns, without --format */
#define OPT_WHO	    0x800U  /* --vm --vcpu --reason, without --from and --to */
#define OPT_VCPU    0x4000U /* --vm --vcpu alone */
#define OPT_RANGE   0x8000U /* --from --to alone */
#define OPT_OWN_DB  0x200U  /* the command opens --db itself, if it needs it */
#define OPT_NO_TIME 0x1000U /* --format --columns: nothing that it prints is a time */
#define OPT_NO_DB   0x2000U /* no --db: its words name the files, or it needs none */

/* An option that only this command has (struct cmd.extra). */
struct extra_option {
	const char *name;  /* without the dashes; NULL ends the list */
	const char *value; /* what help calls its value, such as FILE; NULL: it has none */
	const char *help;
};

#define EXTRA_MAX 16

/*
 * struct options - the command line, parsed, without what is in app->filter
 * @style: how to print
 * @limit: most rows; -1: not given, 0: all
 * @extra: values of struct cmd.extra, by index; NULL: not given, "" for a flag
 * @words: words that are not options
 */
struct options {
	struct out_style style;
	const char *sort;
	const char *by;
	int64_t limit;
	bool exact;
	const char *output;
	const char *extra[EXTRA_MAX];
	char **words;
	int n_words;
};

/* One command. @run prints through out.h; @options: OPT_*; @words: how many
 * words it takes at most; @limit: what --limit is where it is not given, NULL: all.
 */
struct cmd {
	const char *name;
	const char *summary;
	const char *usage; /* options and arguments of its own, one line */
	const char *help;  /* what it shows, and examples; help/NAME.txt */
	unsigned int options;
	const char *limit;
	int words;
	const struct extra_option *extra;
	int (*run)(struct app *app, const struct options *opt);
};

#endif
