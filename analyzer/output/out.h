/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * out.h - what a command found, as a table for people, CSV or JSON
 *
 * JSON: one object with members run, coverage, notes and one array per table.
 * CSV: the table alone, its notes as lines on stderr; run, window, coverage and filter are
 * the last columns of every row. Times are given in cycles
 * and come out as ns (name_ns), or as cycles (name_cycles) with --cycles.
 */
#ifndef EXITSCOPE_ANALYZER_OUTPUT_OUT_H
#define EXITSCOPE_ANALYZER_OUTPUT_OUT_H

#include "analyzer/output/json.h"
#include "analyzer/query/app.h"

enum out_format { OUT_TABLE, OUT_CSV, OUT_JSON };

/* How to print: the options of every command that prints a table. */
struct out_style {
	enum out_format format;
	bool cycles;	     /* times in TSC cycles, not in ns */
	const char *columns; /* names of the columns to show, with commas; NULL: all */
};

enum out_type {
	OUT_TEXT,
	OUT_ID,	    /* integer, as it is */
	OUT_VM,	    /* a VM: its name in tables; CSV and JSON have vm and vm_name */
	OUT_COUNT,  /* integer, 1,234 in tables */
	OUT_TIME,   /* cycles */
	OUT_MOMENT, /* cycles since the start, with as many digits as tell the rows apart */
	OUT_SHARE,  /* 0 to 1, percent in tables */
	OUT_NS,	    /* ns: times that are not TSC cycles */
	OUT_REAL,
	OUT_NUMBER, /* real, as it is */
	OUT_SPLIT,  /* the four parts of a time as a bar of letters; on a terminal only */
	OUT_BAR,    /* 0 to 1, drawn in tables; with .drop on a terminal only */
};

#define OUT_HIDDEN (-1)

/*
 * struct out_column - a column
 * @name: in CSV and JSON, without the unit of a time
 * @title: in tables
 * @drop: leave it out of a table that is too wide for the terminal, the highest
 *	first; 0: never; OUT_HIDDEN: not in tables unless --columns names it
 */
struct out_column {
	const char *name;
	const char *title;
	enum out_type type;
	int drop;
};

struct out_cell {
	char *text;  /* as in tables; NULL: no value */
	double real; /* of a bar; of a moment in ns */
};

struct out_writer;

#define OUT_WORDS 64 /* of --columns; more are not checked */

/* Whether a column may be shown: --columns names it, or is not given. */
bool out_may_show(const struct out_style *style, const char *name);

/* A word of --columns: whether some table has that column, else the name that is nearest to it. */
struct out_word {
	bool is_found;
	char near[40];
	unsigned int distance;
};

/* What an exit is called. @text: NULL: it has no name; of malloc() */
struct out_example {
	int64_t rowid;
	char *text;
};

struct out {
	FILE *file;
	const struct out_writer *writer; /* of @format; see out_writer.h */
	enum out_format format;
	bool cycles;
	int64_t tsc_khz;
	bool no_durations;   /* columns of durations have no values */
	char whose;	     /* 'A', 'B': notes are about that run; 0: about all that is shown */
	bool counts_dropped; /* counts include dropped exits where KVM's totals know them */
	bool has_rates;	     /* rates are shown: out_run() says what they are of */
	bool about;	     /* the next cells are estimates: "~" before them in tables */
	int width;	     /* columns of the terminal; 0: not a terminal */
	struct json json;
	const char *choice; /* out_style.columns */
	const struct out_column *column;
	struct out_word *words; /* of @choice, OUT_WORDS */
	bool *chosen;		/* of each column: it is in @choice */
	int columns;
	char *tail_names; /* CSV: columns that every row has after its own */
	char *tail;
	bool comma; /* CSV: the next cell is not the first of its row */
	int at;	    /* column that the next cell belongs to */
	struct out_cell *cell;
	size_t cells;
	int tables;		      /* that have ended; of text */
	struct out_example *examples; /* label_read_examples(), by ascending rowid */
	size_t example_count;
	char **note;
	int notes;
	char *error; /* @choice has no column of a table */
	bool failed; /* no memory */
};

/* Begin on @file, which is not a terminal. tsc_khz 0: there are no times. */
void out_begin_file(struct out *out, FILE *file, const struct out_style *style, int64_t tsc_khz);

/* Begin on standard output. */
void out_begin(struct out *out, const struct out_style *style, int64_t tsc_khz);

/*
 * End. Returns 0, or -1 with app->error when something could not be written.
 * Call it in any case; with @failed it writes nothing more.
 */
int out_end(struct out *out, struct app *app, bool failed);

/*
 * The run: its name, how complete it is and what is special about its times. Set
 * out->counts_dropped before it where it holds.
 */
void out_run(struct out *out, const char *name, const struct run *run);

/* How many of the dropped exits are run->shown_unseen, as a sentence. */
void out_unseen_text(const struct run *run, char *text, size_t bytes);

/*
 * A line for people: what the VMs of the vCPUs that are shown are called, as many as fit; none
 * where no VM has a name.
 */
void out_vms(struct out *out, const struct run *run);

/* "1.00 s to 2.00 s (...)": the part of the run that is shown; "" for all of it. */
void out_window_text(const struct run *run, char *text, size_t bytes);

/* What --vm, --vcpu and --reason leave, as on the command line; "" if nothing was asked for. */
void out_filter_text(const struct run *run, char *text, size_t bytes);

/* Recorded / (recorded + dropped) of the vCPUs that are shown; NAN: neither. */
double out_coverage(const struct run *run);

/* Say how far above its symbols a kernel runs, if that was guessed (see symbols.h). */
void out_slide_note(struct out *out, uint64_t slide, double guessed);

/* A line for people; in JSON a member of "notes". The same line is said once. */
__attribute__((format(printf, 2, 3))) void out_note(struct out *out, const char *format, ...);

/* CSV: a column that every row of the next tables ends with. */
__attribute__((format(printf, 3, 4))) void out_tail(struct out *out, const char *name,
						    const char *format, ...);

/* A line for people only, right where it stands. */
__attribute__((format(printf, 2, 3))) void out_line(struct out *out, const char *format, ...);

/* A text for people after @head, in lines of at most 80 columns that are indented like it. */
void out_wrapped(struct out *out, const char *head, const char *text);

void out_table(struct out *out, const char *name, const struct out_column *column, int columns);
void out_table_end(struct out *out);

/* The cells of a row, from left to right; the row ends with its last column. */
void out_text(struct out *out, const char *text);
void out_int(struct out *out, int64_t value);
void out_real(struct out *out, double value); /* OUT_REAL, OUT_SHARE, OUT_BAR, OUT_TIME in cycles */
void out_time(struct out *out, uint64_t cycles);
void out_none(struct out *out); /* no value */

/* OUT_VM: the VM with that number; -1: all of them, no value. */
void out_vm(struct out *out, const struct run *run, int64_t id);

/* OUT_SPLIT: handler, halted, user space, preempted in cycles: "hhhhhzzuup". */
void out_split(struct out *out, const uint64_t part[4]);

/* Column @i of a query's row as the next cell; of a BLOB the first 64 bytes in hex. */
void out_sql_value(struct out *out, sqlite3_stmt *stmt, int i);

/* OUT_SPLIT: @parts parts of a whole as a bar, each with its letter of @letters. */
void out_letters(struct out *out, const char *letters, const double *part, int parts);

/*
 * All rows of a statement as a table named @name, with its columns' names.
 * Returns 0, or -1 with app->error.
 */
int out_sql_rows(struct out *out, struct app *app, const char *name, sqlite3_stmt *stmt);

#endif
