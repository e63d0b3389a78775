/* SPDX-License-Identifier: GPL-2.0-only */
/* create.h - the tables and views of a server (push --create) */
#ifndef EXITSCOPE_ANALYZER_PUSH_CREATE_H
#define EXITSCOPE_ANALYZER_PUSH_CREATE_H

#include "analyzer/push/server.h"

/**
 * create_tables - make the tables that a server does not have yet, and all views anew
 * @cluster: name of the cluster in its configuration that views of database exitscope_fleet ask;
 *	NULL: the server is alone
 *
 * Nothing that was stored is changed. Return: 0, or -1 with app->error.
 */
int create_tables(struct server *server, const char *cluster);

/**
 * fill_in - a text with each {NAME} replaced
 * @names: names and values in turn, NULL at the end
 *
 * Return: of the heap; NULL without memory.
 */
char *fill_in(const char *text, const char *const *names);

#endif
