// SPDX-License-Identifier: GPL-2.0-only
/*
 * server.c - a ClickHouse server, asked by HTTP or HTTPS; see server.h
 */
#include "analyzer/push/server.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "analyzer/push/curl.h"
#include "base/array.h"
#include "base/clean.h"

#define LAST_PAUSE_NS INT64_C(30000000000)
#define NAP_NS	      INT64_C(50000000)
#define SILENCE_S     300L
#define SILENCE_BYTES 100L

/* What an attempt ended with. */
enum outcome { OUTCOME_DONE, OUTCOME_AGAIN, OUTCOME_STOP };

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool server_stopped(const struct server_options *options)
{
	return options->stop && *options->stop;
}

void server_sleep(const struct server_options *options, int64_t ns)
{
	int64_t end = now_ns() + ns;

	while (!server_stopped(options) && now_ns() < end) {
		struct timespec nap = {0, NAP_NS};

		nanosleep(&nap, NULL);
	}
}

int64_t server_next_pause(int64_t pause_ns)
{
	return pause_ns < LAST_PAUSE_NS / 2 ? 2 * pause_ns : LAST_PAUSE_NS;
}

size_t server_host(const char *url, const char **host)
{
	const char *scheme = strstr(url, "://");
	size_t length;

	*host = scheme ? scheme + 3 : url;
	length = strcspn(*host, **host == '[' ? "]/" : ":/");
	return length + ((*host)[length] == ']');
}

/* The host of a URL is this machine. */
static bool is_loopback(const char *url)
{
	const char *host;
	size_t length = server_host(url, &host);

	return (length == 5 && !strncmp(host, "[::1]", 5)) ||
	       (length == 9 && !strncmp(host, "localhost", 9)) ||
	       (!strncmp(host, "127.", 4) && strspn(host, "0123456789.") == length);
}

static int check_url(struct server *server)
{
	struct app *app = server->app;
	bool is_https = !strncmp(server->url, "https://", 8);
	const char *host = strstr(server->url, "://");
	size_t length = strlen(server->url);

	/* A password there would be in the list of processes. */
	if (strchr(server->url, '@'))
		return app_fail(app,
				"a URL must not have a user or password in it (use --login FILE)");

	if (!is_https && strncmp(server->url, "http://", 7) != 0)
		return app_fail(app, "%s: not the URL of a server (https://HOST:PORT)",
				server->url);

	host += 3;
	if (!*host || *host == '/' || *host == ':')
		return app_fail(app, "%s: a URL without a host (https://HOST:PORT)", server->url);
	if (strpbrk(server->url, "?#"))
		return app_fail(app, "%s: a URL with parameters (https://HOST:PORT is enough)",
				server->url);

	for (size_t i = 0; i < length; i++) {
		if (!isgraph((unsigned char)server->url[i]))
			return app_fail(app, "%s: not a URL", server->url);
	}

	if (!is_https && server->options->login && !is_loopback(server->url))
		return app_fail(app, "%s: the password could be read on its way (use https)",
				server->url);
	return 0;
}

/* A line of the login file without its end. */
static bool read_line(FILE *file, char line[SERVER_USER_MAX])
{
	if (!fgets(line, SERVER_USER_MAX, file))
		return false;
	line[strcspn(line, "\r\n")] = '\0';
	return *line;
}

static int read_login(struct server *server)
{
	const char *path = server->options->login;
	struct app *app = server->app;
	struct stat st;
	FILE *file = fopen(path, "re");
	int rc = 0;

	if (!file)
		return app_fail(app, "%s: %s", path, strerror(errno));

	if (fstat(fileno(file), &st) || !S_ISREG(st.st_mode))
		rc = app_fail(app, "%s: not a file", path);
	else if (st.st_mode & (S_IRWXG | S_IRWXO))
		rc = app_fail(app, "%s: others may read the password (chmod 600 %s)", path, path);
	else if (!read_line(file, server->user) || !read_line(file, server->password))
		rc = app_fail(app, "%s: not two lines, the user and the password", path);
	else if (strchr(server->user, ':'))
		rc = app_fail(app, "%s: a user's name can't have a colon", path);
	fclose(file);
	return rc;
}

static size_t take_answer(char *data, size_t size, size_t n, void *context)
{
	struct server *server = context;
	size_t bytes = size * n;
	char *more;

	server->is_too_long = bytes > server->answer_most - server->answer_bytes;
	if (server->is_too_long)
		return 0;
	more = array_reserve(server->answer, server->answer_bytes, bytes + 1, 1);
	if (!more)
		return 0;

	server->answer = more;
	memcpy(more + server->answer_bytes, data, bytes);
	server->answer_bytes += bytes;
	more[server->answer_bytes] = '\0';
	return bytes;
}

/* Called several times a second while a request runs; ends it if it returns other than 0. */
static int watch(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct server *server = context;

	(void)a, (void)b, (void)c, (void)d;
	return server_stopped(server->options);
}

