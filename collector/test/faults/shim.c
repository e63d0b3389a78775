// SPDX-License-Identifier: GPL-2.0-only
/*
 * shim.c - makes system calls for a database fail, for LD_PRELOAD
 *
 * Calls on files whose path contains FAULT_PATH are counted, if FAULT_CALLS has their letter:
 *
 *	o open	r read	w write	s sync	t truncate	m mmap
 *
 * Call number FAULT_AT (from 1) fails with FAULT_ERRNO, and so do all after it with FAULT_STICKS.
 * Each call sleeps for FAULT_SLOW_US first. At the end the count is written to file FAULT_COUNT.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Descriptors above are not watched. */
#define FDS_MAX 1024

static bool watched[FDS_MAX];
static unsigned long calls;

static long number(const char *name)
{
	const char *text = getenv(name);

	return text ? atol(text) : 0;
}

/* Whether this call is to fail; errno is set then. */
static bool is_to_fail(char letter)
{
	const char *letters = getenv("FAULT_CALLS");
	unsigned long at = (unsigned long)number("FAULT_AT");

	if (!letters || !strchr(letters, letter))
		return false;
	if (number("FAULT_SLOW_US"))
		usleep((useconds_t)number("FAULT_SLOW_US"));
	calls++;
	if (!at || calls < at || (calls > at && !getenv("FAULT_STICKS")))
		return false;
	errno = (int)number("FAULT_ERRNO");
	return true;
}

static bool is_watched(int fd)
{
	return fd >= 0 && fd < FDS_MAX && watched[fd];
}

__attribute__((destructor)) static void write_count(void)
{
	const char *path = getenv("FAULT_COUNT");
	FILE *file = path ? fopen(path, "w") : NULL;

	if (!file)
		return;
	fprintf(file, "%lu\n", calls);
	fclose(file);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static bool is_path(const char *path)
{
	const char *part = getenv("FAULT_PATH");

	return part && strstr(path, part);
}

static int open_file(const char *path, int flags, mode_t mode)
{
	int fd;

	if (is_path(path) && is_to_fail('o'))
		return -1;
	fd = REAL(open64)(path, flags, mode);
	if (fd >= 0 && fd < FDS_MAX)
		watched[fd] = is_path(path);
	return fd;
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list list;

	va_start(list, flags);
	if (flags & O_CREAT)
		mode = va_arg(list, mode_t);
	va_end(list);
	return open_file(path, flags, mode);
}

/* On x86-64 they are the same. */
int open64(const char *path, int flags, ...) __attribute__((alias("open")));

ssize_t read(int fd, void *data, size_t bytes)
{
	return is_watched(fd) && is_to_fail('r') ? -1 : REAL(read)(fd, data, bytes);
}

ssize_t pread64(int fd, void *data, size_t bytes, off64_t offset)
{
	return is_watched(fd) && is_to_fail('r') ? -1 : REAL(pread64)(fd, data, bytes, offset);
}

ssize_t write(int fd, const void *data, size_t bytes)
{
	return is_watched(fd) && is_to_fail('w') ? -1 : REAL(write)(fd, data, bytes);
}

ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t offset)
{
	return is_watched(fd) && is_to_fail('w') ? -1 : REAL(pwrite64)(fd, data, bytes, offset);
}

int fsync(int fd)
{
	return is_watched(fd) && is_to_fail('s') ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd)
{
	return is_watched(fd) && is_to_fail('s') ? -1 : REAL(fdatasync)(fd);
}

int ftruncate64(int fd, off64_t size)
{
	return is_watched(fd) && is_to_fail('t') ? -1 : REAL(ftruncate64)(fd, size);
}

void *mmap64(void *address, size_t bytes, int protection, int flags, int fd, off64_t offset)
{
	if (is_watched(fd) && is_to_fail('m'))
		return MAP_FAILED;
	return REAL(mmap64)(address, bytes, protection, flags, fd, offset);
}
