/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names in an initramfs, by archive_walk(). */
#ifndef CONTROL_IMAGE_NAMES_H
#define CONTROL_IMAGE_NAMES_H

#include <stddef.h>

/** image_name_fn - Gets a regular file's name, without a slash before it. Return: 0 or -errno. */
typedef int image_name_fn(void *ctx, const char *name);

/**
 * image_names() - Tell all regular files of an image.
 * @data, @len: the image; may hold anything
 *
 * Return: 0; what @fn returned; -EBADMSG where it is no such image; as of archive_walk().
 */
int image_names(const void *data, size_t len, image_name_fn *fn, void *ctx);

#endif
