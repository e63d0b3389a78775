/* SPDX-License-Identifier: GPL-2.0-only */
/* command.h - starts the command to record and waits for it */
#ifndef EXITSCOPE_COLLECTOR_COMMAND_H
#define EXITSCOPE_COLLECTOR_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

struct command {
	pid_t pid;  /* 0: not running */
	int status; /* when it ended: exit status, or 128 + signal */
};

/*
 * Allows this program as many open files as it may have: a vCPU takes up to two. Commands have the
 * limit that this program was started with; for some of them more than 1,024 is too many.
 */
void command_raise_file_limit(void);

/**
 * command_start - start a command with no signal blocked
 * @command: filled in
 * @argv: its words, NULL after the last; argv[0] is looked up in PATH
 *
 * Return: 0, or why it could not be executed: -ENOENT, -EACCES and other errors of execve(2).
 */
int command_start(struct command *command, char *const argv[]);

/* Whether it has ended; does not wait. Fills in status. */
bool command_ended(struct command *command);

/* Asks it to end (SIGTERM) and waits; a signal to the collector ends the wait. */
void command_end(struct command *command);

#endif
