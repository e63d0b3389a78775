// SPDX-License-Identifier: GPL-2.0-only
/* http_test.c - requests and addresses, also those that nobody should send */
#include <stdlib.h>
#include <string.h>

#include "collector/listen/address.h"
#include "collector/listen/http.h"
#include "sql/test/check.h"

#define ROOM 4096

static enum http_status parse(const char *request)
{
	bool head;

	return http_parse(request, strlen(request), ROOM, &head);
}

static void test_requests(void)
{
	bool head = false;

	CHECK_EQ(parse("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_OK);
	CHECK_EQ(parse("GET /metrics?a=b HTTP/1.0\n\n"), HTTP_OK);
	CHECK_EQ(http_parse("HEAD /metrics HTTP/1.1\r\n\r\n", 26, ROOM, &head), HTTP_OK);
	CHECK(head);

	CHECK_EQ(parse("GET / HTTP/1.1\r\n\r\n"), HTTP_NOT_FOUND);
	CHECK_EQ(parse("GET /metricsx HTTP/1.1\r\n\r\n"), HTTP_NOT_FOUND);
	CHECK_EQ(parse("GET /metrics/../x HTTP/1.1\r\n\r\n"), HTTP_NOT_FOUND);
	CHECK_EQ(parse("POST /metrics HTTP/1.1\r\n\r\n"), HTTP_METHOD);
	CHECK_EQ(parse("get /metrics HTTP/1.1\r\n\r\n"), HTTP_METHOD);

	CHECK_EQ(parse("\r\n\r\n"), HTTP_BAD);
	CHECK_EQ(parse("\n\n"), HTTP_BAD);
	CHECK_EQ(parse("GET /metrics\r\n\r\n"), HTTP_BAD);
	CHECK_EQ(parse("GET /metrics HTTP/2.0\r\n\r\n"), HTTP_BAD);
	CHECK_EQ(parse("GET  /metrics HTTP/1.1\r\n\r\n"), HTTP_BAD);
	CHECK_EQ(http_parse("GET /\0 HTTP/1.1\r\n\r\n", 19, ROOM, &head), HTTP_BAD);
}

static void test_parts(void)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
	char text[ROOM];
	bool head;

	CHECK_EQ(http_parse("", 0, ROOM, &head), HTTP_MORE);
	for (size_t i = 0; i + 1 < sizeof(request); i++)
		CHECK_EQ(http_parse(request, i, ROOM, &head), HTTP_MORE);

	memset(text, 'a', sizeof(text));
	CHECK_EQ(http_parse(text, ROOM - 1, ROOM, &head), HTTP_MORE);
	CHECK_EQ(http_parse(text, ROOM, ROOM, &head), HTTP_TOO_LONG);
}

/* Any bytes, and requests with a byte changed: an exact buffer lets a sanitizer see the ends. */
static void test_random(void)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\n\r\n";

	srandom(1);
	for (int round = 0; round < 100000; round++) {
		size_t bytes = (size_t)random() % sizeof(request);
		char *text = malloc(bytes + 1);
		bool head;

		memcpy(text, request, bytes);
		if (bytes && round % 2)
			text[(size_t)random() % bytes] = (char)random();
		else
			for (size_t i = 0; i < bytes; i++)
				text[i] = " \r\n?/GH1."[random() % 9];
		text = realloc(text, bytes ? bytes : 1);
		http_parse(text, bytes, ROOM, &head);
		free(text);
	}
}

static void test_addresses(void)
{
	static const char *const bad[] = {
		"",	   ":1",	 "127.0.0.1",	    "localhost:1",  "[::1]",
		"::1:1",   "127.0.0.1:", "127.0.0.1:65536", "[::1:1",	    "127.0.0.1:x",
		"127.1:1", "[]:1",	 "127.0.0.1:-1",    "[127.0.0.1]:1"};
	static const char *const loopback[] = {"127.0.0.1:9925", "127.9.9.9:0", "[::1]:9925"};
	static const char *const others[] = {"0.0.0.0:1", "[::]:1", "10.0.0.1:1",
					     "[::ffff:127.0.0.1]:1"};
	char text[ADDRESS_TEXT_BYTES];
	union address address;
	socklen_t bytes;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(!address_parse(bad[i], &address, &bytes));
	for (size_t i = 0; i < sizeof(loopback) / sizeof(*loopback); i++) {
		CHECK(address_parse(loopback[i], &address, &bytes));
		CHECK(address_is_loopback(&address));
		address_print(&address, text);
		CHECK(!strcmp(text, loopback[i]));
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		CHECK(address_parse(others[i], &address, &bytes));
		CHECK(!address_is_loopback(&address));
	}
}

int main(void)
{
	test_requests();
	test_parts();
	test_random();
	test_addresses();
	return check_result();
}
