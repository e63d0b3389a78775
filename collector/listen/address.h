/* SPDX-License-Identifier: GPL-2.0-only */
/* address.h - ADDRESS:PORT as a socket's address */
#ifndef EXITSCOPE_COLLECTOR_LISTEN_ADDRESS_H
#define EXITSCOPE_COLLECTOR_LISTEN_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Read 127.0.0.1:9925 or [::1]:9925; names are not looked up. Return: false for another text. */
bool address_parse(const char *text, union address *address, socklen_t *bytes);

/* Whether this machine alone reaches it: 127.0.0.0/8 or ::1. */
bool address_is_loopback(const union address *address);

#define ADDRESS_TEXT_BYTES 64

/* Write @address as address_parse() reads it. */
void address_print(const union address *address, char text[ADDRESS_TEXT_BYTES]);

#endif
