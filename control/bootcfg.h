/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crashkernel= in the boot loader's configuration, as rows of a table: Debian's GRUB (a file of
 * our own in /etc/default/grub.d), grubby (Fedora's GRUB and its entries), kernel-install's
 * /etc/kernel/cmdline. A system with none of them gets a sentence.
 */
#ifndef CONTROL_BOOTCFG_H
#define CONTROL_BOOTCFG_H

#include <stdbool.h>
#include <stddef.h>

#include "control/command.h"

#define BOOTCFG_VALUE_SIZE 128u
#define BOOTCFG_LINE_MAX   4096u

/**
 * struct bootcfg - What a system's boot loader is told now.
 * @name: of the boot loader, for people
 * @file: where our word is, or goes; on the system, without in->root; owned
 * @ours: our value there, "" for none; with grubby and kernel-install, which keep one command
 *	line for everybody, whatever is in it
 * @foreign: another file that sets crashkernel=, "" for none; @foreign_value: to what
 */
struct bootcfg {
	const struct bootcfg_ops *ops;
	const char *name;
	char *file;
	char ours[BOOTCFG_VALUE_SIZE];
	char foreign[512];
	char foreign_value[BOOTCFG_VALUE_SIZE];
};

/** bootcfg_find() - Look which boot loader is in force.
 * Return: 0, and bootcfg_deinit() is due; -ENODEV none that is known; -errno, logged. */
int bootcfg_find(const struct invocation *in, struct bootcfg *cfg_ret);
void bootcfg_deinit(struct bootcfg *cfg);

/**
 * bootcfg_set() - Have the next boot reserve @value; NULL: take our word away.
 *
 * With in->root the file alone changes. Where the boot loader's own program fails the file is put
 * back.
 * Return: 0; -errno, logged.
 */
int bootcfg_set(const struct invocation *in, struct bootcfg *cfg, const char *value);

/** bootcfg_value_valid() - Whether a kernel could understand it as crashkernel= (kernel
 * Documentation/admin-guide/kdump/kdump.rst), and no shell or boot loader as something else. */
bool bootcfg_value_valid(const char *value);

/** bootcfg_words() - @line with crashkernel=@value in the place of all crashkernel= words; NULL:
 * without any. Return: 0 or -E2BIG. */
int bootcfg_words(const char *line, const char *value, char *out, size_t size);

/** bootcfg_value_in() - The value of crashkernel= in a text that may be a shell's; of several the
 * values with a space between; "?" for what is too long or no value.
 * Return: whether there is one outside of comments that take a whole line. */
bool bootcfg_value_in(const char *text, char value[BOOTCFG_VALUE_SIZE]);

#endif
