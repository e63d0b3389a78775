// SPDX-License-Identifier: GPL-2.0-only
/* whole_file.c - a file from elsewhere, mapped as a whole; see whole_file.h */
#include "collector/source/trace/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int check(int fd, uint64_t *size)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	*size = (uint64_t)st.st_size;
	return *size ? 0 : -EBADMSG;
}

int whole_file_map(const char *path, const unsigned char **data, uint64_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *at;
	int rc;

	if (fd < 0)
		return -errno;

	rc = check(fd, size);
	if (!rc) {
		at = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (at == MAP_FAILED)
			rc = -errno;
		else
			*data = at;
	}
	close(fd);
	return rc;
}

uint64_t whole_file_next(const unsigned char *data, uint64_t size, const void *magic, size_t bytes)
{
	const unsigned char *found = size ? memmem(data + 1, size - 1, magic, bytes) : NULL;

	return found ? (uint64_t)(found - data) : 0;
}

void whole_file_unmap(const unsigned char *data, uint64_t size)
{
	if (data)
		munmap((void *)data, size);
}
