// SPDX-License-Identifier: GPL-2.0-only
/*
 * log.c - a recording in progress as a log; see log.h
 *
 * One table of columns is all there is to the three formats: what a column is called, its type and
 * its value.
 */
#include "analyzer/live/log.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/live/screen.h"
#include "analyzer/query/db.h"
#include "base/clean.h"
#include "base/json_quote.h"
#include "base/output.h"
#include "base/units.h"

#define TITLES_EVERY 20	 /* lines of text */
#define WIDE	     100 /* columns of a terminal that all columns of text fit */

enum log_column {
	LOG_TIME,
	LOG_RUN,
	LOG_STATE,
	LOG_LENGTH,
	LOG_INTERVAL,
	LOG_NAME,
	LOG_EXITS,
	LOG_PER_S,
	LOG_DROPPED,
	LOG_GUEST, /* and the other parts, in the order of enum state */
	LOG_UNKNOWN = LOG_GUEST + STATE_UNKNOWN,
	LOG_MEAN, /* and the others, of the last LIVE_RECENT_S, as their names say */
	LOG_P50,
	LOG_P99,
	LOG_MAX,
	LOG_COLUMNS
};

/* In text, @title stands over @width columns; width 0: text has no such column. @is_of_wide: a
 * narrow terminal has no room for it. */
static const struct {
	struct out_column column;
	int width;
	bool is_of_wide;
} columns[LOG_COLUMNS] = {
	[LOG_TIME] = {{"time", "TIME", OUT_TEXT, 0}, 8},
	[LOG_RUN] = {{"run", "", OUT_ID, 0}, 0},
	[LOG_STATE] = {{"state", "", OUT_TEXT, 0}, 0},
	[LOG_LENGTH] = {{"length", "LENGTH", OUT_TIME, 0}, 8, true},
	[LOG_INTERVAL] = {{"interval_ns", "", OUT_NS, 0}, 0},
	[LOG_NAME] = {{"reason", "REASON", OUT_TEXT, 0}, 0},
	[LOG_EXITS] = {{"exits", "", OUT_COUNT, 0}, 0},
	[LOG_PER_S] = {{"per_s", "EXITS/S", OUT_REAL, 0}, 9},
	[LOG_DROPPED] = {{"dropped", "DROPPED", OUT_COUNT, 0}, 7},
	[LOG_GUEST] = {{"guest", "GUEST", OUT_SHARE, 0}, 5},
	[LOG_GUEST + STATE_HANDLER] = {{"handler", "HANDL", OUT_SHARE, 0}, 5},
	[LOG_GUEST + STATE_USER] = {{"userspace", "USER", OUT_SHARE, 0}, 5},
	[LOG_GUEST + STATE_POLLED] = {{"polled", "POLL", OUT_SHARE, 0}, 5},
	[LOG_GUEST + STATE_HALTED] = {{"halted", "HALT", OUT_SHARE, 0}, 5},
	[LOG_GUEST + STATE_WAITING] = {{"waiting", "WAIT", OUT_SHARE, 0}, 5},
	[LOG_UNKNOWN] = {{"unknown", "", OUT_SHARE, 0}, 0},
	[LOG_MEAN] = {{"mean_10s", "", OUT_TIME, 0}, 0},
	[LOG_P50] = {{"p50_10s", "", OUT_TIME, 0}, 0},
	[LOG_P99] = {{"p99_10s", "P99/10S", OUT_TIME, 0}, 7, true},
	[LOG_MAX] = {{"max_10s", "", OUT_TIME, 0}, 0},
};
_Static_assert(LIVE_RECENT_S == 10, "names of columns have it");

/* is_known false: nothing; else @text, or @number as the column's type says, times in cycles. */
struct log_value {
	bool is_known;
	const char *text;
	double number;
};

static const char *name_title(char by)
{
	if (by == 'v')
		return "vm";
	return by == 'r' ? "reason" : "most_time_reason";
}

static struct log_value known(double number)
{
	return (struct log_value){.is_known = true, .number = number};
}

static struct log_value text_value(const char *text)
{
	return (struct log_value){.is_known = true, .text = text};
}

