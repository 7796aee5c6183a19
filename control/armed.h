/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is armed: written down when kexec-loader has loaded it, for status and check. */
#ifndef CONTROL_ARMED_H
#define CONTROL_ARMED_H

#include <stdint.h>

#include "control/command.h"
#include "lib/sha256.h"

#define ARMED_NAME "armed.json" /* in RUN_DIR */

/**
 * struct armed
 * @kernel: the capture kernel's file; @kernel_sha256: its digest when it was loaded
 * @release: of it
 * @image: the crash image's file; @sha256: its digest then
 * @cmdline: as it was handed to kexec-loader
 * @when: seconds since 1970
 */
struct armed {
	char kernel[512];
	char kernel_sha256[SHA256_HEX_BYTES];
	char release[65];
	char image[512];
	char sha256[SHA256_HEX_BYTES];
	char cmdline[4096];
	int64_t when;
};

/** armed_read() - Return: 0; -ENOENT; -EBADMSG where the file is not what armed_write() makes. */
int armed_read(const struct invocation *in, struct armed *armed_ret);

/** armed_write() - Return: 0 or -errno, logged. */
int armed_write(const struct invocation *in, const struct armed *armed);

struct inputs;
struct settings;
struct system;

/** armed_compose() - What start arms: the system's kernel, which must be there, and its image.
 * @list: of what the image is made from, with digests of files that are as they were; NULL for none
 * Return: 0 or -errno, logged. */
int armed_compose(const struct system *sys, const struct settings *settings,
		  const struct inputs *list, struct armed *armed);

/** armed_forget() - There is nothing armed any more. */
void armed_forget(const struct invocation *in);

/** armed_digest() - SHA-256 of a file. Return: 0 or -errno, logged. */
int armed_digest(const char *path, char hex[SHA256_HEX_BYTES]);

#endif
