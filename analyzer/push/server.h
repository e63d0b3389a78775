/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * server.h - a ClickHouse server, asked by HTTP or HTTPS
 *
 * What a server answers is from elsewhere: it is bounded, and cleaned before it is shown.
 */
#ifndef EXITSCOPE_ANALYZER_PUSH_SERVER_H
#define EXITSCOPE_ANALYZER_PUSH_SERVER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/query/app.h"

/* Most bytes of an answer that are read. */
#define SERVER_ANSWER_MAX (32U << 20)

/* The same of a statement that has no answer: enough to quote what comes instead. */
#define SERVER_NO_ANSWER_MAX (64U << 10)

/* Of what a server said, with the 0 at its end: its first words. */
#define SERVER_SAID_MAX 200

#define SERVER_USER_MAX 256

/* How soon a server that is away is tried again; server_next_pause() has the later ones. */
#define SERVER_FIRST_PAUSE_NS INT64_C(200000000)

/*
 * struct server_options - how to reach servers, and how long to try
 * @login: file with the user in its first line and the password in its second; NULL: none
 * @ca: file with the certificates that servers' are signed by; NULL: the system's
 * @cert: file with the client's certificate and its key, PEM; NULL: none
 * @give_up_ns: how long to try again after lost connections and errors of the server; -1: for ever
 * @stop: when it becomes true, all ends as soon as it can; may be NULL
 * @report: called with what went wrong and is tried again, and when that is over; may be NULL
 */
struct server_options {
	const char *login;
	const char *ca;
	const char *cert;
	int64_t give_up_ns;
	const volatile sig_atomic_t *stop;
	void (*report)(void *context, const char *text);
	void *context;
};

/*
 * struct server - a server; the same connection is used for all requests
 * @url: as it was given, without / at its end
 * @answer: the last answer, with a 0 at its end
 * @answer_most: how many bytes of it are read
 * @retries: attempts that failed and were made again
 * @away_since_ns: CLOCK_MONOTONIC of the first of them since the last answer; 0: there is none
 * @leave_when_away: of the caller: what would be tried again is an error at once, with
 * @is_away, which the caller takes back
 */
struct server {
	struct app *app;
	const struct server_options *options;
	char url[512];
	void *curl;
	void *headers;
	char user[SERVER_USER_MAX];
	char password[SERVER_USER_MAX];

	char *answer;
	size_t answer_bytes;
	size_t answer_most;
	bool is_too_long;
	uint64_t retries;
	int64_t away_since_ns;
	bool leave_when_away;
	bool is_away;
};

/*
 * server_open - check a server's address, and read the login; nothing is sent
 * @url: http or https, without user, password and parameters; its @length first letters
 * @app: gets errors
 *
 * A password is sent over http to this machine alone, and what is for this machine through no
 * proxy. Return: 0, or -1 with app->error; call server_close() in any case.
 */
int server_open(struct server *server, struct app *app, const struct server_options *options,
		const char *url, size_t length);
void server_close(struct server *server);

/*
 * server_send - send a question, and try again until the server has answered it
 * @query: the statement
 * @token: NULL, or under which the server may recognise that it has the same data already
 * @data, @bytes: what belongs to an INSERT
 *
 * Lost connections and the status 408, 425, 429 and 5xx are tried again, after 0.2 s at first and
 * 30 s at last; anything else is an error at once, also a redirect: only the user decides where
 * the data goes. Return: 0 with server->answer, or -1 with app->error, which begins with the
 * server's URL.
 */
int server_send(struct server *server, const char *query, const char *token, const void *data,
		size_t bytes);

/*
 * server_execute - the same for a statement that changes something, such as INSERT
 *
 * Such a statement has no answer, so a text is an error with any status: login pages and many
 * proxies answer 200, and what was sent would be taken for stored.
 */
int server_execute(struct server *server, const char *query, const char *token, const void *data,
		   size_t bytes);

/* Take the last answer, which has a 0 at its end, to be freed by the caller; NULL: it is empty. */
char *server_take_answer(struct server *server);

/* The first words of the last answer, safe to show. */
void server_quote(const struct server *server, char said[SERVER_SAID_MAX]);

/* Sets app->error: this is not what a ClickHouse server answers. Return: -1. */
int server_fail_form(struct server *server, const char *said);

/* Whether the caller was asked to stop. */
bool server_stopped(const struct server_options *options);

/* Waits, less if the caller is asked to stop. */
void server_sleep(const struct server_options *options, int64_t ns);

/* The pause after one of @pause_ns: twice as long, 30 s at most. */
int64_t server_next_pause(int64_t pause_ns);

/* Sets *@host to where the host of a URL begins. Returns its length, without the port. */
size_t server_host(const char *url, const char **host);

#endif
