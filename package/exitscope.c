// SPDX-License-Identifier: GPL-2.0-only
/*
 * exitscope.c - one program for all of exitscope: exitscope COMMAND starts the part that has it
 *
 * The parts, collector and analyzer, have names that other packages may claim too. Where
 * exitscope is installed they are not in the PATH but in PREFIX/libexec/exitscope, next to
 * PREFIX/bin with this program. A part takes over the process: its exit status, the signals that
 * it gets and its terminal are those of exitscope.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/query/near.h"
#include "base/output.h"
#include "exitscope_version.h"
#include "package/commands.h"
#include "package/help.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* What collector does. @word: what it takes first; NULL: nothing. */
static const struct collector_command {
	const char *name;
	const char *word;
	const char *summary;
} collector_commands[] = {
	{"record", NULL, "record the VM exits of this host's guests into a database"},
	{"import", "import", "read a recording of perf or trace-cmd into a database"},
	{"check-host", "--check-host", "what this host has and lacks to record VM exits"},
};

/* struct line - the command line up to the command's own words */
struct line {
	bool help;    /* --help, also as the first word after the command; or the command help */
	bool version; /* --version */
	bool folder;  /* --exec-path */
	char *db;     /* --db; NULL: not given */
	char *name;   /* the command; NULL: none */
	char **rest;  /* the words after it */
};

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "exitscope: %s: %s\n", what, why);
	return 1;
}

/* All that was printed has to have arrived. Returns the exit status. */
static int end_output(void)
{
	int rc = output_flush(stdout);

	return rc ? fail("standard output", strerror(-rc)) : 0;
}

static void print_help(void)
{
	fputs(exitscope_help_head, stdout);
	for (size_t i = 0; i < COUNT(collector_commands); i++)
		printf("  %-12s %s\n", collector_commands[i].name, collector_commands[i].summary);

	fputs(exitscope_help_analyzer, stdout);
	for (size_t i = 0; i < COUNT(analyzer_commands); i++)
		printf("  %-12s %s\n", analyzer_commands[i].name, analyzer_commands[i].summary);
	fputs(exitscope_help_tail, stdout);
}

/* The path of a part, or of their folder for "", in @path. Returns 0 or -errno. */
static int find_part(const char *part, char path[PATH_MAX])
{
	char self[PATH_MAX], *slash;
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (length < 0)
		return -errno;
	self[length] = '\0';

	/* PREFIX/bin/exitscope: two components are taken off. */
	for (int i = 0; i < 2; i++) {
		slash = strrchr(self, '/');
		if (!slash)
			return -ENOENT;
		*slash = '\0';
	}

	if (snprintf(path, PATH_MAX, "%s/libexec/exitscope%s%s", self, *part ? "/" : "", part) >=
	    PATH_MAX)
		return -ENAMETOOLONG;
	return 0;
}

/* Becomes the part. Returns only on a failure: the exit status. */
static int start_part(const char *part, char *words[])
{
	char path[PATH_MAX], why[256];
	int rc = find_part(part, path);

	if (rc)
		return fail(part, strerror(-rc));
	execv(path, words);
	snprintf(why, sizeof(why), "%s (install the package exitscope again)", strerror(errno));
	return fail(path, why);
}

static const struct collector_command *find_collector_command(const char *name)
{
	for (size_t i = 0; i < COUNT(collector_commands); i++)
		if (!strcmp(collector_commands[i].name, name))
			return &collector_commands[i];
	return NULL;
}

static const struct analyzer_command *find_analyzer_command(const char *name)
{
	for (size_t i = 0; i < COUNT(analyzer_commands); i++)
		if (!strcmp(analyzer_commands[i].name, name))
			return &analyzer_commands[i];
	return NULL;
}

static int unknown_command(const char *name)
{
	const char *near = NULL;
	unsigned int best = NEAR_NONE;
	char why[256];

	near_best(name, "help", &near, &best);
	for (size_t i = 0; i < COUNT(collector_commands); i++)
		near_best(name, collector_commands[i].name, &near, &best);
	for (size_t i = 0; i < COUNT(analyzer_commands); i++)
		near_best(name, analyzer_commands[i].name, &near, &best);

	if (!near)
		return fail(name, "no such command (exitscope --help)");
	snprintf(why, sizeof(why), "no such command (did you mean %s? exitscope --help)", near);
	return fail(name, why);
}

/*
 * Writes what the part gets to @word: its own name for the command, if it has one, then the line's
 * words with --db. @recorder: the collector's command; NULL: one of the analyzer's.
 */
static void add_words(const struct line *line, const struct collector_command *recorder,
		      char **word)
{
	const char *name = recorder ? recorder->word : line->name;
	char **rest = line->rest;

	if (name)
		*word++ = (char *)name;
	/* import's file has to be the next word. */
	if (recorder && name && *rest)
		*word++ = *rest++;
	if (line->db) {
		*word++ = "--db";
		*word++ = line->db;
	}
	while (*rest)
		*word++ = *rest++;
	*word = NULL;
}

/* Prints help or starts the command's part. @words: room for all of the line and five more. */
static int run_command(const struct line *line, char *words[])
{
	const struct collector_command *recorder = find_collector_command(line->name);
	const struct analyzer_command *question = find_analyzer_command(line->name);

	if (!recorder && !question)
		return unknown_command(line->name);
	if (line->help) {
		fputs(recorder ? collector_help : question->help, stdout);
		return end_output();
	}

	words[0] = recorder ? "collector" : "analyzer";
	add_words(line, recorder, words + 1);
	return start_part(words[0], words);
}

static bool is_help(const char *word)
{
	return word && (!strcmp(word, "-h") || !strcmp(word, "--help"));
}

/* Reads options up to the command. Returns 0 or the exit status of an error. */
static int parse(struct line *line, char **words)
{
	*line = (struct line){0};

	for (; *words && **words == '-'; words++) {
		if (is_help(*words))
			line->help = true;
		else if (!strcmp(*words, "--version"))
			line->version = true;
		else if (!strcmp(*words, "--exec-path"))
			line->folder = true;
		else if (!strncmp(*words, "--db=", strlen("--db=")))
			line->db = *words + strlen("--db=");
		else if (strcmp(*words, "--db"))
			return fail(*words, "unknown option (exitscope --help)");
		else if (words[1])
			line->db = *++words;
		else
			return fail(*words, "needs a value (exitscope --help)");
	}
	if (*words && !strcmp(*words, "help")) {
		line->help = true;
		words++;
		/* The help of help is that of all. */
		if (*words && (is_help(*words) || !strcmp(*words, "help")))
			words++;
	}

	line->name = *words;
	line->rest = *words ? words + 1 : words;
	if (is_help(*line->rest))
		line->help = true;
	return 0;
}

static int run(const struct line *line, int argc)
{
	char path[PATH_MAX];
	char **words;
	int rc;

	if (line->version) {
		puts("exitscope " EXITSCOPE_VERSION);
	} else if (line->folder) {
		rc = find_part("", path);
		if (rc)
			return fail("--exec-path", strerror(-rc));
		puts(path);
	} else if (line->name) {
		words = calloc((size_t)argc + 5, sizeof(*words));
		if (!words)
			return fail(line->name, "out of memory");
		rc = run_command(line, words);
		free(words);
		return rc;
	} else if (line->db && !line->help) {
		return fail("--db", "without a command (exitscope --help)");
	} else {
		print_help();
	}
	return end_output();
}

int main(int argc, char **argv)
{
	struct line line;
	int rc;

	if (!argc)
		return 1;
	rc = parse(&line, argv + 1);
	return rc ? rc : run(&line, argc);
}
