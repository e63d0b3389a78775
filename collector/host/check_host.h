/* SPDX-License-Identifier: GPL-2.0-only */
/* check_host.h - what this host lacks for each source of VM exits, and the way out */
#ifndef EXITSCOPE_COLLECTOR_HOST_CHECK_HOST_H
#define EXITSCOPE_COLLECTOR_HOST_CHECK_HOST_H

#define CHECK_HOST_MAX 16

enum host_state {
	HOST_OK,
	HOST_MISSING,  /* something that one source, or a check, could use */
	HOST_REQUIRED, /* something that the device source can't do without */
};

struct host_check {
	enum host_state state;
	const char *name; /* of what was looked at */
	char text[320];	  /* what was found, and the way out in brackets */
};

/*
 * Looks below @root ("" but in tests) at a host with kernel @release (uname -r).
 * Changes nothing. Returns the number of @checks that it filled in.
 */
int check_host(const char *root, const char *release, struct host_check checks[CHECK_HOST_MAX]);

#endif
