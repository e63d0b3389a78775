/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * server.h - answers GET /metrics in a thread of its own
 *
 * The recording never waits for a client. What clients may do is bounded: SERVER_CLIENTS at a time
 * (others wait in the kernel's queue), a request of SERVER_REQUEST_BYTES, SERVER_PATIENCE_MS from
 * the connection to the last byte of the answer, SERVER_HELD_BYTES of answers that are not sent yet
 * and one more, SERVER_SOCKET_BYTES of each in the kernel. A connection has one request.
 *
 * Answers: 200 GET and HEAD of /metrics; 404 another path; 405 another method; 431 a request that
 * is too long; 400 what is not HTTP/1; 503 no memory, or too much of it held by answers that nobody
 * reads.
 */
#ifndef EXITSCOPE_COLLECTOR_LISTEN_SERVER_H
#define EXITSCOPE_COLLECTOR_LISTEN_SERVER_H

#include <stdbool.h>

#include "collector/host/fault.h"
#include "collector/listen/metrics.h"

#define SERVER_CLIENTS	     32
#define SERVER_REQUEST_BYTES 4096
#define SERVER_PATIENCE_MS   5000
#define SERVER_HELD_BYTES    (16U << 20)
#define SERVER_SOCKET_BYTES  (256 << 10)

struct server;

/**
 * server_start - listen and answer until server_stop()
 * @address: ADDRESS:PORT, both numbers; an IPv6 address in brackets; port 0: any
 * @public: it may be an address that other machines reach
 * @metrics: what is answered; must live until server_stop()
 * @server: to be stopped by the caller
 * @fault: why not, in words
 *
 * Return: 0 or -errno.
 */
int server_start(const char *address, bool public, struct metrics *metrics, struct server **server,
		 struct fault *fault);

/* The address that it listens at, with the port. */
const char *server_address(const struct server *server);

/* End the thread and close all connections; NULL: nothing. */
void server_stop(struct server *server);

#endif
