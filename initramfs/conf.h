/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the image's configuration asks of its manifest. */
#ifndef INITRAMFS_CONF_H
#define INITRAMFS_CONF_H

#include "initramfs/manifest.h"
#include "lib/config.h"

/**
 * struct conf - A configuration.
 * @name: of the file; borrowed
 * @drivers: those of a machine that is described; borrowed; NULL for those of common ones
 */
struct conf {
	const char *name, *drivers;
	struct config config;
	char fs_modules[CONFIG_MAX_TARGETS * 64];
	char net_modules[512];
};

/**
 * conf_take() - Read the configuration and set the variables that it decides: CONF, DRIVERS,
 * FS_MODULES, NET_MODULES, EXTRA_MODULES and SSH_KEY.
 * @conf: gets it, but for @drivers, which the caller has set; the variables point into it
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
