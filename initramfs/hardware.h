/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The description of the machine that an image is for: which drivers, in which order, with which
 * parameters and firmware. docs/man/vmcore-mkimage.8 has the grammar.
 */
#ifndef INITRAMFS_HARDWARE_H
#define INITRAMFS_HARDWARE_H

#include <stdbool.h>
#include <stddef.h>

#define HARDWARE_MAX_BYTES (64u << 10)
#define HARDWARE_MAX_LINES 256u

/** struct hardware_word - A name of the description; @line is for messages. */
struct hardware_word {
	char *text; /* owned */
	unsigned line;
};

/** struct hardware_list - Names, in the order of the file. */
struct hardware_list {
	struct hardware_word word[HARDWARE_MAX_LINES];
	size_t nr;
};

/**
 * struct hardware - @name: of the file, borrowed.
 * @drivers: modules and modaliases; "?" before one that may be missing
 * @firmware: files below the folder of firmware; "?" likewise
 * @options: "MODULE PARAMETERS", with one space between
 */
struct hardware {
	const char *name;
	struct hardware_list drivers, firmware, options;
};

/**
 * hardware_parse() - Read a description.
 * @text, @len: may hold anything
 * @name: of the file, for messages
 * @hw: gets it, to be released by hardware_deinit() whatever is returned
 *
 * Return: 0; -EBADMSG for a mistake, logged with file and line; -ENOMEM.
 */
int hardware_parse(const char *text, size_t len, const char *name, struct hardware *hw);
void hardware_deinit(struct hardware *hw);

/** hardware_join() - All names with one space between. Return: owned by the caller; NULL for no
 * memory. */
char *hardware_join(const struct hardware_list *list);

/** hardware_line() - The line that has this name; 0 for none. @hw may be NULL. */
unsigned hardware_line(const struct hardware *hw, const char *text);

/** hardware_options() - Parameters of a module, '-' and '_' alike; NULL for none. @hw may be NULL.
 * @nr: which line of options for it, from 0 on */
const char *hardware_options(const struct hardware *hw, const char *module, size_t nr);

#endif
