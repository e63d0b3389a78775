// SPDX-License-Identifier: GPL-2.0-only
/* address.c - ADDRESS:PORT as a socket's address; see address.h */
#include "collector/listen/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"

static bool parse_port(const char *text, in_port_t *port)
{
	int64_t number;

	if (units_parse_whole(text, 0, 65535, &number))
		return false;
	*port = htons((in_port_t)number);
	return true;
}

bool address_parse(const char *text, union address *address, socklen_t *bytes)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;
	char host[INET6_ADDRSTRLEN + 2];

	memset(address, 0, sizeof(*address));
	if (!length || length >= sizeof(host))
		return false;
	memcpy(host, text, length);
	host[length] = '\0';

	if (*host != '[') {
		address->v4.sin_family = AF_INET;
		*bytes = sizeof(address->v4);
		return inet_pton(AF_INET, host, &address->v4.sin_addr) == 1 &&
		       parse_port(colon + 1, &address->v4.sin_port);
	}

	if (host[length - 1] != ']')
		return false;
	host[length - 1] = '\0';
	address->v6.sin6_family = AF_INET6;
	*bytes = sizeof(address->v6);
	return inet_pton(AF_INET6, host + 1, &address->v6.sin6_addr) == 1 &&
	       parse_port(colon + 1, &address->v6.sin6_port);
}

bool address_is_loopback(const union address *address)
{
	if (address->any.sa_family == AF_INET)
		return ntohl(address->v4.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

void address_print(const union address *address, char text[ADDRESS_TEXT_BYTES])
{
	bool v4 = address->any.sa_family == AF_INET;
	char host[INET6_ADDRSTRLEN] = "";

	if (v4)
		inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof(host));
	else
		inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof(host));
	snprintf(text, ADDRESS_TEXT_BYTES, v4 ? "%s:%u" : "[%s]:%u", host,
		 ntohs(v4 ? address->v4.sin_port : address->v6.sin6_port));
}
