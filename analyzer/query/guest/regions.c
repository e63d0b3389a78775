// SPDX-License-Identifier: GPL-2.0-only
/*
 * regions.c - reads maps of guest memory; see regions.h
 */
#include "analyzer/query/guest/regions.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/guest/hypercalls.h"
#include "analyzer/query/guest/meaning.h"
#include "analyzer/query/guest/text_file.h"
#include "base/array.h"

#define LARGEST_FILE  ((size_t)16 << 20)
#define MOST_REGIONS  16384
#define AROUND	      (UINT64_C(2) << 20)
#define MTREE_VIEW    "FlatView #"
#define MTREE_MEMORY  "AS \"memory\""
#define MTREE_BRACKET "(prio "

/* Which lines of "info mtree -f" are of memory. A text of another kind has no views. */
enum view { VIEW_NONE, VIEW_MEMORY, VIEW_OTHER };

static int add(struct app *app, const char *path, struct regions *r, const struct region *region)
{
	struct region *more;

	if (r->n == MOST_REGIONS)
		return app_fail(app, "%s: more than %d regions", path, MOST_REGIONS);
	more = array_reserve(r->region, r->n, 1, sizeof(*more));
	if (!more)
		return app_fail(app, "out of memory");
	r->region = more;
	more[r->n++] = *region;
	return 0;
}

static char *skip_blanks(char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/*
 * What follows a range: ": Local APIC", "(prio 0, ram): pc.ram @0000000000000000 KVM", "NAME".
 * NULL: there is no name.
 */
static char *parse_name(char *text)
{
	char *name = skip_blanks(text), *end;

	if (!strncmp(name, MTREE_BRACKET, strlen(MTREE_BRACKET))) {
		name = strstr(name, "): ");
		if (!name)
			return NULL;
		name = skip_blanks(name + 3);
		end = strstr(name, " @");
		if (!end)
			end = strstr(name, " KVM");
		if (end)
			*end = '\0';
	} else if (*name == ':') {
		name = skip_blanks(name + 1);
	} else if (name == text) {
		return NULL;
	}
	return *name ? name : NULL;
}

/* A line with a range; false: it is none. */
static bool parse_region(char *line, struct region *region)
{
	if (!text_file_hex(&line, &region->first) || *line++ != '-' ||
	    !text_file_hex(&line, &region->last) || region->last < region->first)
		return false;
	region->name = parse_name(line);
	return region->name;
}

/* Follows the headings of "info mtree -f". Returns whether the line is one, or of no interest. */
static bool follow_view(const char *line, enum view *view)
{
	if (!*line || *line == '#')
		return true;
	if (!strncmp(line, MTREE_VIEW, strlen(MTREE_VIEW))) {
		*view = VIEW_OTHER;
		return true;
	}
	if (*view == VIEW_NONE)
		return false;
	if (!strncmp(line, MTREE_MEMORY, strlen(MTREE_MEMORY)))
		*view = VIEW_MEMORY;
	/* In a view ranges alone count, not "Root memory region: system" and the like. */
	return *view == VIEW_OTHER || !strstr(line, MTREE_BRACKET);
}

static int read_lines(struct app *app, const char *path, struct regions *r)
{
	char *rest = r->text, *line;
	enum view view = VIEW_NONE;
	uint64_t highest = 0;

	for (unsigned int number = 1; (line = text_file_next(&rest)); number++) {
		struct region region;

		if (follow_view(line, &view))
			continue;
		if (!parse_region(line, &region))
			return app_fail(
				app,
				"%s: line %u is not \"START-END NAME\" (a line of /proc/iomem, of QEMU's info mtree -f, or such as 0xfe000000-0xfe0001ff virtio-net)",
				path, number);
		highest = region.last > highest ? region.last : highest;
		if (add(app, path, r, &region))
			return -1;
	}
	if (!r->n)
		return app_fail(
			app,
			"%s: no region of memory in it (/proc/iomem, QEMU's info mtree -f, or lines START-END NAME)",
			path);
	if (!highest)
		return app_fail(app, "%s: all addresses are 0 (/proc/iomem: read it as root)",
				path);
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct region *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->last != y->last)
		return x->last > y->last ? -1 : 1;
	/* Of equal ones that of the later line counts: iomem has the inner one there. */
	return x->name < y->name ? -1 : 1;
}

static int sort(struct app *app, struct regions *r)
{
	r->reach = calloc(r->n, sizeof(*r->reach));
	if (!r->reach)
		return app_fail(app, "out of memory");

	array_sort(r->region, r->n, sizeof(*r->region), compare);
	for (size_t i = 0; i < r->n; i++) {
		uint64_t before = i ? r->reach[i - 1] : 0;

		r->reach[i] = r->region[i].last > before ? r->region[i].last : before;
	}
	return 0;
}

int regions_load(struct app *app, const char *path, struct regions *regions)
{
	size_t bytes;
	int rc;

	*regions = (struct regions){.n = 0};
	if (!path)
		return 0;

	rc = text_file_read(app, path, LARGEST_FILE, &regions->text, &bytes);
	if (!rc)
		rc = read_lines(app, path, regions);
	if (!rc)
		rc = sort(app, regions);
	if (rc)
		regions_free(regions);
	return rc;
}

void regions_free(struct regions *regions)
{
	free(regions->region);
	free(regions->reach);
	free(regions->text);
	*regions = (struct regions){.n = 0};
}

/* Regions that begin at @address or before it. */
static size_t count_begun(const struct regions *regions, uint64_t address)
{
	size_t low = 0, high = regions->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (regions->region[middle].first <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The region that an address is in; NULL: none. */
static const struct region *find_region(const struct regions *regions, uint64_t address)
{
	/* Back to one that goes on up to the address, as long as there can be one. */
	for (size_t i = count_begun(regions, address); i > 0 && regions->reach[i - 1] >= address;
	     i--)
		if (regions->region[i - 1].last >= address)
			return &regions->region[i - 1];
	return NULL;
}

void regions_place(const struct run *run, uint64_t address, struct region *place)
{
	const struct region *region = run->regions ? find_region(run->regions, address) : NULL;

	if (region) {
		*place = *region;
		return;
	}

	place->name = meaning_of_address(address, &place->first, &place->last);
	if (place->name)
		return;
	place->first = address & ~(AROUND - 1);
	place->last = place->first + AROUND - 1;
}

const char *regions_place_name(const struct run *run, uint64_t first, uint64_t last)
{
	const struct regions *regions = run->regions;
	struct region fixed;
	size_t i = regions ? count_begun(regions, first) : 0;

	for (; i > 0 && regions->region[i - 1].first == first; i--)
		if (regions->region[i - 1].last == last)
			return regions->region[i - 1].name;

	fixed.name = meaning_of_address(first, &fixed.first, &fixed.last);
	return fixed.name && fixed.first == first && fixed.last == last ? fixed.name : NULL;
}

const char *regions_meaning(struct app *app, int64_t vm, int64_t reason, int64_t key, int64_t aux,
			    char *text, size_t bytes)
{
	const struct run *run = &app->run;
	const struct region *region = NULL;

	if (run->regions && meaning_is_address(run->isa, reason))
		region = find_region(run->regions, (uint64_t)key);
	if (meaning_is_hypercall(run->isa, reason) && hypercalls_may_be_hyperv(app, vm)) {
		snprintf(text, bytes, "Hyper-V's? Its code (RCX) is not recorded");
		return text;
	}
	if (!region)
		return meaning_of_key(run->isa, reason, key, aux, text, bytes);
	snprintf(text, bytes, "%s", region->name);
	return text;
}
