// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols.c - names of guest addresses; see symbols.h
 */
#include "analyzer/query/guest/symbols.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/guest/text_file.h"
#include "base/array.h"

#define LARGEST_FILE	 (1UL << 30)
#define LARGEST_FUNCTION (1UL << 20) /* where the file has no sizes */

static int add(struct symbols *s, uint64_t address, uint64_t size, const char *name)
{
	struct symbol *more = array_reserve(s->symbol, s->n, 1, sizeof(*more));

	if (!more)
		return -1;
	s->symbol = more;
	more[s->n++] = (struct symbol){address, size, name};
	return 0;
}

/* Lines "address type name" (kallsyms: and a module). */
static int parse_map(struct symbols *s)
{
	char *next;

	for (char *line = s->text; line && *line; line = next) {
		uint64_t address;
		char *end;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		address = strtoull(line, &end, 16);
		if (end == line || *end != ' ' || !strchr("tTwW", end[1]) || !end[1] ||
		    end[2] != ' ')
			continue;
		end += 3;
		end[strcspn(end, " \t\r")] = '\0';
		if (add(s, address, 0, end))
			return -ENOMEM;
	}
	return 0;
}

/* A part of the file of @n entries of @size bytes; NULL: it is not all there. */
static const void *part(const struct symbols *s, uint64_t offset, uint64_t n, uint64_t size)
{
	uint64_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes) || offset > s->text_bytes ||
	    bytes > s->text_bytes - offset)
		return NULL;
	return s->text + offset;
}

static int parse_section(struct symbols *s, const Elf64_Shdr *table, const Elf64_Shdr *names)
{
	const char *text = part(s, names->sh_offset, names->sh_size, 1);
	uint64_t n = table->sh_size / sizeof(Elf64_Sym);
	const char *symbols = part(s, table->sh_offset, n, sizeof(Elf64_Sym));

	if (!text || !symbols || !names->sh_size || text[names->sh_size - 1])
		return -EINVAL;
	for (uint64_t i = 0; i < n; i++) {
		Elf64_Sym symbol;

		memcpy(&symbol, symbols + i * sizeof(symbol), sizeof(symbol));
		if ((ELF64_ST_TYPE(symbol.st_info) == STT_FUNC ||
		     (ELF64_ST_TYPE(symbol.st_info) == STT_NOTYPE && symbol.st_shndx != SHN_ABS)) &&
		    symbol.st_shndx != SHN_UNDEF && symbol.st_name &&
		    symbol.st_name < names->sh_size &&
		    add(s, symbol.st_value, symbol.st_size, text + symbol.st_name))
			return -ENOMEM;
	}
	return 0;
}

static int parse_elf(struct symbols *s)
{
	const char *sections;
	Elf64_Ehdr header;
	int rc = 0;

	if (s->text_bytes < sizeof(header))
		return -EINVAL;
	memcpy(&header, s->text, sizeof(header));
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
		return -EINVAL;
	sections = part(s, header.e_shoff, header.e_shnum, sizeof(Elf64_Shdr));
	if (!sections)
		return -EINVAL;
	for (unsigned int i = 0; i < header.e_shnum && !rc; i++) {
		Elf64_Shdr table, names;

		memcpy(&table, sections + i * sizeof(table), sizeof(table));
		if (table.sh_type != SHT_SYMTAB || table.sh_link >= header.e_shnum)
			continue;
		memcpy(&names, sections + table.sh_link * sizeof(names), sizeof(names));
		rc = parse_section(s, &table, &names);
	}
	return rc;
}

/* By address; of several at one address the longest name last letter first is
 * no better than another: take the first by name, so that it is always the same.
 */
static int compare(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return strcmp(x->name, y->name);
}

int symbols_load(struct app *app, const char *path, struct symbols *s)
{
	size_t kept = 0;
	int rc;

	memset(s, 0, sizeof(*s));
	if (text_file_read(app, path, LARGEST_FILE, &s->text, &s->text_bytes))
		return -1;

	rc = s->text_bytes >= SELFMAG && !memcmp(s->text, ELFMAG, SELFMAG) ? parse_elf(s)
									   : parse_map(s);

	if (rc == -ENOMEM)
		return app_fail(app, "out of memory");
	if (rc)
		return app_fail(app, "%s: a damaged or 32-bit ELF file", path);
	if (!s->n)
		return app_fail(
			app,
			"%s: no symbols of code in it (a full System.map, a copy of the guest's /proc/kallsyms, or an ELF file with symbols)",
			path);

	qsort(s->symbol, s->n, sizeof(*s->symbol), compare);
	if (!s->symbol[s->n - 1].address)
		return app_fail(app, "%s: all addresses are 0 (kallsyms: read it as root)", path);

	for (size_t i = 0; i < s->n; i++)
		if (!kept || s->symbol[i].address != s->symbol[kept - 1].address)
			s->symbol[kept++] = s->symbol[i];
	s->n = kept;
	return 0;
}

void symbols_free(struct symbols *s)
{
	free(s->symbol);
	free(s->text);
	memset(s, 0, sizeof(*s));
}

const struct symbol *symbols_find(const struct symbols *s, uint64_t address, uint64_t *offset)
{
	size_t low = 0, high = s->n;

	address -= s->slide;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->symbol[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	*offset = address - s->symbol[low - 1].address;
	if (*offset >= (s->symbol[low - 1].size ? s->symbol[low - 1].size : LARGEST_FUNCTION))
		return NULL;
	return &s->symbol[low - 1];
}

const char *symbols_name(const struct symbols *s, uint64_t address, char *text, size_t size)
{
	uint64_t offset;
	const struct symbol *symbol = symbols_find(s, address, &offset);

	*text = '\0';
	if (symbol)
		snprintf(text, size, "%s+0x%llx", symbol->name, (unsigned long long)offset);
	return text;
}
