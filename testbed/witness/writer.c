// SPDX-License-Identifier: GPL-2.0-only
/* writer.c - what the libraries inside the two emulators share: the file, symbols, hooks */
#include "testbed/witness/writer.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_BYTES (2UL << 30) /* sparse; 24 million exits */
#define FILE_EXITS ((FILE_BYTES - sizeof(struct witness_file)) / sizeof(struct witness_exit))
#define PAGE_BYTES 4096UL
#define JUMP_BYTES 14U

static struct witness_file *witness;

void witness_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("witness: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	fflush(stderr);

	_exit(1);
}

void *witness_symbol(const char *name)
{
	void *symbol = dlsym(RTLD_DEFAULT, name);

	if (!symbol)
		witness_fail(
			"%s: this emulator has no such symbol (testbed/witness/README.md names the tried versions)",
			name);
	return symbol;
}

void witness_replace(void *function, void *to)
{
	uint8_t jump[JUMP_BYTES] = {0xff, 0x25}; /* jmp *0(%rip), with the address after it */
	uintptr_t page = (uintptr_t)function & -PAGE_BYTES;

	memcpy(jump + JUMP_BYTES - sizeof(to), &to, sizeof(to));

	/* Two pages: the function may lie across their border. */
	if (mprotect((void *)page, 2 * PAGE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC))
		witness_fail("mprotect: %s", strerror(errno));
	memcpy(function, jump, sizeof(jump));
	if (mprotect((void *)page, 2 * PAGE_BYTES, PROT_READ | PROT_EXEC))
		witness_fail("mprotect: %s", strerror(errno));
}

void witness_create(uint32_t isa)
{
	const char *path = getenv("WITNESS_FILE");
	int fd;

	if (!path)
		witness_fail("WITNESS_FILE: not set (it names the file to write)");
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || ftruncate(fd, FILE_BYTES))
		witness_fail("%s: %s", path, strerror(errno));

	witness = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (witness == MAP_FAILED)
		witness_fail("%s: mmap: %s", path, strerror(errno));
	close(fd);

	witness->version = WITNESS_VERSION;
	witness->exit_bytes = sizeof(struct witness_exit);
	witness->isa = isa;
	witness->magic = WITNESS_MAGIC;
}

void witness_describe(bool exact, uint32_t late, uint32_t cpus)
{
	witness->exact = exact;
	witness->late = late;
	witness->cpus = cpus;
}

void witness_append(const struct witness_exit *exit)
{
	if (witness->count == FILE_EXITS) {
		witness->lost++;
		return;
	}

	/* Killed between the two, the emulator leaves a file without the last exit. */
	witness->exits[witness->count] = *exit;
	witness->count++;
}

void witness_unpaired(void)
{
	witness->unpaired++;
}
