/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crashkernel= in the boot loader's configuration. Each boot loader is a row of a table: it says
 * which files hold the kernel's command line, now and for kernels that come later, and what has to
 * run after them. What was in them is remembered, and put back when our word is taken away. A
 * system with none of them gets a sentence.
 */
#ifndef CONTROL_BOOT_BOOTCFG_H
#define CONTROL_BOOT_BOOTCFG_H

#include <stdbool.h>
#include <stddef.h>

#include "control/command.h"

#define BOOTCFG_VALUE_SIZE 128u

struct bootcfg_file;

/**
 * struct bootcfg - What a system's boot loader is told now.
 * @name: of the boot loader, for people
 * @files, @nr_files: what holds command lines; owned
 * @ours: our value there, "" for none; with boot loaders that keep one command line for everybody,
 *	whatever is in it. Several reservations stand with a space between.
 * @mixed: one of the files, or what was made of them, says something else
 * @remembered: it was us who set it
 * @by_hand: nothing can be written here; bootcfg_set() says in @left what is to be typed
 * @foreign: a file that sets crashkernel= and that we do not change, "" for none;
 *	@foreign_value: to what
 * @left: what an administrator has still to do after bootcfg_set(), "" for nothing
 */
struct bootcfg {
	const struct bootcfg_ops *ops;
	const char *name;
	struct bootcfg_file *files;
	size_t nr_files;
	char ours[BOOTCFG_VALUE_SIZE];
	bool mixed, remembered, by_hand;
	char foreign[512];
	char foreign_value[BOOTCFG_VALUE_SIZE];
	char left[512];
};

/** bootcfg_find() - Look which boot loader is in force.
 * Return: 0, and bootcfg_deinit() is due; -ENODEV none that is known; -errno, logged. */
int bootcfg_find(const struct invocation *in, struct bootcfg *cfg_ret);
void bootcfg_deinit(struct bootcfg *cfg);

/** bootcfg_path() - A file that bootcfg_set() changes, on the system, without in->root.
 * @i: below nr_files
 * Return: borrowed from @cfg; NULL where it leaves that file as it is. */
const char *bootcfg_path(const struct bootcfg *cfg, size_t i);

/**
 * bootcfg_set() - Have the next boot reserve @value; NULL: as it was before we set anything.
 *
 * With in->root files alone change, and no program runs. Where the boot loader's own program fails
 * the files are put back. Afterwards @cfg tells of what is there then.
 * Return: 0; -errno, logged.
 */
int bootcfg_set(const struct invocation *in, struct bootcfg *cfg, const char *value);

/** bootcfg_value_valid() - Whether a kernel could understand it as crashkernel= (kernel
 * Documentation/admin-guide/kdump/kdump.rst), and no shell or boot loader as something else.
 * Several, such as "1G,high 128M,low", have a space between. */
bool bootcfg_value_valid(const char *value);

/** bootcfg_words() - The words for @value, such as "crashkernel=1G,high crashkernel=128M,low", ""
 * for none. Return: owned by the caller; NULL without memory. */
char *bootcfg_words(const char *value);

#endif
