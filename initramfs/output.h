/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image file: compressed on the way, under a temporary name until it is whole.
 * What is written depends on the bytes alone, not on time or name.
 */
#ifndef INITRAMFS_OUTPUT_H
#define INITRAMFS_OUTPUT_H

#include <stddef.h>

struct output;

/**
 * output_create() - Start a file beside @path.
 * @path: borrowed until output_destroy()
 * @compression: "none", "gzip" or "zstd"
 * @output_ret: owned by the caller, to be released by output_destroy()
 *
 * Return: 0, -EINVAL for an unknown compression, or -errno; logged.
 */
int output_create(const char *path, const char *compression, struct output **output_ret);

/** output_write() - The next bytes; a cpio_write_fn. Return: 0 or -errno, logged. */
int output_write(void *ctx, const void *data, size_t len);

/** output_commit() - End the stream, sync, give the file mode 0600 and its name.
 * Return: 0 or -errno, logged. */
int output_commit(struct output *o);

/** output_destroy() - Without a commit before it, nothing is left behind. NULL is fine. */
void output_destroy(struct output *o);

#endif
