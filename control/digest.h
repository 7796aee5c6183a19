/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONTROL_DIGEST_H
#define CONTROL_DIGEST_H

#include "lib/sha256.h"

/** digest_file() - The SHA-256 of a file, with progress on stderr where that is a terminal.
 * Return: 0, or -errno, logged. */
int digest_file(const char *path, char hex[SHA256_HEX_BYTES]);

#endif
