/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lvm_text.c: the syntax of LVM's metadata, without a tree: each value is told where it stands. */
#ifndef LIB_LVM_PRIVATE_H
#define LIB_LVM_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LVM_MAX_DEPTH 8u

/** struct lvm_word - A piece of the text, not terminated. */
struct lvm_word {
	const char *s;
	size_t len;
};

enum lvm_kind {
	LVM_STRING,
	LVM_NUMBER,
	LVM_OTHER, /* a fraction, a negative number */
};

/**
 * struct lvm_value - One value. @path, @depth: the sections around it, the outermost first;
 * @index: in its array; @word: as it stands, a string without its quotes, escapes left in
 */
struct lvm_value {
	unsigned depth;
	struct lvm_word path[LVM_MAX_DEPTH];
	struct lvm_word key;
	unsigned index;
	enum lvm_kind kind;
	struct lvm_word word;
	uint64_t number;
};

/** lvm_word_is() - Whether it is this string. */
bool lvm_word_is(struct lvm_word word, const char *s);

/** lvm_word_same() - Whether both are the same. */
bool lvm_word_same(struct lvm_word a, struct lvm_word b);

/**
 * lvm_text_walk() - Hand each value of @text, in order, to @take until that fails.
 * Return: 0; what @take returned; -EBADMSG a mistake in the syntax, sections deeper than
 * LVM_MAX_DEPTH or left open.
 */
int lvm_text_walk(const char *text, size_t len,
		  int (*take)(void *ctx, const struct lvm_value *value), void *ctx);

#endif
