/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Child processes of PID 1 that can never hold it up. */
#ifndef CAPTURE_INIT_CHILD_H
#define CAPTURE_INIT_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * child_poll() - Reap whatever has died, orphans included.
 * Return: true with *@status_ret (as of waitpid(2)) where @pid was among them.
 */
bool child_poll(pid_t pid, int *status_ret);

/**
 * child_wait() - Wait for @pid at most @limit_ms.
 * @tick: called about 20 times a second meanwhile; may be NULL
 *
 * Return: true with *@status_ret, false where it still lives.
 */
bool child_wait(pid_t pid, unsigned limit_ms, int *status_ret, void (*tick)(void *), void *ctx);

/**
 * child_kill() - SIGKILL, and wait a little for the death. @pid may be negative, a group.
 * Return: false where it does not die, stuck in the kernel.
 */
bool child_kill(pid_t pid);

/**
 * child_run() - Run @fn(@ctx) in a child, at most @limit_ms; then it is killed.
 * @tick: called with @ctx about 20 times a second meanwhile; may be NULL
 *
 * Return: what @fn returned, 0 or -errno; -ETIMEDOUT; -EINTR it died of a signal; -errno of
 * fork(2).
 */
int child_run(int (*fn)(void *ctx), void *ctx, unsigned limit_ms, void (*tick)(void *));

/**
 * child_run_again() - child_run(), up to ten times a second apart where a signal ended it or there
 * was no memory.
 *
 * The lack of memory that was the end of a big process meets the small one that comes to tell of it
 * as well, until the kernel has taken the big one's memory back.
 */
int child_run_again(int (*fn)(void *ctx), void *ctx, unsigned limit_ms, void (*tick)(void *));

/** child_problem() - An error of child_run() in words. */
const char *child_problem(int err);

#endif
