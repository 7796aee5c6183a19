/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmcore-save inside a full initramfs, such as dracut's, which has brought up the storage
 * and the network that the image of vmcore-save alone cannot; docs/image.md.
 */
#ifndef CAPTURE_INIT_FULL_H
#define CAPTURE_INIT_FULL_H

#include "capture/init/init.h"

/**
 * full_capture() - Do what PID 1 does in an image of its own, in a session of its own, so
 * that whoever stops the caller does not stop the capture. A second call while one is under
 * way only waits. Does not return but with an error.
 * @saver: borrowed for ever
 *
 * Return: -EPERM outside an initramfs (the end would be a reboot), -errno of fork(2); logged.
 */
int full_capture(const struct init_saver *saver);

/**
 * full_guard() - Leave a process behind that resets the machine unless full_capture() has
 * begun within @seconds, and has a guard of its own: there is one at any time.
 *
 * Return: 0, -EPERM as above, -errno of fork(2); logged.
 */
int full_guard(unsigned seconds);

#endif
