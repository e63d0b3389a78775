// SPDX-License-Identifier: GPL-2.0-only
/* http.c - what a request asks for (RFC 9112, as much of it as GET /metrics needs) */
#include "collector/listen/http.h"

#include <string.h>

#define PATH "/metrics"

/* The end of the header: an empty line. */
static bool is_complete(const char *request, size_t bytes)
{
	return memmem(request, bytes, "\r\n\r\n", 4) || memmem(request, bytes, "\n\n", 2);
}

/* Moves *@text after its first word and the blank that follows. Returns the word's length. */
static size_t take_word(const char **text, const char *end)
{
	const char *blank = memchr(*text, ' ', (size_t)(end - *text));
	size_t length = (size_t)((blank ? blank : end) - *text);

	*text = blank ? blank + 1 : end;
	return length;
}

static bool is_word(const char *text, size_t length, const char *word)
{
	return length == strlen(word) && !memcmp(text, word, length);
}

/* METHOD PATH HTTP/1.x */
static enum http_status parse_line(const char *line, size_t bytes, bool *head)
{
	const char *end = line + bytes;
	const char *method = line;
	size_t method_length = take_word(&line, end);
	const char *path = line;
	size_t path_length = take_word(&line, end);
	const char *query = memchr(path, '?', path_length);

	if (end - line != 8 || memcmp(line, "HTTP/1.", 7) || (line[7] != '0' && line[7] != '1'))
		return HTTP_BAD;

	*head = is_word(method, method_length, "HEAD");
	if (!*head && !is_word(method, method_length, "GET"))
		return HTTP_METHOD;
	if (query)
		path_length = (size_t)(query - path);
	return is_word(path, path_length, PATH) ? HTTP_OK : HTTP_NOT_FOUND;
}

enum http_status http_parse(const char *request, size_t bytes, size_t room, bool *head)
{
	const char *end = memchr(request, '\n', bytes);
	size_t length;

	*head = false;
	if (memchr(request, '\0', bytes))
		return HTTP_BAD;
	if (!is_complete(request, bytes))
		return bytes < room ? HTTP_MORE : HTTP_TOO_LONG;

	/* A complete one has an end of line. */
	length = (size_t)(end - request);
	if (length && request[length - 1] == '\r')
		length--;
	return parse_line(request, length, head);
}

const char *http_reason(enum http_status status)
{
	switch (status) {
	case HTTP_OK:
		return "OK";
	case HTTP_NOT_FOUND:
		return "Not Found";
	case HTTP_METHOD:
		return "Method Not Allowed";
	case HTTP_TOO_LONG:
		return "Request Header Fields Too Large";
	case HTTP_UNAVAILABLE:
		return "Service Unavailable";
	case HTTP_MORE:
	case HTTP_BAD:
		break;
	}
	return "Bad Request";
}
