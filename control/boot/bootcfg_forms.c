// SPDX-License-Identifier: GPL-2.0-or-later
/* Where in a boot loader's files command lines stand. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control/boot/bootcfg_private.h"
#include "lib/util.h"

/* struct line - A text's line, and its first word. */
struct line {
	size_t start, key, key_end, end, next;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Return: false at the end of the text. */
static bool line_at(const char *text, size_t len, size_t start, struct line *line_ret)
{
	struct line l = { .start = start };
	const char *newline;

	if (start >= len)
		return false;
	newline = memchr(text + start, '\n', len - start);
	l.end = newline ? (size_t)(newline - text) : len;
	l.next = l.end + (newline != NULL);
	for (l.key = start; l.key < l.end && is_blank(text[l.key]); l.key++)
		;
	for (l.key_end = l.key; l.key_end < l.end && !isspace((unsigned char)text[l.key_end]);)
		l.key_end++;
	*line_ret = l;
	return true;
}

static bool key_is(const char *text, const struct line *l, const char *key)
{
	size_t len = strlen(key);

	return l->key_end - l->key == len && !strncasecmp(text + l->key, key, len);
}

int bootcfg_spans_add(struct bootcfg_spans *out, size_t start, size_t end, unsigned name, bool bare)
{
	if (out->nr == BOOTCFG_MAX_SPANS)
		return -E2BIG;
	if (!out->span)
		out->span = calloc(BOOTCFG_MAX_SPANS, sizeof(*out->span));
	if (!out->span)
		return -ENOMEM;
	out->span[out->nr++] = (struct bootcfg_span){ start, end - start, name, bare };
	return 0;
}

/* kernel-install's plugins read several lines as one. */
static int find_line(const char *text, size_t len, const char *const *names,
		     struct bootcfg_spans *out)
{
	struct line l;
	int err = 0;

	(void)names;
	for (size_t at = 0; !err && line_at(text, len, at, &l); at = l.next) {
		if (l.key < l.end && l.key != l.key_end && text[l.key] != '#')
			err = bootcfg_spans_add(out, l.start, l.end, 0, false);
	}
	return err;
}

/* Boot Loader Specification, type #1: a key, white space, its value; "options" may come again. */
static int find_key(const char *text, size_t len, const char *const *names,
		    struct bootcfg_spans *out)
{
	struct line l;
	int err = 0;

	for (size_t at = 0; !err && line_at(text, len, at, &l); at = l.next) {
		if (key_is(text, &l, names[0]))
			err = bootcfg_spans_add(out, l.key_end, l.end, 0, false);
	}
	return err;
}

/* What a label starts where it is no kernel of Linux (syslinux, doc/syslinux.txt, "KERNEL"). */
static bool starts_other(const char *text, const struct line *l)
{
	static const char *const keys[] = { "com32",   "boot",	  "bss",    "pxe",
					    "fdimage", "comboot", "config", "localboot" };
	static const char *const types[] = { ".c32", ".com", ".cbt", ".bss", ".bs",
					     ".bin", ".img", ".0",   ".efi" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (key_is(text, l, keys[i]))
			return true;
	}
	for (size_t i = 0; key_is(text, l, "kernel") && i < ARRAY_SIZE(types); i++) {
		size_t end = l->end, n = strlen(types[i]);

		while (end > l->key_end && isspace((unsigned char)text[end - 1]))
			end--;
		if (end - l->key_end > n && !strncasecmp(text + end - n, types[i], n))
			return true;
	}
	return false;
}

/* "append -" stands for none at all. */
static bool is_none(const char *text, const struct line *l)
{
	size_t at = l->key_end, end = l->end;

	while (at < end && isspace((unsigned char)text[at]))
		at++;
	while (end > at && isspace((unsigned char)text[end - 1]))
		end--;
	return end - at == 1 && text[at] == '-';
}

/* One "append" before the first label is that of the labels without. */
static int find_label(const char *text, size_t len, const char *const *names,
		      struct bootcfg_spans *out)
{
	size_t first = 0; /* span of this label */
	bool other = false;
	struct line l;
	int err = 0;

