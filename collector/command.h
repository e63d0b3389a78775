/* SPDX-License-Identifier: GPL-2.0-only */
/* command.h - the command to record: started beside the collector, and waited for */
#ifndef EXITSCOPE_COLLECTOR_COMMAND_H
#define EXITSCOPE_COLLECTOR_COMMAND_H

#include <sys/types.h>

struct command {
	pid_t pid;  /* 0: not running */
	int status; /* when it ended: exit status, or 128 + signal */
};

/* Starts @argv with the signal mask that the collector began with. -ENOENT,
 * -EACCES...: why it could not be executed.
 */
int command_start(struct command *command, char *const argv[]);

/* Whether it has ended; does not wait. Fills in status. */
int command_ended(struct command *command);

/* Asks it to end (SIGTERM) and waits; a signal to the collector ends the wait. */
void command_end(struct command *command);

#endif
