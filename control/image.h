/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The crash image: whether it is what would be built now, and building it. */
#ifndef CONTROL_IMAGE_H
#define CONTROL_IMAGE_H

#include <stdbool.h>

#include "control/inputs.h"
#include "control/system.h"
#include "lib/config.h"

enum image_state {
	IMAGE_FRESH,
	IMAGE_STALE,
	IMAGE_ABSENT, /* or nothing tells what it was made from */
};

/**
 * image_config() - Read the configuration that the image is built by.
 * @path_ret: its path; owned by the caller
 *
 * One that is absent is an empty one, as for vmcore-save-dracut.
 * Return: 0; -EINVAL it has mistakes; -errno. Logged.
 */
int image_config(const struct invocation *in, struct config *config, char **path_ret);

/**
 * image_look() - Compare what the image was made from with what there is.
 * @config: as image_config() read it
 * @now_ret: what it would be made from now; released by inputs_deinit()
 * @report: called for each difference; may be NULL
 *
 * Return: 0; -errno, logged.
 */
int image_look(const struct system *sys, const struct config *config, struct inputs *now_ret,
	       enum image_state *state_ret,
	       void (*report)(void *ctx, const char *name, const char *what), void *ctx);

/**
 * image_build() - Have vmcore-save-dracut build it; it takes the old one's place when it is whole.
 * @now: what it is made from; what the image tells is added, and it is written down beside it
 *
 * Return: 0; -errno, logged: the old image is as it was then.
 */
int image_build(const struct system *sys, const char *config_path, struct inputs *now);

#endif
