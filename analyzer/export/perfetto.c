// SPDX-License-Identifier: GPL-2.0-only
/*
 * perfetto.c - a run as a Perfetto trace (protos/perfetto/trace)
 *
 * A process track per VM, below it a track per vCPU on which each exit is a
 * slice, and a counter of exits per second. Times are ns since the start of the
 * run. Names of events and annotations are interned in the first packet.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/export/export.h"
#include "analyzer/export/proto.h"
#include "analyzer/export/queries.h"
#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/sums/agg.h"
#include "analyzer/query/vms.h"
#include "analyzer/query/where.h"
#include "base/array.h"
#include "base/wrap.h"

/* Field numbers of trace.proto, trace_packet.proto, interned_data.proto. */
enum { TRACE_PACKET = 1 };
enum {
	PACKET_TIMESTAMP = 8,
	PACKET_SEQUENCE = 10,
	PACKET_EVENT = 11,
	PACKET_INTERNED = 12,
	PACKET_FLAGS = 13,
	PACKET_TRACK = 60
};
enum { FLAG_STATE_CLEARED = 1, FLAG_NEEDS_STATE = 2 };
enum { INTERNED_CATEGORY = 1, INTERNED_EVENT = 2, INTERNED_ANNOTATION = 3 };
enum { NAME_IID = 1, NAME_TEXT = 2 };
/* track_event.proto, debug_annotation.proto */
enum {
	EVENT_CATEGORY_IID = 3,
	EVENT_ANNOTATION = 4,
	EVENT_TYPE = 9,
	EVENT_NAME_IID = 10,
	EVENT_TRACK = 11,
	EVENT_NAME = 23,
	EVENT_COUNTER = 44
};
enum { TYPE_BEGIN = 1, TYPE_END = 2, TYPE_INSTANT = 3, TYPE_COUNTER = 4 };
enum {
	ANNOTATION_NAME = 1,
	ANNOTATION_BOOL = 2,
	ANNOTATION_UINT = 3,
	ANNOTATION_TEXT = 6,
	ANNOTATION_POINTER = 7
};
/* track_descriptor.proto, process_descriptor.proto, counter_descriptor.proto */
enum { TRACK_UUID = 1, TRACK_NAME = 2, TRACK_PROCESS = 3, TRACK_PARENT = 5, TRACK_COUNTER = 8 };
enum { PROCESS_PID = 1, PROCESS_NAME = 6 };
enum { COUNTER_UNIT_NAME = 6 };

/* Track ids: VMs and vCPUs by their database ids. */
#define UUID_VM	     UINT64_C(0x100000000)
#define UUID_VCPU    UINT64_C(0x200000000)
#define UUID_COUNTER UINT64_C(0x300000000)

/* What is said of each exit; the number is the interned name. */
enum note {
	NOTE_ABOUT = 1,
	NOTE_HANDLER,
	NOTE_HALTED,
	NOTE_USER,
	NOTE_PREEMPTED,
	NOTE_TO_USER,
	NOTE_RIP,
	NOTE_SEQ,
	NOTE_PCPU,
	NOTE_FASTPATH,
	NOTE_NESTED,
	NOTE_SYNTHESIZED,
	NOTES
};

static const char *const note_names[NOTES] = {
	[NOTE_ABOUT] = "about",
	[NOTE_HANDLER] = "handler_ns",
	[NOTE_HALTED] = "halted_ns",
	[NOTE_USER] = "userspace_ns",
	[NOTE_PREEMPTED] = "preempted_ns",
	[NOTE_TO_USER] = "to_user",
	[NOTE_RIP] = "guest_rip",
	[NOTE_SEQ] = "seq",
	[NOTE_PCPU] = "physical_cpu",
	[NOTE_FASTPATH] = "fastpath",
	[NOTE_NESTED] = "nested",
	[NOTE_SYNTHESIZED] = "synthesized",
};

/*
 * struct trace - the file and the messages that packets are built in
 * @reasons: their names are interned as index + 1
 */
struct trace {
	struct app *app;
	FILE *file;
	struct agg reasons;
	struct proto file_field;
	struct proto packet;
	struct proto event;
	struct proto part;
};

/* Write the packet and begin another. */
static int put_packet(struct trace *t)
{
	proto_uint(&t->packet, PACKET_SEQUENCE, 1);
	proto_message(&t->file_field, TRACE_PACKET, &t->packet);
	if (t->file_field.failed)
		return app_fail(t->app, "out of memory");
	/* What cannot be written is found when the file is closed. */
	fwrite(t->file_field.data, 1, t->file_field.size, t->file);
	proto_clear(&t->file_field);
	return 0;
}