static struct log_value latency(double cycles)
{
	return (struct log_value){.is_known = cycles > 0, .number = cycles};
}

/* "2026-11-27T16:05:01.123Z"; in text the clock of this place, "16:05:01". */
static void format_time(double taken, bool is_text, char text[32])
{
	const time_t seconds = (time_t)taken;
	struct tm tm;

	*text = '\0';
	if (is_text && localtime_r(&seconds, &tm)) {
		strftime(text, 32, "%H:%M:%S", &tm);
	} else if (!is_text && gmtime_r(&seconds, &tm)) {
		size_t n = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &tm);

		snprintf(text + n, 32 - n, ".%03dZ", (int)(1000 * (taken - (double)seconds)));
	}
}

/* The values of a line, by enum log_column. */
static void fill_values(const struct snapshot *snapshot, const struct live_row *row,
			const char *time, struct log_value value[LOG_COLUMNS])
{
	const struct live *live = snapshot->live;
	const struct run *run = &live->app->run;

	value[LOG_TIME] = text_value(time);
	value[LOG_RUN] = known((double)run->id);
	value[LOG_STATE] = text_value(run->state);
	value[LOG_LENGTH] = known((double)run->length_cycles);
	value[LOG_INTERVAL] = known(round(live->seconds * 1e9));

	value[LOG_NAME] = *row->name ? text_value(row->name) : (struct log_value){0};
	value[LOG_EXITS] = known((double)row->exits);
	value[LOG_PER_S] = known(row->per_s);
	/* Which reason or VM they were of is not known. */
	value[LOG_DROPPED] =
		row == &snapshot->total ? known((double)live->dropped) : (struct log_value){0};

	for (int i = 0; i < STATES; i++)
		value[LOG_GUEST + i] =
			(struct log_value){.is_known = row->has_part[i], .number = row->part[i]};

	value[LOG_MEAN] = latency(row->mean);
	value[LOG_P50] = latency(row->p50);
	value[LOG_P99] = latency(row->p99);
	value[LOG_MAX] = latency(row->max);
}

/* A cell of text, for people. */
static const char *show(const struct log *log, const struct run *run, enum out_type type,
			const struct log_value *value, char text[UNITS_TEXT])
{
	if (!value->is_known)
		return "-";
	if (type == OUT_TEXT)
		return value->text;
	if (type == OUT_COUNT)
		return units_count((int64_t)value->number, text);
	if (type == OUT_REAL || (type == OUT_TIME && log->style->cycles))
		return units_real(value->number, text);
	if (type == OUT_TIME)
		return units_ns(value->number * 1e6 / (double)run->tsc_khz, text);
	snprintf(text, UNITS_TEXT, "%.1f", 100 * value->number);
	return text;
}

/* Whether the text has the column. */
static bool is_shown(const struct log *log, int column)
{
	bool is_narrow = log->width && log->width < WIDE;

	return columns[column].width && !(columns[column].is_of_wide && is_narrow);
}

/* Bytes of the first @most characters of @text. */
static int cut_bytes(const char *text, int most)
{
	size_t bytes = 0;
	bool is_safe;

	for (; text[bytes] && most > 0; most--)
		bytes += clean_next(text + bytes, &is_safe);
	return (int)bytes;
}

/* The columns with a width, and the name last, in the room that is left. */
static void write_text_line(const struct log *log, const struct run *run,
			    const struct log_value value[LOG_COLUMNS])
{
	bool is_over = strcmp(run->state, "recording");
	char name[128], text[UNITS_TEXT];
	int used = 0;

	for (int i = 0; i < LOG_COLUMNS; i++) {
		if (is_shown(log, i))
			used += printf("%s%*s", i ? " " : "", columns[i].width,
				       show(log, run, columns[i].column.type, &value[i], text));
	}
	snprintf(name, sizeof(name), "%s%s%s",
		 value[LOG_NAME].is_known ? value[LOG_NAME].text : "-", is_over ? "  " : "",
		 is_over ? run->state : "");
	clean_text(name);
	printf(" %.*s\n",
	       cut_bytes(name, log->width > used + 1 ? log->width - used - 1 : (int)sizeof(name)),
	       name);
}

