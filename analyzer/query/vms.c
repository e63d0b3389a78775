// SPDX-License-Identifier: GPL-2.0-only
/*
 * vms.c - the VMs of a run and their names; see vms.h
 */
#include "analyzer/query/vms.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "base/array.h"

#define NAME_BYTES 256 /* of one pattern */

static int add_vm(struct app *app, struct run *run, sqlite3_stmt *stmt)
{
	struct vm_ref *vm = array_reserve(run->vms, run->n_vms, 1, sizeof(*vm));

	if (!vm)
		return app_fail(app, "out of memory");
	run->vms = vm;

	vm += run->n_vms++;
	*vm = (struct vm_ref){
		.id = sqlite3_column_int64(stmt, 0),
		.tgid = sqlite3_column_int64(stmt, 1),
		.label = db_text(stmt, 2),
		.name = db_text(stmt, 3),
		.uuid = db_text(stmt, 4),
		.comm = db_text(stmt, 5),
	};
	if (!vm->label || !vm->name || !vm->uuid || !vm->comm)
		return app_fail(app, "out of memory");
	return 0;
}

int vms_read(struct app *app, struct run *run)
{
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(
		    app, &stmt,
		    "SELECT vm, tgid, label, name, uuid, comm FROM vms WHERE run = ?1 ORDER BY vm"))
		return -1;
	sqlite3_bind_int64(stmt, 1, run->id);
	while ((rc = db_step(app, stmt)) > 0) {
		if (add_vm(app, run, stmt)) {
			rc = -1;
			break;
		}
	}
	sqlite3_finalize(stmt);
	return rc;
}

void vms_free(struct run *run)
{
	for (unsigned int i = 0; i < run->n_vms; i++) {
		free(run->vms[i].label);
		free(run->vms[i].name);
		free(run->vms[i].uuid);
		free(run->vms[i].comm);
	}
	free(run->vms);
}

const struct vm_ref *vms_find(const struct run *run, int64_t id)
{
	unsigned int low = 0, high = run->n_vms;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (run->vms[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < run->n_vms && run->vms[low].id == id ? &run->vms[low] : NULL;
}

const char *vms_label(const struct run *run, int64_t id)
{
	const struct vm_ref *vm = vms_find(run, id);

	return vm ? vm->label : "?";
}

/* Whether the word of @length bytes is a number or a range of numbers, as for ranges_parse(). */
static bool is_number(const char *word, size_t length)
{
	return length && strspn(word, "0123456789-xabcdefABCDEF") >= length && *word >= '0' &&
	       *word <= '9' &&
	       (strspn(word, "0123456789-") >= length || (word[0] == '0' && word[1] == 'x'));
}

int vms_parse(struct app *app, const char *text, struct vms_filter *filter)
{
	char *numbers, *number, *pattern;
	int rc = 0;

	*filter = (struct vms_filter){.is_all = !text};
	if (!text)
		return 0;
	numbers = calloc(1, strlen(text) + 2);
	filter->patterns = calloc(1, strlen(text) + 2);
	if (!numbers || !filter->patterns) {
		free(numbers);
		return app_fail(app, "out of memory");
	}

	number = numbers;
	pattern = filter->patterns;
	while (*text) {
		size_t length = strcspn(text, ",");

		/* A number may be a name too: it is looked for as both. */
		if (is_number(text, length)) {
			number = stpncpy(number, text, length);
			*number++ = ',';
		}
		pattern = stpncpy(pattern, text, length);
		*pattern++ = ',';
		text += length + (text[length] == ',');
	}

	if (number > numbers) {
		number[-1] = '\0';
		rc = ranges_parse(app, "--vm", numbers, &filter->numbers);
	}
	free(numbers);
	return rc;
}

bool vms_pass(const struct vms_filter *filter, const struct vm_ref *vm)
{
	const char *list = filter->patterns;
	char pattern[NAME_BYTES];

	if (filter->is_all || (filter->numbers.n && (ranges_has(&filter->numbers, vm->id) ||
						     ranges_has(&filter->numbers, vm->tgid))))
		return true;

	while (*list) {
		size_t length = strcspn(list, ",");

		if (length && length < sizeof(pattern)) {
			memcpy(pattern, list, length);
			pattern[length] = '\0';
			if (!fnmatch(pattern, vm->label, 0) ||
			    (*vm->name && !fnmatch(pattern, vm->name, 0)) ||
			    (*vm->uuid && !fnmatch(pattern, vm->uuid, 0)))
				return true;
		}
		list += length + (list[length] == ',');
	}
	return false;
}
