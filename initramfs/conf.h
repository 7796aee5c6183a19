/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the image's configuration asks of its manifest. */
#ifndef INITRAMFS_CONF_H
#define INITRAMFS_CONF_H

#include "initramfs/manifest.h"
#include "lib/config.h"

/** struct conf - A configuration. @name: of the file; borrowed. */
struct conf {
	const char *name;
	struct config config;
	char fs_modules[CONFIG_MAX_TARGETS * 64];
};

/**
 * conf_take() - Read the configuration and set the variables that it decides: CONF, FS_MODULES,
 * NET_MODULES, EXTRA_MODULES and SSH_KEY.
 * @conf: gets it; the variables point into it
 *
 * Return: 0; -EBADMSG for any mistake; -errno. Logged.
 */
int conf_take(struct conf *conf, const char *path, struct manifest_vars *vars);

/**
 * conf_check() - Whether the manifest has the files that the configuration names or needs, since it
 * alone says where they come from.
 * @name: of the manifest
 *
 * Return: 0; -EBADMSG, with a line in the log for each that is missing.
 */
int conf_check(const struct conf *conf, const char *name, const struct manifest *m);

#endif
