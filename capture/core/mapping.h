/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copying out of a mapped file that may lose its pages at any time. */
#ifndef CAPTURE_CORE_MAPPING_H
#define CAPTURE_CORE_MAPPING_H

#include <stddef.h>

/** mapping_prepare() - Install the SIGBUS handler, once for the process. Return: 0 or -errno. */
int mapping_prepare(void);

/**
 * mapping_copy() - memcpy() from a mapping, after mapping_prepare().
 * Return: 0; -EIO where the file holds nothing behind a page of it, or it cannot be read.
 */
int mapping_copy(void *dst, const void *src, size_t len);

#endif
