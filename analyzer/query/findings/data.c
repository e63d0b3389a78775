// SPDX-License-Identifier: GPL-2.0-only
/*
 * data.c - sums for the rules of findings; see data.h
 */
#include "analyzer/query/findings/data.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/where.h"
#include "base/array.h"

/* Reasons with a key, by architecture (Intel SDM, appendix C; AMD APM 2, appendix C). */
#define VMX_IO		  30
#define VMX_MSR_WRITE	  32
#define VMX_EPT_VIOLATION 48
#define VMX_EPT_MISCONFIG 49
#define SVM_IO		  0x7b
#define SVM_MSR		  0x7c
#define SVM_NPF		  0x400

/* key_aux of exits on ports and, on SVM, MSRs. */
#define AUX_IN	      0x10
#define AUX_MSR_WRITE 1

/* Those that the caller has, or else they are read. */
static int read_keys(const struct agg *keys, struct findings_data *data)
{
	if (!data->has_keys)
		return 0;
	if (!keys && agg_read(data->app, data->run, BY_SUBKEY, 0, &data->own_keys))
		return -1;
	data->keys = keys ? *keys : data->own_keys;
	return 0;
}

int findings_data_read(struct app *app, const struct run *run, bool states_only,
		       const struct agg *keys, struct findings_data *data)
{
	*data = (struct findings_data){
		.app = app,
		.run = run,
		.has_keys = run->has_raw == RAW_ALL ||
			    (run->has_raw == RAW_LAST && run->rows_start_cycles <= run->from),
		.has_states = run->has_split && !run->no_durations,
		.is_real = strcmp(run->environment, "emulated") && !run->no_durations,
		.is_whole = !run->filtered,
	};

	if (data->has_states && states_read(app, run, false, &data->states))
		return -1;
	if (states_only)
		return 0;
	if (agg_read(app, run, BY_REASON, AGG_DIST, &data->reasons) || read_keys(keys, data))
		return -1;
	data->total = agg_total(&data->reasons);
	return 0;
}

void findings_data_free(struct findings_data *data)
{
	agg_free(&data->reasons);
	agg_free(&data->own_keys);
	states_free(&data->states);
}

double findings_share(const struct findings_data *data, uint64_t n)
{
	return data->total.n ? (double)n / (double)data->total.n : 0;
}

double findings_seconds(const struct findings_data *data, double cycles)
{
	return cycles / 1e3 / (double)data->run->tsc_khz;
}

/* Whether a group of @keys is of that reason. */
static bool is_reason(const struct findings_data *data, const struct group *group, int64_t vmx,
		      int64_t svm)
{
	return group->key[0] == (data->run->isa == 1 ? vmx : svm);
}

static bool in_ranges(int64_t key, const struct key_range *range)
{
	for (; range->high; range++)
		if (key >= range->low && key <= range->high)
			return true;
	return false;
}

struct group findings_ports(const struct findings_data *data, const struct key_range *range,
			    enum port_direction direction)
{
	struct group sum = group_empty();

	for (uint32_t i = 0; i < data->keys.groups; i++) {
		const struct group *group = &data->keys.group[i];
		bool is_in = group->key[2] & AUX_IN;

		if (is_reason(data, group, VMX_IO, SVM_IO) && group->key[3] &&
		    in_ranges(group->key[1], range) &&
		    (direction == PORT_ANY || is_in == (direction == PORT_IN)))
			group_add(&sum, group);
	}
	return sum;
}

struct group findings_msr_writes(const struct findings_data *data, int64_t msr)
{
	struct group sum = group_empty();

	for (uint32_t i = 0; i < data->keys.groups; i++) {
		const struct group *group = &data->keys.group[i];

		if (is_reason(data, group, VMX_MSR_WRITE, SVM_MSR) && group->key[3] &&
		    group->key[1] == msr && (data->run->isa == 1 || group->key[2] == AUX_MSR_WRITE))
			group_add(&sum, group);
	}
	return sum;
}

struct group findings_key(const struct findings_data *data, int64_t vmx, int64_t svm, int64_t key)
{
	struct group sum = group_empty();

