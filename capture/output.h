/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that a dump is written to, as a sink. */
#ifndef CAPTURE_OUTPUT_H
#define CAPTURE_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "capture/dump/dump.h"

/**
 * struct output - An open file.
 * @fd: borrowed
 * @limit: bytes that the file may have; 0 for no limit. Beyond it writes fail with -EFBIG.
 * @stale: a device that holds something already: what is skipped is filled with zeros,
 *	since what was never written must read as zero
 * @end: behind the highest byte written
 * @alive: called after each success; may be NULL
 * @behind, @ahead: what lies before @behind is on the device and out of the page cache,
 *	what lies between the two is on its way
 * @err: the first -errno of writing back, which each later write and sync returns
 */
struct output {
	int fd;
	uint64_t limit;
	bool stale;
	uint64_t end;
	void (*alive)(void *ctx);
	void *alive_ctx;
	uint64_t behind, ahead;
	int err;
};

/** output_sink() - A sink on @o, which must live as long. It does not log. */
struct dump_sink output_sink(struct output *o);

/** output_settle() - Make the data that is written so far durable; what fails comes with the
 * next write. */
void output_settle(struct output *o);

/** output_restart() - Empty the file, so that another dump can be tried. Return: 0 or -errno. */
int output_restart(struct output *o);

/**
 * output_check() - Whether @path may be written.
 * @others: @nr files that are never to be written over: what is read, what else is written
 * @force: an existing regular file may be emptied
 *
 * Return: 0, also where only trying can tell; -EISDIR, -EINVAL, logged.
 */
int output_check(const char *path, const char *const *others, unsigned nr, bool force);

/**
 * output_open() - Make a new file of mode 0600, to be read and written, where
 * output_check() does not object. An existing file is emptied and keeps its mode.
 * Return: 0, or -errno, logged.
 */
int output_open(const char *path, const char *const *others, unsigned nr, bool force, int *fd_ret);

/** output_discard() - Close the file. One that output_open() made, not @force, is removed
 * again where nothing was written to it: it would stand in the way of the next try. */
void output_discard(const char *path, bool force, int fd);

/** output_is_full() - Whether a sink's error means that there is no room. */
bool output_is_full(int err);

/** output_flush() - Pass on what was printed to @to. Return: 0, or -errno, logged. */
int output_flush(FILE *to);

#endif
