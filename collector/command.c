// SPDX-License-Identifier: GPL-2.0-only
/* command.c - starts the command to record and waits for it */
#include "collector/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* The limit that this program was started with; rlim_max 0: not raised. */
static struct rlimit first_limit;

void command_raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	first_limit = limit;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* In the child: executes the command, or writes errno into the pipe. */
static void execute(char *const argv[], int error_pipe)
{
	sigset_t none;
	int error;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (first_limit.rlim_max)
		setrlimit(RLIMIT_NOFILE, &first_limit);

	execvp(argv[0], argv);
	error = errno;
	if (write(error_pipe, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

int command_start(struct command *command, char *const argv[])
{
	int pipes[2];
	int error = 0;
	ssize_t n;
	pid_t pid;

	/* The pipe closes when the command is executed; until then it can carry an errno. */
	if (pipe2(pipes, O_CLOEXEC))
		return -errno;

	pid = fork();
	if (pid < 0) {
		error = errno;
		close(pipes[0]);
		close(pipes[1]);
		return -error;
	}
	if (!pid)
		execute(argv, pipes[1]);

	close(pipes[1]);
	do
		n = read(pipes[0], &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	close(pipes[0]);
	if (n == (ssize_t)sizeof(error)) {
		waitpid(pid, NULL, 0);
		return -error;
	}
	command->pid = pid;
	return 0;
}

static void note_status(struct command *command, int status)
{
	command->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	command->pid = 0;
}

bool command_ended(struct command *command)
{
	int status;

	if (command->pid && waitpid(command->pid, &status, WNOHANG) == command->pid)
		note_status(command, status);
	return !command->pid;
}

void command_end(struct command *command)
{
	sigset_t set;
	int signal_number;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);

	if (!command_ended(command))
		kill(command->pid, SIGTERM);
	while (!command_ended(command))
		if (sigwait(&set, &signal_number) || signal_number != SIGCHLD)
			break;
}
