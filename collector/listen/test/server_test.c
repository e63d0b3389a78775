// SPDX-License-Identifier: GPL-2.0-only
/* server_test.c - what clients can do to the process: memory, descriptors, CPU time */
#include "collector/listen/server.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "sql/test/check.h"

#define REQUEST "GET /metrics HTTP/1.1\r\n\r\n"

/* Counters of as many VMs as there can be: an answer of megabytes. */
static struct metrics *make_metrics(void)
{
	const struct run_info info = {.isa = KVM_EXIT_ISA_VMX, .tsc_khz = 1000000};
	struct metrics *m = metrics_new();

	metrics_begin(m, &info, false, true);
	for (int i = 0; i < (int)METRICS_VMS; i++) {
		struct source_item item = {.kind = SOURCE_VCPU, .vcpu = i};

		item.info.vm_id = 1 + (uint64_t)i;
		CHECK_EQ(metrics_add(m, &item), 0);
	}
	return m;
}

static struct server *start(struct metrics *m)
{
	struct fault fault = {""};
	struct server *server = NULL;

	CHECK_EQ(server_start("127.0.0.1:0", false, m, &server, &fault), 0);
	return server;
}

/* A connection that has sent @request; it has room for little until it is read. */
static int ask(const struct server *server, const char *request)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	const struct timeval patience = {.tv_sec = 20};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int bytes = 4096;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((in_port_t)atoi(strchr(server_address(server), ':') + 1));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	CHECK_EQ(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	CHECK_EQ(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	return fd;
}

/* The status of the answer; -1: none. */
static int status_of(int fd)
{
	char text[16] = "";
	ssize_t n = recv(fd, text, 12, MSG_WAITALL);

	return n == 12 && !strncmp(text, "HTTP/1.1 ", 9) ? atoi(text + 9) : -1;
}

/* The answers that nobody reads have a bound; those who come later are refused, and then served. */
static void test_memory(void)
{
	struct metrics *m = make_metrics();
	struct server *server = start(m);
	int fds[SERVER_CLIENTS - 1];
	int refused = 0, answered = 0;
	int fd;

	for (int i = 0; i < SERVER_CLIENTS - 1; i++) {
		int status;

		fds[i] = ask(server, REQUEST);
		status = status_of(fds[i]);
		answered += status == 200;
		refused += status == 503;
	}
	CHECK(answered >= 2);
	CHECK(refused >= 2);
	CHECK_EQ(answered + refused, SERVER_CLIENTS - 1);

	for (int i = 0; i < SERVER_CLIENTS - 1; i++)
		close(fds[i]);
	for (int i = 0; i < 100; i++) {
		int status;

		fd = ask(server, REQUEST);
		status = status_of(fd);
		close(fd);
		if (status == 200)
			break;
		CHECK(i < 99);
		usleep(10000);
	}
	server_stop(server);
	metrics_free(m);
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/*
 * Without descriptors a client waits, and costs no CPU time; with them it is served. accept() fails
 * at the limit, poll() too if that is below the number of its places: @taken is how many more are
 * in use.
 */
static void test_descriptors(int taken)
{
	int used[64];
	struct metrics *m = make_metrics();
	struct server *server = start(m);
	struct rlimit limit, none;
	double before;
	int fd;

	getrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 0; i < taken; i++)
		used[i] = dup(STDERR_FILENO);
	fd = dup(STDERR_FILENO);
	close(fd);

	/* The client takes the last one. */
	none = (struct rlimit){.rlim_cur = (rlim_t)fd + 1, .rlim_max = limit.rlim_max};
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
	fd = ask(server, REQUEST);

	before = cpu_seconds();
	usleep(600000);
	CHECK(cpu_seconds() - before < 0.05);

	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	CHECK_EQ(status_of(fd), 200);
	close(fd);
	for (int i = 0; i < taken; i++)
		close(used[i]);
	server_stop(server);
	metrics_free(m);
}

/* The server ends at once, also with clients that wait for something. */
static void test_stop(void)
{
	struct metrics *m = make_metrics();
	struct server *server = start(m);
	int silent = ask(server, "GET");
	int deaf = ask(server, REQUEST);
	struct timespec begin, end;

	CHECK_EQ(status_of(deaf), 200);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	server_stop(server);
	clock_gettime(CLOCK_MONOTONIC, &end);
	CHECK(end.tv_sec - begin.tv_sec < SERVER_PATIENCE_MS / 1000 - 1);

	close(silent);
	close(deaf);
	metrics_free(m);
}

int main(void)
{
	test_memory();
	test_descriptors(0);
	test_descriptors(64);
	test_stop();
	return check_result();
}
