/* SPDX-License-Identifier: GPL-2.0-only */
/* A page that keeps the kernel waiting when it reads or writes it, by userfaultfd(2). */
#ifndef KVM_TEST_DEVICE_LATE_PAGE_H
#define KVM_TEST_DEVICE_LATE_PAGE_H

#include "kvm/test/common/check.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LATE_PAGE_BYTES 4096

/* struct late_page - who accesses @at waits: for the page itself, or with @readable to write it */
struct late_page {
	int readable;
	int uffd;
	void *at;
};

/* Registers the page at p->at. */
static inline void late_page_register(struct late_page *p)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register area = {.mode = p->readable ? UFFDIO_REGISTER_MODE_WP
							   : UFFDIO_REGISTER_MODE_MISSING};
	struct uffdio_writeprotect protect = {.mode = UFFDIO_WRITEPROTECT_MODE_WP};

	/* poll() fails on a blocking one. */
	p->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	CHECK(p->uffd >= 0 && !ioctl(p->uffd, UFFDIO_API, &api));
	area.range = (struct uffdio_range){(uintptr_t)p->at, LATE_PAGE_BYTES};
	protect.range = area.range;
	CHECK(!ioctl(p->uffd, UFFDIO_REGISTER, &area));
	CHECK(!p->readable || !ioctl(p->uffd, UFFDIO_WRITEPROTECT, &protect));
}

/* A page of its own; one that can be read begins with @content. */
static inline void late_page_open(struct late_page *p, int readable, uint32_t content)
{
	p->readable = readable;
	p->at = mmap(NULL, LATE_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	CHECK(p->at != MAP_FAILED);
	if (readable)
		*(volatile uint32_t *)p->at = content;
	late_page_register(p);
}

/* A page of a mapping, not used so far, which is missing from now on. */
static inline void late_page_cover(struct late_page *p, void *at)
{
	p->readable = 0;
	p->at = at;
	late_page_register(p);
}

/* Returns when somebody waits for the page, but not before. */
static inline void late_page_wait(const struct late_page *p)
{
	struct pollfd waiting = {.fd = p->uffd, .events = POLLIN};

	CHECK(poll(&waiting, 1, -1) == 1 && waiting.revents == POLLIN);
}

/* The page, of zeros, is there from now on. */
static inline void late_page_serve(const struct late_page *p)
{
	struct uffdio_range range = {(uintptr_t)p->at, LATE_PAGE_BYTES};
	struct uffdio_zeropage zero = {.range = range};
	struct uffdio_writeprotect writable = {.range = range};

	CHECK(p->readable ? !ioctl(p->uffd, UFFDIO_WRITEPROTECT, &writable)
			  : !ioctl(p->uffd, UFFDIO_ZEROPAGE, &zero));
}

static inline void late_page_close(const struct late_page *p)
{
	CHECK(!munmap(p->at, LATE_PAGE_BYTES));
	close(p->uffd);
}

#endif
