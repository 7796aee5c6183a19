/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's command line, split as the kernel splits it (lib/cmdline.c,
 * next_arg()): words end at white space outside double quotes; one pair of quotes
 * around a whole word or around its value is not part of it; '-' and '_' are the
 * same in a parameter's name. "--" is a word like any other here.
 */
#ifndef LIB_CMDLINE_H
#define LIB_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct cmdline_word - One word; points into the text it was taken from.
 * @raw: as it stands in the text, quotes included
 * @name: what is left of the first '=', or the whole word
 * @value: what is right of it, without its quotes; NULL where there is no '='
 */
struct cmdline_word {
	const char *raw;
	size_t raw_len;
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
};

/**
 * cmdline_next() - Take the next word.
 * @cursor: in: where to go on, at first the NUL-terminated text; out: behind the word
 *
 * Return: true with *@word_ret filled, false at the end.
 */
bool cmdline_next(const char **cursor, struct cmdline_word *word_ret);

/** cmdline_is() - Whether the word is the parameter @name ('-' and '_' are the same). */
bool cmdline_is(const struct cmdline_word *word, const char *name);

/**
 * cmdline_find() - Value of a parameter; where it is given more than once, the last one.
 * @value: gets the NUL-terminated value, empty for a parameter without '='
 * @size: of @value, bytes
 *
 * Return: 0; -ENOENT the parameter is not there; -E2BIG its value does not fit.
 * @value is untouched on failure.
 */
int cmdline_find(const char *cmdline, const char *name, char *value, size_t size);

/**
 * cmdline_remove() - Copy a command line without some parameters.
 * @names: parameters to leave out, wherever and however often they stand; NULL-terminated
 * @out: gets the other words as they are, one space between them
 * @size: of @out, bytes
 *
 * Return: 0, or -E2BIG where the result does not fit. @out must not overlap @cmdline.
 */
int cmdline_remove(const char *cmdline, const char *const *names, char *out, size_t size);

#endif
