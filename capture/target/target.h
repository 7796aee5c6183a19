/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a dump can go, as rows of a table. A new kind of target is a new
 * struct target_ops in a file of its own and a row in target.c.
 */
#ifndef CAPTURE_TARGET_TARGET_H
#define CAPTURE_TARGET_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/target/find.h"
#include "lib/config.h"

struct target;

/**
 * struct target_ops - A kind of target. All return 0 or -errno, and on failure
 * leave a sentence in target->error; nothing of that is logged here.
 *
 * @handles: whether this kind is meant by a configuration
 * @wait: wait until it can be used, at most target->config->device_timeout seconds
 * @open: get it ready; *@root_fd_ret becomes its root directory, owned by the caller
 * @close: flush everything and let it go; called also after a failed @open
 */
struct target_ops {
	const char *name;
	bool (*handles)(const struct config *config);
	int (*wait)(struct target *target);
	int (*open)(struct target *target, int *root_fd_ret);
	int (*close)(struct target *target);
};

/**
 * struct target - A target in use.
 * @config: borrowed
 * @mount_point: borrowed; an existing directory
 * @alive: called with @alive_ctx several times a second while something is waited for
 * @description: what was found, for people
 */
struct target {
	const struct target_ops *ops;
	const struct config *config;
	const char *mount_point;
	void (*alive)(void *ctx);
	void *alive_ctx;
	struct find_device device;
	char fstype[16]; /* as mounted */
	char description[256];
	char error[192];
};

extern const struct target_ops target_fs_ops;

/** target_ops_for() - The row that @config means; NULL where there is none. */
const struct target_ops *target_ops_for(const struct config *config);

/** target_mount_problem() - What an errno of mount(2) means for @fstype, in words. */
const char *target_mount_problem(int err);

#endif
