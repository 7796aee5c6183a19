/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies below a target: the devices, and the drivers that reach them, as sysfs shows them.
 * No name that the kernel gives in order of discovery is part of it. */
#ifndef CONTROL_DEVICES_H
#define CONTROL_DEVICES_H

#include "control/command.h"
#include "lib/config.h"

#define DEVICES_TEXT_SIZE 2048u

/**
 * devices_of_target() - Describe the way to a target of this system.
 * @buf: DEVICES_TEXT_SIZE bytes; for a block device its layers from the top, "dm(NAME UUID)",
 *	"md(UUID)", drivers bottom last; for a network the cards with a driver; "absent" where
 *	there is no such device now
 */
void devices_of_target(const struct invocation *in, const struct config_target *target, char *buf);

/** devices_of_card() - The same for a network's interface; "" where there is no hardware behind
 * it. */
void devices_of_card(const struct invocation *in, const char *name, char *buf);

/** devices_of_path() - The same for the file system that holds @path. */
void devices_of_path(const struct invocation *in, const char *path, char *buf);

#endif
