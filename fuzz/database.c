// SPDX-License-Identifier: GPL-2.0-only
/*
 * database.c - fuzz target: a run database that somebody changed
 *
 * HOW IT WORKS
 * An input is a list of changes to a small database of the collector's: a byte for the kind, then
 * what it needs; names come from tables, so that most inputs change something that is there. Then
 * a command of the analyzer reads the file, or the store adds a run to it. That must end soon, with
 * an answer or an error of one line.
 *
 *	1 table column value when	UPDATE, of any type (STRICT and NOT NULL are taken out)
 *	2 table when			DELETE
 *	3 object			DROP
 *	4 object at length text		other bytes in a definition
 *	5 text				any SQL
 *	6 offset length bytes		other bytes in the file
 *	7 pragma number			user_version, application_id, ...
 *
 * The first two bytes choose the command and the length of the file.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/args.h"
#include "analyzer/commands/commands.h"
#include "analyzer/query/db.h"
#include "fuzz/input.h"
#include "fuzz/made_run.h"
#include "sql/store/store.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char template_path[64];
static char symbols_path[64];
static char path[64];

static const char *const tables[] = {
	"run",
	"vm",
	"vcpu",
	"exit",
	"exit_rollup",
	"loss",
	"crosscheck",
	"exit_reason",
	"exit_hist",
	"leaf_reading",
	"runs",
	"vmx_capability",
	"coverage",
	"exit_hist_total",
	"exit_hist_packed",
	"exit_rollup_coarse",
	"exit_chunk",
};

/*
 * Not here: compact and expand write a new file and name their files without --db; push and fleet
 * need a server.
 */
static const struct cmd *const cmds[] = {
	&cmd_top_exits, &cmd_latency,  &cmd_histogram, &cmd_timeline, &cmd_slowest,  &cmd_sequences,
	&cmd_compare,	&cmd_runs,     &cmd_sql,       &cmd_report,   &cmd_export,   &cmd_verify,
	&cmd_live,	&cmd_vmx_caps, &cmd_list,      &cmd_states,   &cmd_findings, &cmd_explain,
	&cmd_ipi,	&cmd_baseline, &cmd_symbols,   NULL,
};

/*
 * Command lines; words are apart by a blank, and SYMBOLS stands for a file of symbols. NULL: the
 * store adds a run. The first byte of an input is a number here: new lines come last.
 */
static const char *const lines[] = {
	"top-exits",
	"top-exits --by subkey --format json",
	"top-exits --by vcpu --exact",
	"top-exits --by rip",
	"latency",
	"latency --exact --from 100us --to 900us",
	"timeline",
	"timeline --table phases",
	"slowest",
	"sequences",
	"verify",
	"vmx-caps",
	"compare 1 2",
	"live --count 1 --plain",
	"report --html -",
	"export --format csv",
	"export --format json",
	"export --format openmetrics",
	"runs --vcpus",
	"sql SELECT/**/*/**/FROM/**/top_exits",
	NULL,
	"list",
	"states",
	"findings",
	"explain",
	"export --format ndjson",
	"export --format folded",
	"export --format perfetto",
	"ipi",
	"baseline 1",
	"symbols SYMBOLS",
};

/* What is left of the input. */
struct rest {
	const uint8_t *at;
	size_t size;
};

static unsigned int take_byte(struct rest *rest)
{
	if (!rest->size)
		return 0;
	rest->size--;
	return *rest->at++;
}

static uint64_t take_number(struct rest *rest, unsigned int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | take_byte(rest);
	return value;
}

/* At most @most bytes, and no more than there are. */
static struct rest take_bytes(struct rest *rest, size_t most)
{
	struct rest bytes = {rest->at, most < rest->size ? most : rest->size};

	rest->at += bytes.size;
	rest->size -= bytes.size;
	return bytes;
}

static const char *take_table(struct rest *rest)
{
	return tables[take_byte(rest) % COUNT(tables)];
}

static void execute(sqlite3 *db, char *sql)
{
	sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_free(sql);
}

/* Numbers, where errors are likely; all others come from the input. */
static void bind_value(sqlite3_stmt *stmt, int index, struct rest *rest)
{
	static const int64_t numbers[] = {
		0, 1, -1, INT64_MAX, INT64_MIN, INT64_MAX / 2, UINT32_MAX, 1000000000000000,
	};
	unsigned int kind = take_byte(rest);
	struct rest bytes;

	switch (kind % 8) {
	case 0:
		sqlite3_bind_null(stmt, index);
		break;
	case 1:
		bytes = take_bytes(rest, kind / 8);
		sqlite3_bind_text(stmt, index, (const char *)bytes.at, (int)bytes.size,
				  SQLITE_STATIC);
		break;
	case 2:
		bytes = take_bytes(rest, kind / 8);
		sqlite3_bind_blob(stmt, index, bytes.at, (int)bytes.size, SQLITE_STATIC);
		break;
	case 3:
		sqlite3_bind_double(stmt, index, (double)(int64_t)take_number(rest, 8) * 1e150);
		break;
	case 4:
		sqlite3_bind_int64(stmt, index, numbers[kind / 8 % COUNT(numbers)]);
		break;
	default:
		sqlite3_bind_int64(stmt, index, (int64_t)take_number(rest, kind / 8 % 8 + 1));
		break;
	}
}