/* What holds for every request. */
static void set_up(struct server *server, const struct curl_library *lib)
{
	const struct server_options *options = server->options;
	CURL *curl = server->curl;

	/* Without "Expect: 100-continue", which costs a round trip. */
	server->headers = lib->slist_append(NULL, "Expect:");
	lib->easy_setopt(curl, CURLOPT_HTTPHEADER, (struct curl_slist *)server->headers);
	lib->easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	lib->easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
	/*
	 * So long with fewer bytes a second is a lost connection: a batch takes a server seconds,
	 * and one that sends a byte now and then must not hold us for ever.
	 */
	lib->easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, SILENCE_BYTES);
	lib->easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, SILENCE_S);
	lib->easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	lib->easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
	lib->easy_setopt(curl, CURLOPT_WRITEDATA, server);
	lib->easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	lib->easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch);
	lib->easy_setopt(curl, CURLOPT_XFERINFODATA, server);

	/* A proxy of the environment would get the password that is for this machine alone. */
	if (is_loopback(server->url))
		lib->easy_setopt(curl, CURLOPT_PROXY, "");
	if (options->login) {
		lib->easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		lib->easy_setopt(curl, CURLOPT_USERNAME, server->user);
		lib->easy_setopt(curl, CURLOPT_PASSWORD, server->password);
	}
	if (options->ca)
		lib->easy_setopt(curl, CURLOPT_CAINFO, options->ca);
	if (options->cert) {
		lib->easy_setopt(curl, CURLOPT_SSLCERT, options->cert);
		lib->easy_setopt(curl, CURLOPT_SSLKEY, options->cert);
	}
}

int server_open(struct server *server, struct app *app, const struct server_options *options,
		const char *url, size_t length)
{
	const struct curl_library *lib;

	*server = (struct server){.app = app, .options = options};
	while (length > strlen("https://") && url[length - 1] == '/')
		length--;
	if (length >= sizeof(server->url))
		return app_fail(app, "a URL is too long: at most %zu letters",
				sizeof(server->url) - 1);
	memcpy(server->url, url, length);
	if (check_url(server) || (options->login && read_login(server)))
		return -1;

	lib = curl_load();
	if (!lib)
		return app_fail(app, "libcurl is missing (apt-get install libcurl3-gnutls)");
	server->curl = lib->easy_init();
	if (!server->curl)
		return app_fail(app, "out of memory");
	set_up(server, lib);
	return 0;
}

void server_close(struct server *server)
{
	if (server->curl) {
		curl_load()->easy_cleanup(server->curl);
		curl_load()->slist_free_all(server->headers);
	}
	explicit_bzero(server->password, sizeof(server->password));
	free(server->answer);
	server->answer = NULL;
	server->curl = NULL;
}

/* URL/?query=QUERY&insert_deduplication_token=TOKEN, of the heap; NULL without memory. */
static char *make_url(const struct server *server, const char *query, const char *token)
{
	char *url = malloc(strlen(server->url) + 3 * strlen(query) + 128), *to = url;

	if (!url)
		return NULL;
	to += sprintf(to, "%s/?query=", server->url);
	for (; *query; query++)
		to += sprintf(to, isalnum((unsigned char)*query) ? "%c" : "%%%02X",
			      (unsigned char)*query);
	/* Else the status may be 200 before an error. */
	to += sprintf(to, "&wait_end_of_query=1");
	/* A user's profile may say async_insert: then 200 would come before the rows are stored. */
	if (token)
		sprintf(to, "&insert_deduplication_token=%.64s&async_insert=0", token);
	return url;
}

/* What is wrong with this side's TLS, or with the server's: trying again would not help. */
static bool is_for_good(CURLcode code)
{
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		return true;
	default:
		return false;
	}
}

/* Of a code that libcurl explains no further, or in words of each version of it. */
static const char *why_failed(CURLcode code)
{
	switch (code) {
	case CURLE_WRITE_ERROR:
		return "out of memory";
	case CURLE_URL_MALFORMAT:
		return "not a URL";
	default:
		return "no connection";
	}
}

char *server_take_answer(struct server *server)
{
	char *answer = server->answer;

	server->answer = NULL;
	server->answer_bytes = 0;
	return answer;
}

void server_quote(const struct server *server, char said[SERVER_SAID_MAX])
{
	snprintf(said, SERVER_SAID_MAX, "%s", server->answer_bytes ? server->answer : "");
	clean_text(said);
}

int server_fail_form(struct server *server, const char *said)
{
	return app_fail(server->app, "%s: an answer of another form than was asked for: %s",
			server->url, *said ? said : "nothing");
}

/* Sets app->error to what the server said: its first words. */
static void note_status(struct server *server, long status)
{
	char said[SERVER_SAID_MAX];
	char *end;

	server_quote(server, said);
	end = strstr(said, ", e.what()");
	if (end)
		*end = '\0';
	app_fail(server->app, "%s: the server refuses it with HTTP status %ld%s%s", server->url,
		 status, *said ? ": " : "", said);
}

