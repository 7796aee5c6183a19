// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/run.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"

extern char **environ;

int run_start(const char *const argv[], int out, pid_t *pid_ret)
{
	posix_spawn_file_actions_t actions;
	int err = -posix_spawn_file_actions_init(&actions);

	if (err)
		return err;
	err = -posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (!err) /* a terminal is not theirs to set up, or to read from */
		err = -posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
							O_RDONLY, 0);
	if (!err)
		err = -posix_spawnp(pid_ret, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (err && err != -ENOENT)
		log_error("%s: %s", argv[0], strerror(-err));
	return err;
}

static int finish(const char *name, pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	if (WIFSIGNALED(status))
		log_error("%s: ended by signal %d", name, WTERMSIG(status));
	else if (WEXITSTATUS(status))
		log_error("%s: ended with status %d", name, WEXITSTATUS(status));
	return status ? -EIO : 0;
}

int run(const char *const argv[])
{
	pid_t pid;
	int err = run_start(argv, STDERR_FILENO, &pid);

	return err ? err : finish(argv[0], pid);
}

/* Up to @max bytes; @text has room for one more. */
static int read_all(int fd, size_t max, char *text, size_t *len_ret)
{
	ssize_t n = io_read_full(fd, text, max + 1);

	if (n < 0)
		return (int)n;
	if ((size_t)n > max)
		return -EFBIG;
	text[n] = '\0';
	*len_ret = (size_t)n;
	return 0;
}

int run_read(const char *const argv[], size_t max, char **text_ret, size_t *len_ret)
{
	_free_ char *text = malloc(max + 1);
	int fds[2], err, ended;
	size_t len = 0;
	pid_t pid;

	if (!text)
		return -ENOMEM;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	err = run_start(argv, fds[1], &pid);
	close(fds[1]);
	if (!err) {
		err = read_all(fds[0], max, text, &len);
		close(fds[0]); /* a program that still writes gets SIGPIPE */
		ended = finish(argv[0], pid);
		err = err ? err : ended;
	} else {
		close(fds[0]);
	}
	if (err)
		return err;
	*text_ret = take_ptr(text);
	if (len_ret)
		*len_ret = len;
	return 0;
}
