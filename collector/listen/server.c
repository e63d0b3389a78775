// SPDX-License-Identifier: GPL-2.0-only
/*
 * server.c - one thread that polls the listening socket and all clients
 *
 * A client is reading (its request comes), answering, or lingering: the answer is sent, and what
 * the client still sends is thrown away until it closes. Closing at once would reset the
 * connection of one that is still sending, and it would not see its answer.
 */
#include "collector/listen/server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/metrics.h"
#include "collector/listen/address.h"
#include "collector/listen/http.h"

#define RETRY_MS 200

enum client_state { FREE, READING, ANSWERING, LINGERING };

struct client {
	enum client_state state;
	int fd;
	int64_t deadline_ms;

	char request[SERVER_REQUEST_BYTES];
	size_t request_bytes;

	char *answer;
	size_t answer_bytes;
	size_t sent;
};

struct server {
	pthread_t thread;
	struct metrics *metrics;
	int listen_fd;
	int stop_fd;		 /* eventfd */
	int64_t accept_after_ms; /* not before; 0: at once */
	size_t held_bytes;	 /* of all answers that are not sent yet */
	char address[ADDRESS_TEXT_BYTES];
	struct client clients[SERVER_CLIENTS];
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static void free_answer(struct server *s, struct client *c)
{
	if (c->answer)
		s->held_bytes -= c->answer_bytes;
	free(c->answer);
	c->answer = NULL;
}

static void close_client(struct server *s, struct client *c)
{
	close(c->fd);
	free_answer(s, c);
	c->state = FREE;
}

static void accept_client(struct server *s)
{
	const int room_bytes = SERVER_SOCKET_BYTES;
	struct client *c = s->clients;
	int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		/* Without descriptors or memory the client stays in the queue: poll() would return
		 * at once. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			s->accept_after_ms = now_ms() + RETRY_MS;
		return;
	}
	/* Else the kernel takes megabytes for each client that reads nothing. */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room_bytes, sizeof(room_bytes));

	while (c->state != FREE)
		c++;
	c->state = READING;
	c->fd = fd;
	c->deadline_ms = now_ms() + SERVER_PATIENCE_MS;
	c->request_bytes = 0;
}

/* The counters as text; NULL: no memory. */
static char *read_metrics(struct metrics *metrics, size_t *bytes)
{
	char *text = NULL;
	FILE *file = open_memstream(&text, bytes);
	int rc;

	if (!file)
		return NULL;
	__fsetlocking(file, FSETLOCKING_BYCALLER);
	rc = metrics_write(metrics, file);
	if (fclose(file) || rc) {
		free(text);
		return NULL;
	}
	return text;
}

/* Writes the answer to a request into memory. Returns whether there was enough. */
static bool make_answer(struct server *s, struct client *c, enum http_status status, bool head)
{
	size_t body_bytes = 0;
	char *body = NULL;
	FILE *file = open_memstream(&c->answer, &c->answer_bytes);

	if (!file) {
		c->answer = NULL;
		return false;
	}

	/* Clients that read nothing must not fill the memory. */
	if (status == HTTP_OK && s->held_bytes < SERVER_HELD_BYTES)
		body = read_metrics(s->metrics, &body_bytes);
	if (status == HTTP_OK && !body)
		status = HTTP_UNAVAILABLE;

	fprintf(file, "HTTP/1.1 %d %s\r\n", (int)status, http_reason(status));
	fprintf(file, "Content-Type: %s\r\n", METRICS_CONTENT_TYPE);
	fprintf(file, "Content-Length: %zu\r\n", body_bytes);
	fprintf(file, "%sConnection: close\r\n\r\n",
		status == HTTP_METHOD ? "Allow: GET, HEAD\r\n" : "");
	if (body && !head)
		fwrite(body, 1, body_bytes, file);
	free(body);

	if (!fclose(file))
		return true;
	free(c->answer);
	c->answer = NULL;
	return false;
}

/* Without memory the connection ends without an answer. */
static void answer(struct server *s, struct client *c, enum http_status status, bool head)
{
	if (!make_answer(s, c, status, head)) {
		close_client(s, c);
		return;
	}
	s->held_bytes += c->answer_bytes;
	c->state = ANSWERING;
	c->sent = 0;
}

static void read_request(struct server *s, struct client *c)
{
	ssize_t n = recv(c->fd, c->request + c->request_bytes,
			 sizeof(c->request) - c->request_bytes, 0);
	enum http_status status;
	bool head;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close_client(s, c);
		return;
	}

	c->request_bytes += (size_t)n;
	status = http_parse(c->request, c->request_bytes, sizeof(c->request), &head);
	if (status != HTTP_MORE)
		answer(s, c, status, head);
}

static void send_answer(struct server *s, struct client *c)
{
	ssize_t n = send(c->fd, c->answer + c->sent, c->answer_bytes - c->sent, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		close_client(s, c);
		return;
	}

	c->sent += (size_t)n;
	if (c->sent == c->answer_bytes) {
		free_answer(s, c);
		shutdown(c->fd, SHUT_WR);
		c->state = LINGERING;
	}
}

/* Throws away what the client still sends, until its end or the deadline. */
static void linger(struct server *s, struct client *c)
{
	ssize_t n = recv(c->fd, c->request, sizeof(c->request), 0);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_client(s, c);
}

