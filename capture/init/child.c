// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/child.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"

#define POLL_MS	      50
#define KILL_LIMIT_MS 5000
#define AGAIN_TRIES   10
#define AGAIN_MS      1000

bool child_poll(pid_t pid, int *status_ret)
{
	bool found = false;
	int status;
	pid_t dead;

	while ((dead = waitpid(-1, &status, WNOHANG)) > 0) {
		if (dead != pid)
			continue;
		*status_ret = status;
		found = true;
	}
	return found;
}

bool child_wait(pid_t pid, unsigned limit_ms, int *status_ret, void (*tick)(void *), void *ctx)
{
	uint64_t start = clock_ms();

	for (;;) {
		if (child_poll(pid, status_ret))
			return true;
		if (clock_ms() - start >= limit_ms)
			return false;
		if (tick)
			tick(ctx);
		clock_sleep_ms(POLL_MS);
	}
}

bool child_kill(pid_t pid)
{
	int status;

	if (kill(pid, SIGKILL) && errno == ESRCH)
		return true;
	return child_wait(pid < 0 ? -pid : pid, KILL_LIMIT_MS, &status, NULL, NULL);
}

int child_run(int (*fn)(void *ctx), void *ctx, unsigned limit_ms, void (*tick)(void *))
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		int err = fn(ctx);

		/* An exit status has eight bits, which every errno of Linux's below 256 fits. */
		_exit(err < 0 && err > -256 ? -err : err ? EIO : 0);
	}
	if (!child_wait(pid, limit_ms, &status, tick, ctx)) {
		child_kill(pid);
		return -ETIMEDOUT;
	}
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static bool is_passing(int err)
{
	return err == -EINTR || err == -ENOMEM || err == -EAGAIN;
}

int child_run_again(int (*fn)(void *ctx), void *ctx, unsigned limit_ms, void (*tick)(void *))
{
	int err = child_run(fn, ctx, limit_ms, tick);

	for (unsigned tries = 1; is_passing(err) && tries < AGAIN_TRIES; tries++) {
		if (tick)
			tick(ctx);
		clock_sleep_ms(AGAIN_MS);
		err = child_run(fn, ctx, limit_ms, tick);
	}
	return err;
}

const char *child_problem(int err)
{
	return err == -ETIMEDOUT ? "it took too long" : err == -EINTR ? "it died" : strerror(-err);
}