/* The name of a table's column, for sqlite3_free(). */
static char *column_name(sqlite3 *db, const char *table, unsigned int index)
{
	sqlite3_stmt *stmt = NULL;
	char *sql = sqlite3_mprintf("SELECT * FROM %s", table);
	char *name = NULL;

	if (!sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) && sqlite3_column_count(stmt))
		name = sqlite3_mprintf(
			"%s", sqlite3_column_name(stmt, (int)index % sqlite3_column_count(stmt)));
	sqlite3_finalize(stmt);
	sqlite3_free(sql);
	return name;
}

/* Has a table take any value, or (@back) be as it was. */
static void loosen(sqlite3 *db, const char *table, char **text, bool back)
{
	sqlite3_stmt *stmt = NULL;

	if (!back) {
		if (!sqlite3_prepare_v2(db, "SELECT sql FROM sqlite_schema WHERE name = ?1", -1,
					&stmt, NULL)) {
			sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
			if (sqlite3_step(stmt) == SQLITE_ROW)
				*text = sqlite3_mprintf("%s", sqlite3_column_text(stmt, 0));
		}
		sqlite3_finalize(stmt);
		execute(db,
			sqlite3_mprintf(
				"UPDATE sqlite_schema SET sql = replace(replace(sql, ' STRICT', ' '), ' NOT NULL', ' ') WHERE name = %Q",
				table));
	} else if (*text) {
		execute(db, sqlite3_mprintf("UPDATE sqlite_schema SET sql = %Q WHERE name = %Q",
					    *text, table));
		sqlite3_free(*text);
	}
	execute(db, sqlite3_mprintf("PRAGMA writable_schema = RESET"));
	execute(db, sqlite3_mprintf("PRAGMA writable_schema = ON"));
}

static void update(sqlite3 *db, struct rest *rest)
{
	const char *table = take_table(rest);
	char *text = NULL;
	char *column;
	char *sql;
	sqlite3_stmt *stmt = NULL;

	loosen(db, table, &text, false);
	column = column_name(db, table, take_byte(rest));
	sql = sqlite3_mprintf("UPDATE OR REPLACE %s SET %s = ?1 WHERE rowid %% %d = 0", table,
			      column, take_byte(rest) % 16 + 1);
	if (column && !sqlite3_prepare_v2(db, sql, -1, &stmt, NULL)) {
		bind_value(stmt, 1, rest);
		sqlite3_step(stmt);
	}
	sqlite3_finalize(stmt);
	sqlite3_free(sql);
	sqlite3_free(column);
	loosen(db, table, &text, true);
}

static void forge(sqlite3 *db, struct rest *rest)
{
	const char *table = take_table(rest);
	unsigned int at = take_byte(rest) * 4 + 1;
	unsigned int length = take_byte(rest);
	struct rest text = take_bytes(rest, take_byte(rest));

	execute(db,
		sqlite3_mprintf(
			"UPDATE sqlite_schema SET sql = substr(sql, 1, %u) || %.*Q || substr(sql, %u) WHERE name = %Q",
			at, (int)text.size, (const char *)text.at, at + length, table));
}

static void set_pragma(sqlite3 *db, struct rest *rest)
{
	static const char *const names[] = {"user_version", "application_id", "journal_mode",
					    "auto_vacuum", "schema_version"};
	const char *name = names[take_byte(rest) % COUNT(names)];

	execute(db, sqlite3_mprintf("PRAGMA %s = %d", name, (int)take_byte(rest)));
}

/* The last change that is left for the file itself: offset and bytes. */
struct patch {
	uint64_t offset;
	struct rest bytes;
};

static void change(sqlite3 *db, struct rest *rest, struct patch *patch)
{
	struct rest text;

	switch (take_byte(rest) % 8) {
	case 1:
		update(db, rest);
		break;
	case 2:
		execute(db, sqlite3_mprintf("DELETE FROM %s WHERE rowid %% %d = 0",
					    take_table(rest), take_byte(rest) % 16 + 1));
		break;
	case 3:
		execute(db, sqlite3_mprintf("DROP %s %s", take_byte(rest) % 2 ? "TABLE" : "VIEW",
					    take_table(rest)));
		break;
	case 4:
		forge(db, rest);
		break;
	case 5:
		text = take_bytes(rest, take_byte(rest));
		execute(db, sqlite3_mprintf("%.*s", (int)text.size, (const char *)text.at));
		break;
	case 6:
		patch->offset = take_number(rest, 3);
		patch->bytes = take_bytes(rest, take_byte(rest));
		break;
	case 7:
		set_pragma(db, rest);
		break;
	default:
		break;
	}
}