/* Of a redirect, the address may be the one to name. */
static void note_redirect(struct server *server, long status)
{
	char address[SERVER_SAID_MAX];
	const char *to = NULL;

	curl_load()->easy_getinfo(server->curl, CURLINFO_REDIRECT_URL, &to);
	snprintf(address, sizeof(address), "%s", to ? to : "nowhere");
	/* Our statement is in it, or what the server likes. */
	address[strcspn(address, "?#")] = '\0';
	app_fail(
		server->app,
		"%s: it redirects with HTTP status %ld, which is not followed, to %s (name the server itself)",
		server->url, status, clean_text(address));
}

static enum outcome judge_status(struct server *server, long status)
{
	if (status >= 300 && status < 400)
		note_redirect(server, status);
	else
		note_status(server, status);
	return status >= 500 || status == 408 || status == 425 || status == 429 ? OUTCOME_AGAIN
										: OUTCOME_STOP;
}

/* Of an answer that is longer than what is read: the status counts, if it is an error's. */
static enum outcome judge_length(struct server *server, long status)
{
	char said[SERVER_SAID_MAX];

	if (status != 200)
		return judge_status(server, status);

	server_quote(server, said);
	if (server->answer_most == SERVER_ANSWER_MAX)
		app_fail(server->app, "%s: the answer has more than %u MiB", server->url,
			 SERVER_ANSWER_MAX >> 20);
	else
		server_fail_form(server, said);
	return OUTCOME_STOP;
}

static enum outcome judge(struct server *server, CURLcode code, long status, const char *detail)
{
	if (server_stopped(server->options)) {
		app_fail(server->app, "%s: stopped", server->url);
		return OUTCOME_STOP;
	}
	if (server->is_too_long)
		return judge_length(server, status);
	if (code) {
		app_fail(server->app, "%s: %s", server->url,
			 *detail && code != CURLE_URL_MALFORMAT ? detail : why_failed(code));
		return is_for_good(code) ? OUTCOME_STOP : OUTCOME_AGAIN;
	}
	return status == 200 ? OUTCOME_DONE : judge_status(server, status);
}

static enum outcome attempt(struct server *server, const char *url, const void *data, size_t bytes)
{
	const struct curl_library *lib = curl_load();
	char detail[CURL_ERROR_SIZE] = "";
	CURL *curl = server->curl;
	long status = 0;
	CURLcode code;

	server->answer_bytes = 0;
	server->is_too_long = false;
	lib->easy_setopt(curl, CURLOPT_URL, url);
	lib->easy_setopt(curl, CURLOPT_POST, 1L);
	lib->easy_setopt(curl, CURLOPT_POSTFIELDS, data);
	lib->easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)bytes);
	lib->easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
	code = lib->easy_perform(curl);
	lib->easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	lib->easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	clean_text(detail);
	return judge(server, code, status, detail);
}

static void report(const struct server *server, const char *what, const char *why)
{
	char text[sizeof(server->app->error) + 64];

	snprintf(text, sizeof(text), "%s (%s)", why, what);
	if (server->options->report)
		server->options->report(server->options->context, text);
}

/* Whether the time to try again is over; says so in app->error. */
static bool is_given_up(struct server *server)
{
	int64_t most = server->options->give_up_ns;
	char why[sizeof(server->app->error)];

	if (most < 0 || now_ns() - server->away_since_ns < most)
		return false;
	memcpy(why, server->app->error, sizeof(why));
	if (most)
		app_fail(server->app, "%.400s (given up after %lld s; the same command goes on)",
			 why, (long long)(most / 1000000000));
	return true;
}

static int send_until_done(struct server *server, const char *query, const char *token,
			   const void *data, size_t bytes)
{
	char *url = make_url(server, query, token);
	int64_t pause_ns = SERVER_FIRST_PAUSE_NS;
	enum outcome outcome;

	if (!url)
		return app_fail(server->app, "out of memory");

	while ((outcome = attempt(server, url, bytes ? data : "", bytes)) == OUTCOME_AGAIN) {
		if (!server->away_since_ns) {
			server->away_since_ns = now_ns();
			report(server, "trying again", server->app->error);
		}
		if (is_given_up(server))
			break;
		server->retries++;
		server->is_away = server->leave_when_away;
		if (server->is_away)
			break;
		server_sleep(server->options, pause_ns);
		pause_ns = server_next_pause(pause_ns);
	}
	free(url);
	if (outcome == OUTCOME_DONE && server->away_since_ns) {
		report(server, "it answers again", server->url);
		server->away_since_ns = 0;
	}
	return outcome == OUTCOME_DONE ? 0 : -1;
}

int server_send(struct server *server, const char *query, const char *token, const void *data,
		size_t bytes)
{
	server->answer_most = SERVER_ANSWER_MAX;
	return send_until_done(server, query, token, data, bytes);
}

int server_execute(struct server *server, const char *query, const char *token, const void *data,
		   size_t bytes)
{
	char said[SERVER_SAID_MAX];

	server->answer_most = SERVER_NO_ANSWER_MAX;
	if (send_until_done(server, query, token, data, bytes))
		return -1;
	if (!server->answer_bytes)
		return 0;

	server_quote(server, said);
	return server_fail_form(server, said);
}