static int put_event(struct trace *t, int64_t ns, unsigned int type, uint64_t track)
{
	proto_uint(&t->event, EVENT_TYPE, type);
	proto_uint(&t->event, EVENT_TRACK, track);
	proto_uint(&t->packet, PACKET_TIMESTAMP, (uint64_t)ns);
	proto_message(&t->packet, PACKET_EVENT, &t->event);
	proto_uint(&t->packet, PACKET_FLAGS, FLAG_NEEDS_STATE);
	return put_packet(t);
}

static void intern(struct trace *t, struct proto *interned, unsigned int kind, uint64_t iid,
		   const char *name)
{
	proto_uint(&t->part, NAME_IID, iid);
	proto_text(&t->part, NAME_TEXT, name);
	proto_message(interned, kind, &t->part);
}

/* The first packet: all names. */
static int put_names(struct trace *t)
{
	char name[64];

	intern(t, &t->event, INTERNED_CATEGORY, 1, "vm_exit");
	for (uint32_t i = 0; i < t->reasons.groups; i++) {
		if (!reason_name(t->app, t->app->run.isa, t->reasons.group[i].key[0], name,
				 sizeof(name)))
			return -1;
		intern(t, &t->event, INTERNED_EVENT, i + 1, name);
	}
	for (int i = 1; i < NOTES; i++)
		intern(t, &t->event, INTERNED_ANNOTATION, (uint64_t)i, note_names[i]);
	proto_message(&t->packet, PACKET_INTERNED, &t->event);
	proto_uint(&t->packet, PACKET_FLAGS, FLAG_STATE_CLEARED | FLAG_NEEDS_STATE);
	return put_packet(t);
}

static int put_track(struct trace *t, uint64_t uuid, uint64_t parent, const char *name)
{
	proto_uint(&t->event, TRACK_UUID, uuid);
	if (parent)
		proto_uint(&t->event, TRACK_PARENT, parent);
	if (name)
		proto_text(&t->event, TRACK_NAME, name);
	proto_message(&t->packet, PACKET_TRACK, &t->event);
	return put_packet(t);
}

static int put_vm_track(struct trace *t, sqlite3_stmt *stmt)
{
	const struct vm_ref *vm = vms_find(&t->app->run, sqlite3_column_int64(stmt, 0));
	const char *comm = vm && *vm->name ? vm->name : (const char *)sqlite3_column_text(stmt, 2);
	char name[320];

	snprintf(name, sizeof(name), "%.128s, VM %lld%s", comm ? comm : "?",
		 sqlite3_column_int64(stmt, 0),
		 strcmp(t->app->run.environment, "emulated")
			 ? ""
			 : " (emulated: times are not real latencies)");
	proto_uint(&t->part, PROCESS_PID, (uint64_t)sqlite3_column_int64(stmt, 1));
	proto_text(&t->part, PROCESS_NAME, name);
	proto_message(&t->event, TRACK_PROCESS, &t->part);
	return put_track(t, UUID_VM + (uint64_t)sqlite3_column_int64(stmt, 0), 0, NULL);
}

/* Tracks of the VMs and vCPUs that pass the filter, and of the counter. */
static int put_tracks(struct trace *t)
{
	const struct run *run = &t->app->run;
	sqlite3_stmt *stmt;
	int64_t vm = -1;
	int rc = db_prepare(t->app, &stmt, "SELECT vm, tgid, comm FROM coverage WHERE vcpu = ?1");

	for (unsigned int i = 0; i < run->n_vcpus && !rc; i++) {
		char name[32];

		sqlite3_reset(stmt);
		sqlite3_bind_int64(stmt, 1, run->vcpus[i].id);
		rc = db_step(t->app, stmt);
		if (rc > 0)
			rc = run->vcpus[i].vm == vm ? 0 : put_vm_track(t, stmt);
		vm = run->vcpus[i].vm;
		snprintf(name, sizeof(name), "vCPU %" PRId64, run->vcpus[i].vcpu_id);
		if (!rc)
			rc = put_track(t, UUID_VCPU + (uint64_t)run->vcpus[i].id,
				       UUID_VM + (uint64_t)vm, name);
	}
	sqlite3_finalize(stmt);
	if (rc)
		return -1;
	proto_text(&t->part, COUNTER_UNIT_NAME, "exits/s");
	proto_message(&t->event, TRACK_COUNTER, &t->part);
	return put_track(t, UUID_COUNTER, 0, "VM exits per second");
}

