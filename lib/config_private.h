/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the configuration share. */
#ifndef LIB_CONFIG_PRIVATE_H
#define LIB_CONFIG_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/config.h"

struct config_key;

/**
 * struct config_parse - A file or a command line that is being read.
 * @name: the file, or NULL for the kernel command line
 * @seen: bit for each row of the table of keys whose field a line has set
 * @starts_list: of a list: what the file said is to be replaced
 * @quoted: the value stood in quotes, which said where it ends
 * @has_path: config->path is set by a line
 * @has_options: the last target has got its mount_options
 */
struct config_parse {
	struct config *config;
	const char *name;
	unsigned line;
	uint64_t seen;
	bool starts_list;
	bool quoted;
	bool has_path;
	bool has_options;
	int problems;
	config_report_fn *report;
	void *ctx;
};

/**
 * config_set_fn - Take one value.
 * @value: not empty, without control characters, blanks at neither end
 * Return: 0; -EINVAL, reported by config_complain(), and nothing changed.
 */
typedef int config_set_fn(struct config_parse *p, const struct config_key *key, const char *value);

#define CONFIG_IN_FILE	  1u
#define CONFIG_IN_CMDLINE 2u
#define CONFIG_REPEATS	  4u /* may stand on several lines */

/**
 * struct config_key - A key.
 * @offset, @size: of the field in struct config
 * @min, @max: of a number
 * @word: of a list, whether a word may stand in it; NULL for any
 * @what: what such a word is
 */
struct config_key {
	const char *name;
	config_set_fn *set;
	unsigned flags;
	size_t offset, size;
	unsigned min, max;
	bool (*word)(const char *word);
	const char *what;
};

/** config_complain() - Report a mistake. Return: -EINVAL, so that a check can end with it. */
int config_complain(struct config_parse *p, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static inline void *config_field(struct config_parse *p, const struct config_key *key)
{
	return (char *)p->config + key->offset;
}

/* ---- config_value.c: one value */
config_set_fn config_set_text, config_set_path, config_set_program, config_set_words,
	config_set_failure, config_set_final, config_set_number, config_set_size, config_set_bool,
	config_set_image, config_set_rebuild;

/** config_copy() - @value into a field of @size bytes, where it fits. */
int config_copy(struct config_parse *p, const char *key, char *field, size_t size,
		const char *value);

/** config_copy_path() - The same of an absolute path without ".."; needless '/' are left out. */
int config_copy_path(struct config_parse *p, const char *key, char *field, size_t size,
		     const char *value);

/* ---- config_target.c: targets and what belongs to the one above */
config_set_fn config_set_target, config_set_target_path, config_set_options, config_set_dracut_args;

/** config_spread_path() - Give targets that have no path of their own the common one. */
void config_spread_path(struct config_parse *p);

/* ---- config_word.c: what single words may be */
bool config_is_blank(char c);
bool config_has_blank(const char *s);

/** config_has_control() - Whether there are control characters that are not white space. */
bool config_has_control(const char *s, size_t len);

/** config_is_safe() - Not empty, letters, digits and @others alone, and no '-' at the start. */
bool config_is_safe(const char *s, const char *others);

/** config_is_address() - An IPv4 address, or an IPv6 address without brackets, which may have
 * a "%zone". */
bool config_is_address(const char *s);

/** config_is_host() - A name or an address as above. */
bool config_is_host(const char *s);

/* Words of lists. */
bool config_is_ip(const char *s);
bool config_is_nameserver(const char *s);
bool config_is_module(const char *s);
bool config_is_file(const char *s);
bool config_is_fence_arg(const char *s);

#endif
