/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONTROL_DIGEST_H
#define CONTROL_DIGEST_H

#include <stdint.h>

#include "lib/sha256.h"

/** digest_fd() - The SHA-256 of what can be read from @fd, with progress on stderr where that is a
 * terminal and it takes long.
 * @size: how much that will be, for the progress
 *
 * Return: 0 or -errno, not logged. */
int digest_fd(int fd, uint64_t size, char hex[SHA256_HEX_BYTES]);

/** digest_file() - The same of a dump's file, which is no symbolic link.
 * Return: 0, or -errno, logged. */
int digest_file(const char *path, char hex[SHA256_HEX_BYTES]);

#endif