static void note_uint(struct trace *t, enum note note, unsigned int kind, uint64_t value)
{
	if (!value)
		return;
	proto_uint(&t->part, ANNOTATION_NAME, note);
	proto_uint(&t->part, kind, value);
	proto_message(&t->event, EVENT_ANNOTATION, &t->part);
}

static void note_text(struct trace *t, enum note note, const unsigned char *text)
{
	if (!text)
		return;
	proto_uint(&t->part, ANNOTATION_NAME, note);
	proto_text(&t->part, ANNOTATION_TEXT, (const char *)text);
	proto_message(&t->event, EVENT_ANNOTATION, &t->part);
}

enum {
	X_VCPU,
	X_TSC,
	X_REASON,
	X_CYCLES,
	X_KEY,
	X_PARTS,
	X_TO_USER = X_PARTS + 4,
	X_RIP,
	X_SEQ,
	X_PCPU,
	X_FLAGS
};

static int put_exit(struct trace *t, sqlite3_stmt *stmt)
{
	const struct run *run = &t->app->run;
	int64_t key = reason_key(run->isa, sqlite3_column_int64(stmt, X_REASON));
	int64_t since = run_since(run, sqlite3_column_int64(stmt, X_TSC));
	int64_t until = wrap_add(since, sqlite3_column_int64(stmt, X_CYCLES));
	uint64_t track = UUID_VCPU + (uint64_t)sqlite3_column_int64(stmt, X_VCPU);
	const struct group *g = agg_group(&t->reasons, (int64_t[4]){key});

	if (!g)
		return app_fail(t->app, "out of memory");

	proto_uint(&t->event, EVENT_NAME_IID, (uint64_t)(g - t->reasons.group) + 1);
	proto_uint(&t->event, EVENT_CATEGORY_IID, 1);

	/* Notes of one kind stand in a row, in the order of the columns. */
	note_text(t, NOTE_ABOUT, sqlite3_column_text(stmt, X_KEY));
	for (int i = 0; i < 4; i++)
		note_uint(t, NOTE_HANDLER + (enum note)i, ANNOTATION_UINT,
			  (uint64_t)sqlite3_column_int64(stmt, X_PARTS + i));
	note_text(t, NOTE_TO_USER, sqlite3_column_text(stmt, X_TO_USER));
	if (sqlite3_column_type(stmt, X_RIP) != SQLITE_NULL)
		note_uint(t, NOTE_RIP, ANNOTATION_POINTER,
			  (uint64_t)sqlite3_column_int64(stmt, X_RIP));
	note_uint(t, NOTE_SEQ, ANNOTATION_UINT, (uint64_t)sqlite3_column_int64(stmt, X_SEQ));
	note_uint(t, NOTE_PCPU, ANNOTATION_UINT, (uint64_t)sqlite3_column_int64(stmt, X_PCPU));
	for (int i = 0; i < 3; i++)
		note_uint(t, NOTE_FASTPATH + (enum note)i, ANNOTATION_BOOL,
			  (uint64_t)sqlite3_column_int64(stmt, X_FLAGS + i));

	if (put_event(t, cycles_to_ns(since, run->tsc_khz), TYPE_BEGIN, track))
		return -1;
	return put_event(t, cycles_to_ns(until, run->tsc_khz), TYPE_END, track);
}

static int put_exits(struct trace *t)
{
	sqlite3_stmt *stmt;
	int rc;

	if (where_prepare(t->app, &t->app->run, export_sql_perfetto_exits, &stmt))
		return -1;
	while ((rc = db_step(t->app, stmt)) > 0)
		if (put_exit(t, stmt)) {
			rc = -1;
			break;
		}
	sqlite3_finalize(stmt);
	return rc;
}

