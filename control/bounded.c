// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/bounded.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/util.h"

#define KILLED_MS 1000u /* how long the kernel may take to end what was killed */
#define NO_SUCH	  127	/* as a shell has it; no errno that matters here */

/* Itself, and what it starts: a group, so that all of it can be killed, and it goes with us. */
static void __attribute__((noreturn)) child(bounded_fn *fn, const void *ctx, int fd)
{
	int err;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	err = fn(ctx, fd);
	_exit(err < 0 && err > -NO_SUCH ? -err : err ? EIO : 0);
}

/* Until its end of the pipe is closed. Return: 0; -ETIMEDOUT; -errno. */
static int collect(int fd, uint64_t deadline, char *out, size_t size, size_t *len)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t now = clock_ms();
		char rest[512];
		ssize_t n;
		int ready = now < deadline ? poll(&p, 1, (int)(deadline - now)) : 0;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return ready ? -errno : -ETIMEDOUT;
		n = *len < size ? read(fd, out + *len, size - *len) : read(fd, rest, sizeof(rest));
		if (n <= 0)
			return n ? -errno : 0;
		if (*len < size)
			*len += (size_t)n;
	}
}

/* Return: whether it ended before the deadline. */
static bool reap(pid_t pid, uint64_t deadline, int *status)
{
	do {
		pid_t got = waitpid(pid, status, WNOHANG);

		if (got == pid || (got < 0 && errno != EINTR))
			return got == pid;
		clock_sleep_ms(5);
	} while (clock_ms() < deadline);
	return false;
}

/* What it left running has its output still, and none of that counts any more. */
static int finish(pid_t pid, int err, uint64_t deadline)
{
	int status;
	bool ended = !err && reap(pid, deadline, &status);

	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	if (!ended) {
		reap(pid, clock_ms() + KILLED_MS, &status);
		return err ? err : -ETIMEDOUT;
	}
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

int bounded_call(bounded_fn *fn, const void *ctx, unsigned seconds, void *out, size_t size,
		 size_t *len_ret)
{
	const uint64_t deadline = clock_ms() + seconds * UINT64_C(1000);
	size_t len = 0;
	int fds[2], err;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		err = -errno;
		close(fds[0]);
		close(fds[1]);
		return err;
	}
	if (!pid)
		child(fn, ctx, fds[1]);
	setpgid(pid, pid); /* whoever comes first */
	close(fds[1]);
	err = collect(fds[0], deadline, out, size, &len);
	close(fds[0]);
	if (len_ret)
		*len_ret = len;
	return finish(pid, err, deadline);
}

struct program {
	const char *const *argv;
	bool errors;
};

static int execute(const void *ctx, int fd)
{
	const struct program *p = ctx;
	int nowhere = open("/dev/null", O_RDWR);

	if (dup2(nowhere, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0 ||
	    dup2(p->errors ? fd : nowhere, STDERR_FILENO) < 0)
		return -errno;
	execvp(p->argv[0], (char *const *)p->argv);
	_exit(errno == ENOENT || errno == EACCES ? NO_SUCH : EIO);
}

static int run_program(const char *const argv[], bool errors, unsigned seconds, char *words,
		       size_t size)
{
	const struct program program = { argv, errors };
	size_t len;
	int err = bounded_call(execute, &program, seconds, words, size - 1, &len);

	words[len] = '\0';
	if (err == -NO_SUCH)
		return -ENOENT;
	return err && err != -ETIMEDOUT ? -EIO : err;
}

int bounded_run(const char *const argv[], unsigned seconds, char *words, size_t size)
{
	return run_program(argv, true, seconds, words, size);
}

int bounded_read(const char *const argv[], unsigned seconds, char *words, size_t size)
{
	return run_program(argv, false, seconds, words, size);
}