	for (size_t at = 0; !err && line_at(text, len, at, &l); at = l.next) {
		if (key_is(text, &l, "label")) {
			if (other)
				out->nr = first;
			first = out->nr;
			other = false;
		}
		if (starts_other(text, &l))
			other = true;
		if (key_is(text, &l, names[0]) && !is_none(text, &l))
			err = bootcfg_spans_add(out, l.key_end, l.end, 0, false);
	}
	if (other)
		out->nr = first;
	return err;
}

/* The value at @at, as far as it is one string. Return: where it ends; 0 where it is none. */
static size_t shell_value(const char *text, size_t len, size_t at, size_t *start, size_t *end)
{
	char quote = at < len && (text[at] == '"' || text[at] == '\'') ? text[at] : '\0';
	size_t i = at + (quote != '\0');

	*start = i;
	for (; i < len && (quote ? text[i] != quote : !isspace((unsigned char)text[i])); i++) {
		if (!quote && strchr("\"'\\`$;&|<>()", text[i]))
			return 0;
		if (quote == '"' && text[i] == '\\' && i + 1 < len)
			i++;
	}
	*end = i;
	if (quote && i >= len)
		return 0;
	i += quote != '\0';
	return i == len || isspace((unsigned char)text[i]) || text[i] == ';' ? i : 0;
}

static int find_shell(const char *text, size_t len, const char *const *names,
		      struct bootcfg_spans *out)
{
	struct line l;
	int err = 0;

	for (size_t at = 0; !err && line_at(text, len, at, &l); at = l.next) {
		const char *key = text + l.key;
		size_t left = l.end - l.key, start, end, behind;

		if (left > 7 && !memcmp(key, "export ", 7)) {
			key += 7;
			left -= 7;
		}
		for (unsigned i = 0; !err && names[i]; i++) {
			size_t n = strlen(names[i]);

			if (left <= n || memcmp(key, names[i], n) || key[n] != '=')
				continue;
			at = (size_t)(key - text) + n + 1;
			behind = shell_value(text, len, at, &start, &end);
			if (!behind)
				return -EBADMSG;
			err = bootcfg_spans_add(out, start, end, i, start == at);
			/* A string may have several lines. */
			if (behind > l.next)
				l.next = behind;
		}
	}
	return err;
}

/* GRUB, grub-core/lib/envblk.c: a line to begin with, NAME=VALUE lines in which a '\' is before
 * each newline and '\' of a value, and '#' up to the block's end. */
static int find_grubenv(const char *text, size_t len, const char *const *names,
			struct bootcfg_spans *out)
{
	static const char head[] = "# GRUB Environment Block\n";
	size_t n = strlen(names[0]);
	int err = 0;

	if (len != bootcfg_form_grubenv.block || memcmp(text, head, strlen(head)))
		return -EBADMSG;
	while (len && text[len - 1] == '#')
		len--;
	for (size_t at = strlen(head), end; !err && at < len; at = end + 1) {
		for (end = at; end < len && text[end] != '\n'; end++)
			end += text[end] == '\\';
		if (end >= len)
			return -EBADMSG;
		if (end - at > n && !memcmp(text + at, names[0], n) && text[at + n] == '=')
			err = bootcfg_spans_add(out, at + n + 1, end, 0, false);
	}
	return err;
}

const struct bootcfg_form bootcfg_form_line = { .find = find_line, .open = "", .close = "\n" };
const struct bootcfg_form bootcfg_form_key = {
	.find = find_key, .named = true, .open = " ", .close = "\n"
};
const struct bootcfg_form bootcfg_form_label = { .find = find_label, .each = true };
const struct bootcfg_form bootcfg_form_shell = {
	.find = find_shell, .named = true, .open = "=\"", .close = "\"\n"
};
const struct bootcfg_form bootcfg_form_args = { .find = find_shell, .each = true };
const struct bootcfg_form bootcfg_form_grubenv = { .find = find_grubenv, .block = 1024 };