/* The changes of the input touch no other file, and end soon. */
static int refuse_files(void *context, int action, const char *a, const char *b, const char *c,
			const char *d)
{
	(void)context, (void)a, (void)b, (void)c, (void)d;
	return action == SQLITE_ATTACH ? SQLITE_DENY : SQLITE_OK;
}

static int end_soon(void *context)
{
	int *steps = context;

	return ++*steps > 50;
}

static void copy_file(const char *from, const char *to)
{
	static uint8_t buffer[1 << 20];
	int in = open(from, O_RDONLY);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t bytes = read(in, buffer, sizeof(buffer));

	INPUT_CHECK(bytes > 0 && bytes < (ssize_t)sizeof(buffer));
	INPUT_CHECK(write(out, buffer, (size_t)bytes) == bytes);
	close(in);
	close(out);
}

/* The template with the changes of the input. */
static void make_file(struct rest *rest, unsigned int cut)
{
	struct patch patch = {0};
	int steps = 0;
	sqlite3 *db;
	int fd;

	copy_file(template_path, path);
	INPUT_CHECK(!sqlite3_open(path, &db));
	sqlite3_set_authorizer(db, refuse_files, NULL);
	sqlite3_progress_handler(db, 100000, end_soon, &steps);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 10000000);
	sqlite3_exec(db, "PRAGMA synchronous = OFF; PRAGMA writable_schema = ON", NULL, NULL, NULL);
	for (int i = 0; i < 20 && rest->size; i++)
		change(db, rest, &patch);
	sqlite3_close(db);

	fd = open(path, O_WRONLY);
	if (fd < 0)
		return;
	if (patch.bytes.size)
		INPUT_CHECK(pwrite(fd, patch.bytes.at, patch.bytes.size, (off_t)patch.offset) >= 0);
	if (cut > 200)
		INPUT_CHECK(!ftruncate(fd, (off_t)(cut - 200) * 1000));
	close(fd);
}

static void run_line(const char *line)
{
	char words[256];
	char *argv[16] = {"analyzer", "--db", path};
	int argc = 3;
	struct app app = {0};
	struct options opt;
	const struct cmd *cmd;
	int rc;

	snprintf(words, sizeof(words), "%s", line);
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		argv[argc++] = strcmp(word, "SYMBOLS") ? word : symbols_path;

	INPUT_CHECK(!args_parse(&app, &opt, cmds, argc, argv, &cmd));
	rc = cmd->options & OPT_OWN_DB ? 0 : db_open(&app, app.path, &app.db);
	if (!rc)
		rc = cmd->run(&app, &opt);
	INPUT_CHECK(rc >= 0 || *app.error);

	run_close(&app.run);
	INPUT_CHECK(sqlite3_close(app.db) == SQLITE_OK);
	args_free(&opt);
}

static void remove_files(void)
{
	static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
	char name[128];

	for (size_t i = 0; i < COUNT(tails); i++) {
		snprintf(name, sizeof(name), "%s%s", path, tails[i]);
		unlink(name);
	}
}

/* A kernel's, at the addresses of the exits of made_run(). */
static void make_symbols(void)
{
	FILE *file = fopen(symbols_path, "w");

	INPUT_CHECK(file);
	fputs("ffffffff81000000 T _text\nffffffff81000800 T native_write_msr\nffffffff81001000 t default_idle\n",
	      file);
	INPUT_CHECK(!fclose(file));
}

static void remove_template(void)
{
	unlink(template_path);
	unlink(symbols_path);
	remove_files();
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Makes the template, and the file of symbols. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	snprintf(template_path, sizeof(template_path), "/dev/shm/exitscope-template-%d", getpid());
	snprintf(symbols_path, sizeof(symbols_path), "/dev/shm/exitscope-kernel-%d", getpid());
	snprintf(path, sizeof(path), "/dev/shm/exitscope-database-%d", getpid());
	unlink(template_path);
	INPUT_CHECK(!made_run(template_path, "first"));
	INPUT_CHECK(!made_run(template_path, "second"));
	make_symbols();
	atexit(remove_template);
	/* What the commands print. */
	return freopen("/dev/null", "w", stdout) ? 0 : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rest rest = {data, size};
	const char *line;

	if (!*path)
		LLVMFuzzerInitialize(NULL, NULL);
	line = lines[take_byte(&rest) % COUNT(lines)];
	make_file(&rest, take_byte(&rest));
	if (line)
		run_line(line);
	else
		made_run(path, "third");
	remove_files();
	return 0;
}
