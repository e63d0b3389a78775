/* SPDX-License-Identifier: GPL-2.0-only */
/* http.h - what a request asks for; the text is from anybody */
#ifndef EXITSCOPE_COLLECTOR_LISTEN_HTTP_H
#define EXITSCOPE_COLLECTOR_LISTEN_HTTP_H

#include <stdbool.h>
#include <stddef.h>

/* HTTP_MORE: its end has not come yet; else the status of the answer. */
enum http_status {
	HTTP_MORE = 0,
	HTTP_OK = 200,
	HTTP_BAD = 400,
	HTTP_NOT_FOUND = 404,
	HTTP_METHOD = 405,
	HTTP_TOO_LONG = 431,
	HTTP_UNAVAILABLE = 503,
};

/*
 * http_parse - read a request
 * @request, @bytes: what has come of it; need not end with a 0
 * @room: bytes at which it is too long
 * @head: set to whether it is HEAD
 */
enum http_status http_parse(const char *request, size_t bytes, size_t room, bool *head);

/* The words after the status. */
const char *http_reason(enum http_status status);

#endif