static void write_titles(const struct log *log)
{
	for (int i = 0; i < LOG_COLUMNS; i++)
		if (is_shown(log, i))
			printf("%s%*s", i ? " " : "", columns[i].width, columns[i].column.title);
	if (log->by)
		printf(" %s\n", log->by == 'v' ? "VM" : "REASON");
	else
		puts(" MOST TIME");
}

static void write_json_line(const struct log *log, const struct run *run,
			    const struct log_value value[LOG_COLUMNS])
{
	for (int i = 0; i < LOG_COLUMNS; i++) {
		const struct out_column *column = &columns[i].column;
		bool is_time = column->type == OUT_TIME;

		printf("%c\"%s%s\":", i ? ',' : '{',
		       i == LOG_NAME ? name_title(log->by) : column->name,
		       is_time ? log->style->cycles ? "_cycles" : "_ns" : "");
		if (!value[i].is_known)
			fputs("null", stdout);
		else if (value[i].text)
			json_quote(stdout, value[i].text);
		else if (is_time && !log->style->cycles)
			printf("%" PRId64, cycles_to_ns((int64_t)value[i].number, run->tsc_khz));
		else if (column->type == OUT_REAL || column->type == OUT_SHARE)
			printf("%.10g", value[i].number);
		else
			printf("%.0f", value[i].number);
	}
	puts("}");
}

static void write_csv_line(struct log *log, const struct run *run,
			   const struct log_value value[LOG_COLUMNS])
{
	struct out *out = &log->out;

	out->tsc_khz = run->tsc_khz;
	for (int i = 0; i < LOG_COLUMNS; i++) {
		enum out_type type = columns[i].column.type;

		if (!value[i].is_known)
			out_none(out);
		else if (value[i].text)
			out_text(out, value[i].text);
		else if (type == OUT_TIME)
			out_time(out, (uint64_t)value[i].number);
		else if (type == OUT_REAL || type == OUT_SHARE)
			out_real(out, value[i].number);
		else
			out_int(out, (int64_t)value[i].number);
	}
}

bool log_begin(struct log *log, const struct out_style *style, char by)
{
	static struct out_column csv[LOG_COLUMNS];
	int rows;

	*log = (struct log){.style = style, .by = by};
	if (isatty(STDOUT_FILENO))
		screen_size(&rows, &log->width);
	if (style->format != OUT_CSV)
		return true;

	for (int i = 0; i < LOG_COLUMNS; i++)
		csv[i] = columns[i].column;
	csv[LOG_NAME].name = name_title(by);
	out_begin(&log->out, style, 0);
	out_table(&log->out, "log", csv, LOG_COLUMNS);
	return !log->out.error;
}

static void write_line(struct log *log, const struct snapshot *snapshot, const struct live_row *row)
{
	const struct run *run = &snapshot->live->app->run;
	struct log_value value[LOG_COLUMNS];
	char time[32];

	format_time(snapshot->taken, log->style->format == OUT_TABLE, time);
	fill_values(snapshot, row, time, value);
	if (log->style->format == OUT_CSV) {
		write_csv_line(log, run, value);
	} else if (log->style->format == OUT_JSON) {
		write_json_line(log, run, value);
	} else {
		if (log->lines % TITLES_EVERY == 0)
			write_titles(log);
		write_text_line(log, run, value);
	}
	log->lines++;
}

int log_write(struct log *log, const struct snapshot *snapshot, unsigned int limit)
{
	int flushed;

	if (!log->by)
		write_line(log, snapshot, &snapshot->total);
	for (unsigned int i = 0; log->by && i < snapshot->rows && i < limit; i++)
		write_line(log, snapshot, &snapshot->row[i]);

	flushed = output_flush(stdout);
	if (flushed)
		return app_fail(snapshot->live->app, "standard output: %s", strerror(-flushed));
	return 0;
}

int log_end(struct log *log, struct app *app, bool failed)
{
	if (log->style->format != OUT_CSV)
		return failed ? -1 : 0;
	return out_end(&log->out, app, failed);
}
