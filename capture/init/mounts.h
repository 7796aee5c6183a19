/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The few things that PID 1 needs of the system before anything else can run. */
#ifndef CAPTURE_INIT_MOUNTS_H
#define CAPTURE_INIT_MOUNTS_H

/** mounts_setup() - Mount /proc, /sys and /dev, put the console on descriptors 0 to 2, the
 * log on /dev/kmsg, and make the kernel reset the machine where it panics.
 * Best effort throughout: what fails is logged, since there is nobody to return to. */
void mounts_setup(void);

#endif