	for (uint32_t i = 0; i < data->keys.groups; i++) {
		const struct group *group = &data->keys.group[i];

		if (is_reason(data, group, vmx, svm) && group->key[3] && group->key[1] == key)
			group_add(&sum, group);
	}
	return sum;
}

struct group findings_reason(const struct findings_data *data, int64_t vmx, int64_t svm)
{
	const struct group *group =
		agg_find(&data->reasons, (int64_t[4]){data->run->isa == 1 ? vmx : svm});

	return group ? *group : group_empty();
}

/* A fault that KVM emulates: on SVM, those of device pages are nested page faults too. */
static bool is_mmio(const struct findings_data *data, const struct group *group)
{
	if (!group->key[3])
		return false;
	if (data->run->isa == 1)
		return group->key[0] == VMX_EPT_MISCONFIG ||
		       (group->key[0] == VMX_EPT_VIOLATION && group->to_user);
	/* The I/O APIC and the local APIC are emulated in the kernel. */
	return group->key[0] == SVM_NPF &&
	       (group->to_user || (group->key[1] >= 0xfec00000 && group->key[1] <= 0xfee00fff));
}

struct group findings_mmio(const struct findings_data *data, int64_t low, int64_t high)
{
	struct group sum = group_empty();

	for (uint32_t i = 0; i < data->keys.groups; i++) {
		const struct group *group = &data->keys.group[i];

		if (is_mmio(data, group) && group->key[1] >= low && group->key[1] <= high)
			group_add(&sum, group);
	}
	return sum;
}

static int by_address(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Different values of the addresses, which are sorted, without their low @bits. */
static uint64_t count_different(const int64_t *address, uint32_t n, int bits)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < n; i++)
		count += !i || address[i] >> bits != address[i - 1] >> bits;
	return count;
}

int findings_pages(const struct findings_data *data, struct findings_pages *pages)
{
	int64_t *address = calloc((size_t)data->keys.groups + 1, sizeof(*address));
	uint32_t n = 0;

	*pages = (struct findings_pages){.faults = group_empty()};
	if (!address)
		return app_fail(data->app, "out of memory");

	for (uint32_t i = 0; i < data->keys.groups; i++) {
		const struct group *group = &data->keys.group[i];

		if (!is_reason(data, group, VMX_EPT_VIOLATION, SVM_NPF) || !group->key[3] ||
		    is_mmio(data, group))
			continue;
		group_add(&pages->faults, group);
		address[n++] = group->key[1];
	}

	array_sort(address, n, sizeof(*address), by_address);
	pages->pages = count_different(address, n, 12);
	pages->regions = count_different(address, n, 21);
	free(address);
	return 0;
}

static bool shows_several_vms(const struct run *run)
{
	for (unsigned int i = 1; i < run->n_vcpus; i++) {
		if (run->vcpus[i].vm != run->vcpus[0].vm)
			return true;
	}
	return false;
}

int findings_pages_by_vm(const struct findings_data *data, struct findings_pages *pages)
{
	static const char sql[] =
		"SELECT count(DISTINCT vm || ':' || (key >> 12)), count(DISTINCT vm || ':' || (key >> 21)) FROM ("
		"SELECT c.vm_id AS vm, e.key AS key FROM exit e JOIN vcpu c ON c.id = e.vcpu WHERE %s AND e.key IS NOT NULL"
		" AND NOT e.flags & 4 AND CASE ?1 WHEN 1 THEN e.reason & 0xffff = 48"
		" ELSE e.reason = 0x400 AND NOT e.key BETWEEN 0xfec00000 AND 0xfee00fff END)";
	sqlite3_stmt *stmt;
	int rc;

	if (!shows_several_vms(data->run))
		return 0;
	if (where_prepare(data->app, data->run, sql, &stmt))
		return -1;
	sqlite3_bind_int64(stmt, 1, data->run->isa);
	rc = db_step(data->app, stmt);
	if (rc > 0) {
		pages->pages = (uint64_t)sqlite3_column_int64(stmt, 0);
		pages->regions = (uint64_t)sqlite3_column_int64(stmt, 1);
	}
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}
