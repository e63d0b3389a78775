// SPDX-License-Identifier: GPL-2.0-only
/* recording.c - reads from a database what the judge compares with the witness */
#include "testbed/witness/recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testbed/witness/select.h"

static int fail(struct recording *recording, char *why, size_t why_bytes)
{
	snprintf(why, why_bytes, "%s",
		 recording->db ? sqlite3_errmsg(recording->db) : "out of memory");
	return -1;
}

static uint64_t column(sqlite3_stmt *stmt, int number)
{
	return (uint64_t)sqlite3_column_int64(stmt, number);
}

static int read_runs(struct recording *recording, char *why, size_t why_bytes)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(recording->db, select_runs, -1, &stmt, NULL) ||
	    sqlite3_step(stmt) != SQLITE_ROW) {
		fail(recording, why, why_bytes);
		sqlite3_finalize(stmt);
		return -1;
	}

	recording->is_complete = !column(stmt, 2);
	recording->window.begin = column(stmt, 3);
	recording->window.end = recording->is_complete ? column(stmt, 4) : UINT64_MAX;
	recording->isa = (uint32_t)column(stmt, 5);
	recording->has_ept = column(stmt, 7);
	recording->is_by_bpf = column(stmt, 8);
	recording->lost = column(stmt, 9);

	if (!column(stmt, 0))
		snprintf(why, why_bytes, "no run in it");
	else if (column(stmt, 1))
		snprintf(why, why_bytes, "not every run is of the ring or BPF with all rows kept");
	else if (recording->is_by_bpf && column(stmt, 8) != column(stmt, 0))
		snprintf(why, why_bytes, "runs of the ring and of BPF");
	else if (column(stmt, 5) != column(stmt, 6))
		snprintf(why, why_bytes, "runs of VMX and of SVM");
	else
		why[0] = '\0';
	sqlite3_finalize(stmt);
	return why[0] != '\0';
}

static int64_t count_rows(struct recording *recording, const char *query)
{
	sqlite3_stmt *stmt;
	int64_t count = -1;

	if (!sqlite3_prepare_v2(recording->db, query, -1, &stmt, NULL) &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		count = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return count < EVENTS_NONE ? count : -1;
}

static int read_vcpus(struct recording *recording)
{
	int64_t room = count_rows(recording, "SELECT count(*) FROM vcpu");
	sqlite3_stmt *stmt;
	int rc;

	if (room < 0)
		return -1;
	recording->vcpus = calloc((size_t)room + 1, sizeof(*recording->vcpus));
	if (!recording->vcpus || sqlite3_prepare_v2(recording->db, select_vcpus, -1, &stmt, NULL))
		return -1;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && recording->vcpu_count < room) {
		recording->vcpus[recording->vcpu_count++] = (struct vcpu){
			.id = sqlite3_column_int64(stmt, 0),
			.run_id = sqlite3_column_int64(stmt, 1),
			.recorded = column(stmt, 2),
			.without_record = column(stmt, 3),
			.has_filtered = column(stmt, 4),
			.is_ended = column(stmt, 5),
		};
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? 0 : -1;
}

static void read_record(sqlite3_stmt *stmt, struct record *record)
{
	record->seq = column(stmt, 1);
	record->tsc = column(stmt, 2);
	record->cycles = column(stmt, 3);
	record->not_handler_cycles = column(stmt, 4);

	record->rip = column(stmt, 5);
	record->cr3 = column(stmt, 6);
	record->info1 = column(stmt, 7);
	record->info2 = column(stmt, 8);
	record->key = column(stmt, 9);
	record->key_aux = column(stmt, 10);

	record->reason = (uint32_t)column(stmt, 11);
	record->flags = (uint32_t)column(stmt, 12);
	record->intr_info = (uint32_t)column(stmt, 13);
	record->error_code = (uint32_t)column(stmt, 14);
	record->pcpu = (uint32_t)column(stmt, 15);
	record->position = EVENTS_NONE;
}

/* Both are sorted by the vCPU's id. A record of a vCPU that is not there is one of the next. */
static int read_records(struct recording *recording)
{
	int64_t room = count_rows(recording, "SELECT count(*) FROM exit");
	uint32_t vcpu = 0;
	sqlite3_stmt *stmt;
	int rc;

	if (room < 0 || (room && !recording->vcpu_count))
		return -1;
	recording->records = calloc((size_t)room + 1, sizeof(*recording->records));
	if (!recording->records ||
	    sqlite3_prepare_v2(recording->db, select_records, -1, &stmt, NULL))
		return -1;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && recording->record_count < room) {
		struct record *record = &recording->records[recording->record_count];

		while (vcpu + 1 < recording->vcpu_count &&
		       recording->vcpus[vcpu].id < sqlite3_column_int64(stmt, 0))
			vcpu++;
		if (!recording->vcpus[vcpu].record_count++)
			recording->vcpus[vcpu].first_record = recording->record_count;

		read_record(stmt, record);
		record->vcpu = vcpu;
		recording->record_count++;
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? 0 : -1;
}

int recording_open(struct recording *recording, const char *path, bool is_writable, char *why,
		   size_t why_bytes)
{
	int flags = is_writable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
	int rc;

	memset(recording, 0, sizeof(*recording));
	if (sqlite3_open_v2(path, &recording->db, flags, NULL)) {
		fail(recording, why, why_bytes);
		recording_close(recording);
		return -1;
	}

	/* The database is data: nothing that its schema defines is executed. */
	sqlite3_db_config(recording->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(recording->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(recording->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(recording->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);

	rc = read_runs(recording, why, why_bytes);
	if (!rc && (read_vcpus(recording) || read_records(recording)))
		rc = fail(recording, why, why_bytes);
	if (rc)
		recording_close(recording);
	return rc;
}

void recording_close(struct recording *recording)
{
	free(recording->records);
	free(recording->vcpus);
	sqlite3_close(recording->db);
	memset(recording, 0, sizeof(*recording));
}
