/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a crash image was made from: files by their content, and facts by their text. The list
 * is written down when the image is built; one made later tells by comparison whether the image
 * is still the one that would be built, and if not, what changed.
 *
 * The file: a line "vmcore-save inputs 1", then for each input
 *	file SHA256 SIZE MTIME_NS INODE NAME
 *	held SHA256 SIZE MTIME_NS INODE NAME
 *	fact NAME<tab>TEXT
 * "held" are the image itself and files that only the image tells of, such as its modules.
 * A file whose size, time and inode are as they were is not read again.
 */
#ifndef CONTROL_INPUTS_H
#define CONTROL_INPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/sha256.h"

#define INPUTS_MAX	 4096u
#define INPUTS_MAX_BYTES (1u << 20)

/**
 * struct input
 * @name: path as it is on the system, or name of a fact; owned
 * @held: a file that the built image told of
 * @text: of a fact; NULL of a file; owned
 * @sha256: of a file; "-" for one that is not there
 * @size, @mtime_ns, @inode: of a file
 */
struct input {
	char *name;
	char *text;
	bool held;
	char sha256[SHA256_HEX_BYTES];
	uint64_t size, mtime_ns, inode;
};

struct inputs {
	struct input *list;
	size_t nr, room;
};

void inputs_deinit(struct inputs *inputs);

/**
 * inputs_add_file() - Take a file as it is now.
 * @root: what its path begins with, besides @name
 * @known: a list in which its digest may stand already; may be NULL
 *
 * A file that is not there, or is none, is an input as well: it may appear.
 * Return: 0; -E2BIG; -ENOMEM; -errno where it cannot be read, logged.
 */
int inputs_add_file(struct inputs *inputs, const struct inputs *known, const char *root,
		    const char *name);

/** inputs_add_held() - The same of one that the image told of. */
int inputs_add_held(struct inputs *inputs, const struct inputs *known, const char *root,
		    const char *name);

/** inputs_drop_held() - Forget what an earlier image told of. */
void inputs_drop_held(struct inputs *inputs);

/** inputs_add_fact() - Take a text; control characters in it become blanks.
 * Return: 0; -E2BIG; -ENOMEM. */
int inputs_add_fact(struct inputs *inputs, const char *name, const char *text);

/** inputs_find() - NULL where there is none of that name and kind. */
const struct input *inputs_find(const struct inputs *inputs, const char *name, bool fact);

/** inputs_print() - The file's form. Errors stay with @to. */
void inputs_print(const struct inputs *inputs, FILE *to);

/** inputs_parse() - Read it back. Return: 0; -EBADMSG; -E2BIG; -ENOMEM. */
int inputs_parse(const char *text, struct inputs *inputs_ret);

/**
 * inputs_difference() - What changed from @before to @now.
 * @report: called for each difference, with the input's name and "changed", "new" or "gone";
 *	may be NULL
 *
 * Return: the number of differences.
 */
unsigned inputs_difference(const struct inputs *before, const struct inputs *now,
			   void (*report)(void *ctx, const char *name, const char *what),
			   void *ctx);

#endif
