/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What only a built image tells: which of this system's modules and programs went into it. */
#ifndef CONTROL_HELD_H
#define CONTROL_HELD_H

#include "control/inputs.h"
#include "control/system.h"

/**
 * held_collect() - Add this system's files that an image holds.
 * @image: its file, which may be any
 *
 * A module is found by its name, for the image may hold it unpacked and elsewhere; programs,
 * libraries and firmware by their path. Of /etc nothing counts: there dracut writes files of
 * its own.
 * Return: 0; -EBADMSG @image is none; -E2BIG; another -errno. Logged.
 */
int held_collect(const struct system *sys, const char *image, struct inputs *inputs);

#endif
