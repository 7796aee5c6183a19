/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the system says of itself, and where its files are; all below invocation->root. */
#ifndef CONTROL_SYSTEM_H
#define CONTROL_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/command.h"

#define STATE_DIR "/var/lib/vmcore-save"
#define RUN_DIR	  "/run/vmcore-save"

/**
 * struct system - What start, stop, status and rebuild work with; system_deinit() releases it.
 * @release: of the kernel that captures: the one that runs, or as --kernel says
 * @vmlinuz: its file; NULL where it was not found
 * @image: where its crash image is, or will be
 * @inputs: where is written what the image was made from
 * @reserved: bytes that the running kernel keeps for a capture kernel; 0 for none
 * @loaded: whether one is armed
 */
struct system {
	const struct invocation *in;
	char release[65];
	char *vmlinuz, *image, *inputs;
	uint64_t reserved;
	bool loaded;
};

/**
 * system_init() - Look.
 * @release: NULL for the running kernel's
 *
 * Return: 0; -EINVAL @release is none; -ENOMEM. Logged.
 */
int system_init(struct system *sys, const struct invocation *in, const char *release);
void system_deinit(struct system *sys);

/** system_consoles() - The console= words of the running kernel's command line, one space
 * between; "" where it has none. */
void system_consoles(const struct invocation *in, char *buf, size_t size);

#endif