static void serve_client(struct server *s, struct client *c)
{
	switch (c->state) {
	case READING:
		read_request(s, c);
		break;
	case ANSWERING:
		send_answer(s, c);
		break;
	case LINGERING:
		linger(s, c);
		break;
	case FREE:
		break;
	}
}

/*
 * Fills in what to poll: the stop, the listening socket if there is room, the clients at their
 * places. Returns how long, in ms.
 */
static int prepare_poll(struct server *s, struct pollfd fds[2 + SERVER_CLIENTS])
{
	int64_t until = INT64_MAX;
	int64_t now = now_ms();
	bool room = false;

	if (now >= s->accept_after_ms)
		s->accept_after_ms = 0;
	else
		until = s->accept_after_ms;

	for (int i = 0; i < SERVER_CLIENTS; i++) {
		struct client *c = &s->clients[i];

		if (c->state != FREE && now >= c->deadline_ms)
			close_client(s, c);
		if (c->state != FREE && c->deadline_ms < until)
			until = c->deadline_ms;
		room |= c->state == FREE;
		fds[2 + i] = (struct pollfd){
			.fd = c->state == FREE ? -1 : c->fd,
			.events = c->state == ANSWERING ? POLLOUT : POLLIN,
		};
	}
	fds[0] = (struct pollfd){.fd = s->stop_fd, .events = POLLIN};
	fds[1] = (struct pollfd){
		.fd = room && !s->accept_after_ms ? s->listen_fd : -1,
		.events = POLLIN,
	};
	return until == INT64_MAX ? -1 : (int)(until - now);
}

static void *serve(void *context)
{
	struct pollfd fds[2 + SERVER_CLIENTS];
	struct server *s = context;

	for (;;) {
		int timeout_ms = prepare_poll(s, fds);

		/* No memory, or a limit of descriptors below the number of places. */
		if (poll(fds, 2 + SERVER_CLIENTS, timeout_ms) < 0 && errno != EINTR)
			poll(fds, 1, RETRY_MS);
		if (fds[0].revents)
			return NULL;
		for (int i = 0; i < SERVER_CLIENTS; i++) {
			if (fds[2 + i].fd >= 0 && fds[2 + i].revents)
				serve_client(s, &s->clients[i]);
		}
		/* After the clients: a new one has no result of this poll. */
		if (fds[1].fd >= 0 && fds[1].revents)
			accept_client(s);
	}
}

static int open_socket(struct server *s, const union address *address, socklen_t bytes)
{
	union address bound;
	socklen_t bound_bytes = sizeof(bound);
	int on = 1;

	s->listen_fd =
		socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->listen_fd < 0 ||
	    setsockopt(s->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(s->listen_fd, &address->any, bytes) || listen(s->listen_fd, SOMAXCONN) ||
	    getsockname(s->listen_fd, &bound.any, &bound_bytes))
		return -errno;

	address_print(&bound, s->address);
	s->stop_fd = eventfd(0, EFD_CLOEXEC);
	return s->stop_fd < 0 ? -errno : 0;
}

/* What to do about an address that can't be had. */
static const char *way_out(int rc)
{
	switch (rc) {
	case -EADDRINUSE:
		return " (another program listens there: choose another port)";
	case -EADDRNOTAVAIL:
		return " (not an address of this machine: ip address)";
	case -EACCES:
		return " (choose a port from 1024 on)";
	default:
		return "";
	}
}

/* Signals are for the recording's thread. */
static int start_thread(struct server *s)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&s->thread, NULL, serve, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

static void free_server(struct server *s)
{
	for (int i = 0; i < SERVER_CLIENTS; i++) {
		if (s->clients[i].state != FREE)
			close_client(s, &s->clients[i]);
	}
	if (s->listen_fd >= 0)
		close(s->listen_fd);
	if (s->stop_fd >= 0)
		close(s->stop_fd);
	free(s);
}

int server_start(const char *text, bool public, struct metrics *metrics, struct server **server,
		 struct fault *fault)
{
	union address address;
	socklen_t bytes;
	struct server *s;
	int rc;

	*server = NULL;
	if (!address_parse(text, &address, &bytes))
		return fault_set(fault, -EINVAL,
				 "--listen %s: not an address and a port (example: 127.0.0.1:9925)",
				 text);
	if (!public && !address_is_loopback(&address))
		return fault_set(
			fault, -EACCES,
			"--listen %s: other machines could read it (listen on 127.0.0.1 or [::1], or say --listen-public)",
			text);

	s = calloc(1, sizeof(*s));
	if (!s)
		return fault_set(fault, -ENOMEM, "--listen: out of memory");
	s->metrics = metrics;
	s->listen_fd = s->stop_fd = -1;

	rc = open_socket(s, &address, bytes);
	if (!rc)
		rc = start_thread(s);
	if (rc) {
		free_server(s);
		return fault_set(fault, rc, "--listen %s: %s%s", text, strerror(-rc), way_out(rc));
	}
	*server = s;
	return 0;
}

const char *server_address(const struct server *server)
{
	return server->address;
}

void server_stop(struct server *s)
{
	uint64_t one = 1;

	if (!s)
		return;
	if (write(s->stop_fd, &one, sizeof(one)) == (ssize_t)sizeof(one))
		pthread_join(s->thread, NULL);
	free_server(s);
}
