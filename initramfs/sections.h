/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The section table of a little-endian ELF file of either class; elf(5). */
#ifndef INITRAMFS_SECTIONS_H
#define INITRAMFS_SECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECTIONS_MAX 65280u /* SHN_LORESERVE: with more, the count stands elsewhere */

/**
 * struct section - One section.
 * @name: NUL-terminated, points into the file
 * @header: its entry of the table; points into the file
 * @offset, @size: within the file; 0 and 0 for what has nothing there
 * @align: at least 1
 */
struct section {
	const char *name;
	unsigned char *header;
	uint32_t type;
	uint64_t flags;
	uint64_t offset, size, align;
	bool drop; /* the caller's own mark */
};

/**
 * struct sections - The table. @elf: borrowed; @section: owned.
 * @names: index of the section with the names
 * @entsize: bytes of an entry in the file
 */
struct sections {
	unsigned char *elf;
	struct section *section;
	size_t nr, names, entsize;
	uint64_t table; /* its offset */
};

/**
 * sections_read() - Read the table of a relocatable file, such as a kernel module.
 * @data, @len: borrowed by the result; may hold anything
 *
 * Return: 0; -EBADMSG for a broken file; -EOPNOTSUPP for one that is big-endian or no relocatable
 * file; -ENOMEM. Not logged.
 */
int sections_read(void *data, size_t len, struct sections *sections_ret);
void sections_deinit(struct sections *s);

/** sections_move() - Write into the file that a section's contents are at @offset. */
void sections_move(const struct sections *s, const struct section *section, uint64_t offset);

/** sections_move_table() - Write into the file that the table is at @offset. */
void sections_move_table(const struct sections *s, uint64_t offset);

/** modinfo_next() - The value of the next "KEY=VALUE" in a module's section .modinfo.
 * @key: with the "="
 * @value: the one before, NULL for the first
 * Return: NUL-terminated, in the file; NULL where there is none any more.
 */
const char *modinfo_next(const struct sections *s, const char *key, const char *value);

#endif
