/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks that may hang, such as at a share whose server is down: in a process of their own, which
 * is killed when its time is over. Where even that does not end it, since it waits in the kernel,
 * it is left behind.
 */
#ifndef CONTROL_BOUNDED_H
#define CONTROL_BOUNDED_H

#include <stddef.h>

/** bounded_fn - Runs in the other process; what it writes to @fd is what the caller gets.
 * Return: 0, or -errno, which the caller gets. */
typedef int bounded_fn(const void *ctx, int fd);

/**
 * bounded_call() - Run @fn for at most @seconds.
 * @out, @size: what it wrote; the rest is not kept
 * @len_ret: how much that is; may be NULL
 *
 * Return: what @fn returned; -ETIMEDOUT; -EIO where a signal ended it; -errno where it cannot be
 * started. Not logged. @out holds what came until then.
 */
int bounded_call(bounded_fn *fn, const void *ctx, unsigned seconds, void *out, size_t size,
		 size_t *len_ret);

/**
 * bounded_run() - The same with a program, without a shell in between.
 * @argv: as for run()
 * @words: gets what it prints, on stdout and stderr; NUL-terminated; @size is not 0
 *
 * Return: 0; -ENOENT there is no such program; -EIO it ended with another status than 0; -errno
 * as above.
 */
int bounded_run(const char *const argv[], unsigned seconds, char *words, size_t size);

/** bounded_read() - The same, with what it prints on stdout alone; stderr goes nowhere. */
int bounded_read(const char *const argv[], unsigned seconds, char *words, size_t size);

#endif
