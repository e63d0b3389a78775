// SPDX-License-Identifier: GPL-2.0-only
/*
 * create.c - the tables and views of a server; see create.h
 */
#include "analyzer/push/create.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/push/ask.h"
#include "sql/clickhouse/make_text.h"

/* The value of the {NAME} that @text begins with; NULL: none of @names. */
static const char *find_value(const char *text, const char *const *names)
{
	for (; *text == '{' && *names; names += 2) {
		size_t length = strlen(names[0]);

		if (!strncmp(text + 1, names[0], length) && text[1 + length] == '}')
			return names[1];
	}
	return NULL;
}

char *fill_in(const char *text, const char *const *names)
{
	size_t longest = 1;
	char *filled, *to;

	for (const char *const *name = names; *name; name += 2)
		longest = strlen(name[1]) > longest ? strlen(name[1]) : longest;
	/* A replaced {NAME} has three letters at least. */
	filled = to = malloc(strlen(text) * longest + 1);
	if (!filled)
		return NULL;

	while (*text) {
		const char *value = find_value(text, names);

		if (value) {
			to = stpcpy(to, value);
			text = strchr(text, '}') + 1;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
	return filled;
}

/* A server takes one statement at a time; each ends with ';' at the end of a line. */
static int run_statements(struct server *server, const char *text)
{
	while (*text) {
		const char *end = strstr(text, ";\n");
		size_t length = end ? (size_t)(end - text) : strlen(text);

		if (end && server_execute(server, "", NULL, text, length))
			return -1;
		text += length + (end ? 2 : 0);
	}
	return 0;
}

/* Asked first: statements about an unknown cluster get a status that is tried again for ever. */
static int check_cluster(struct server *server, const char *cluster, const char *const *names)
{
	bool has_cluster = false;
	char *question;
	int rc;

	if (!*cluster ||
	    strspn(cluster, "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != strlen(cluster))
		return app_fail(server->app, "--cluster %s: not the name of a cluster", cluster);

	question = fill_in(clickhouse_has_cluster, names);
	if (!question)
		return app_fail(server->app, "out of memory");
	rc = ask_whether(server, question, &has_cluster);
	free(question);
	if (!rc && !has_cluster)
		rc = app_fail(
			server->app,
			"%s: it has no cluster %s (name one of remote_servers in its configuration)",
			server->url, cluster);
	return rc;
}

/* Views of one server in place of a cluster's would hide all the others. */
static int check_single(struct server *server)
{
	bool is_cluster = false;

	if (ask_whether(server, clickhouse_has_distributed, &is_cluster))
		return -1;
	if (!is_cluster)
		return 0;
	return app_fail(
		server->app,
		"%s: it was made one of a cluster: name that again with --cluster (or DROP DATABASE exitscope_fleet there)",
		server->url);
}

int create_tables(struct server *server, const char *cluster)
{
	const char *const names[] = {"cluster", cluster, NULL};
	char *fleet;
	int rc;

	if (cluster ? check_cluster(server, cluster, names) : check_single(server))
		return -1;
	if (run_statements(server, clickhouse_schema) ||
	    run_statements(server, clickhouse_changes) || run_statements(server, clickhouse_views))
		return -1;
	if (!cluster)
		return run_statements(server, clickhouse_fleet_single);

	fleet = fill_in(clickhouse_fleet_cluster, names);
	if (!fleet)
		return app_fail(server->app, "out of memory");
	rc = run_statements(server, fleet);
	free(fleet);
	return rc;
}