/* Where records are missing. */
static int put_losses(struct trace *t)
{
	const struct run *run = &t->app->run;
	sqlite3_stmt *stmt;
	int rc = db_prepare(t->app, &stmt,
			    "SELECT n, coalesce(tsc_before, tsc_after) FROM loss WHERE vcpu = ?1");

	for (unsigned int i = 0; i < run->n_vcpus && !rc; i++) {
		sqlite3_reset(stmt);
		sqlite3_bind_int64(stmt, 1, run->vcpus[i].id);
		while (!rc && (rc = db_step(t->app, stmt)) > 0) {
			int64_t since = run_since(run, sqlite3_column_int64(stmt, 1));
			char name[48];

			rc = 0;
			if (since < run->from || since >= run->to)
				continue;
			snprintf(name, sizeof(name), "%lld exits lost",
				 sqlite3_column_int64(stmt, 0));
			proto_text(&t->event, EVENT_NAME, name);
			rc = put_event(t, cycles_to_ns(since, run->tsc_khz), TYPE_INSTANT,
				       UUID_VCPU + (uint64_t)run->vcpus[i].id);
		}
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int put_count(struct trace *t, int64_t since, double per_s)
{
	proto_double(&t->event, EVENT_COUNTER, per_s);
	return put_event(t, cycles_to_ns(since, t->app->run.tsc_khz), TYPE_COUNTER, UUID_COUNTER);
}

/* struct rate - exits of an interval of the roll-ups that has any */
struct rate {
	int64_t bin;
	uint64_t n;
};

static int by_time(const void *a, const void *b)
{
	const struct rate *x = a, *y = b;

	return x->bin < y->bin ? -1 : x->bin > y->bin;
}

/* The rates of all reasons together, in the order of time; *n of them. */
static struct rate *sum_rates(const struct agg *agg, uint32_t *n)
{
	struct rate *rate = calloc((size_t)agg->groups + 1, sizeof(*rate));
	uint32_t last = 0;

	if (!rate)
		return NULL;
	for (uint32_t i = 0; i < agg->groups; i++)
		rate[i] = (struct rate){agg->group[i].key[0], agg->group[i].n};
	array_sort(rate, agg->groups, sizeof(*rate), by_time);

	for (uint32_t i = 1; i < agg->groups; i++) {
		if (rate[i].bin == rate[last].bin)
			rate[last].n += rate[i].n;
		else
			rate[++last] = rate[i];
	}
	*n = agg->groups ? last + 1 : 0;
	return rate;
}

/* @end: of the window; the last interval may be cut. */
static int put_sums(struct trace *t, const struct rate *rate, uint32_t n,
		    const struct agg_bins *bins, int64_t end)
{
	int64_t shown = bins->begin; /* where what was written last ends */
	int rc = 0;

	for (uint32_t i = 0; i < n && !rc; i++) {
		int64_t begin = bins->begin + rate[i].bin * bins->width;
		int64_t length = end - begin < bins->width ? end - begin : bins->width;

		if (begin > shown)
			rc = put_count(t, shown, 0);
		if (length < 1)
			length = 1;
		if (!rc)
			rc = put_count(t, begin,
				       (double)rate[i].n * (double)t->app->run.tsc_khz * 1e3 /
					       (double)length);
		shown = begin + length;
	}
	return rc ? rc : put_count(t, shown, 0);
}

/*
 * The rate in each interval of the roll-ups that has exits, and 0 where intervals without
 * any begin: a month with few exits is a small file.
 */
static int put_rate(struct trace *t)
{
	const struct run *run = &t->app->run;
	struct agg_bins bins = {.begin = run_grid_from(run), .width = run->rollup_cycles};
	struct rate *rate = NULL;
	struct agg agg = {0};
	uint32_t n = 0;
	int rc = agg_read_bins(t->app, run, &bins, 0, &agg);

	if (!rc) {
		rate = sum_rates(&agg, &n);
		if (!rate)
			rc = app_fail(t->app, "out of memory");
	}
	if (!rc)
		rc = put_sums(t, rate, n, &bins, bins.begin + run_grid_length(run));
	free(rate);
	agg_free(&agg);
	return rc;
}

static int export_trace(struct trace *t)
{
	if (agg_read(t->app, &t->app->run, BY_REASON, 0, &t->reasons))
		return -1;
	if (!t->reasons.groups)
		return run_nothing(t->app);
	if (put_names(t) || put_tracks(t) || put_exits(t) || put_losses(t) || put_rate(t))
		return -1;
	return 0;
}

int export_perfetto(struct app *app, FILE *file)
{
	struct trace t = {.app = app, .file = file};
	int rc = export_trace(&t);

	agg_free(&t.reasons);
	proto_free(&t.file_field);
	proto_free(&t.packet);
	proto_free(&t.event);
	proto_free(&t.part);
	return rc;
}
