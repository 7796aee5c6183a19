// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/core/vmcoreinfo.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

#define KEY_MAX 192 /* "SYMBOL(" + the longest C name the kernel's kallsyms allows is less */

struct entry {
	const char *key;
	const char *value;
};

/*
 * @raw: the text as it was
 * @text: a NUL-terminated copy, cut into keys and values in place
 * @entries: in the order of the text, so that a search finds the first of a repeated key
 */
struct vmcoreinfo {
	char *raw;
	size_t raw_len;
	char *text;
	struct entry *entries;
	size_t nr;
};

void vmcoreinfo_free(struct vmcoreinfo *vi)
{
	if (!vi)
		return;
	free(vi->raw);
	free(vi->text);
	free(vi->entries);
	free(vi);
}

static size_t count_lines(const char *text, size_t len)
{
	size_t nr = 1;

	for (size_t i = 0; i < len; i++)
		nr += text[i] == '\n';
	return nr;
}

static void index_lines(struct vmcoreinfo *vi)
{
	char *next = vi->text, *line;

	while ((line = strsep(&next, "\n"))) {
		char *eq = strchr(line, '=');

		if (!eq || eq == line)
			continue;
		*eq = '\0';
		vi->entries[vi->nr++] = (struct entry){ line, eq + 1 };
	}
}

int vmcoreinfo_parse(const void *text, size_t len, struct vmcoreinfo **vi_ret)
{
	struct vmcoreinfo *vi;

	if (len > VMCOREINFO_MAX_BYTES)
		return -EBADMSG;
	vi = calloc(1, sizeof(*vi));
	if (!vi)
		return -ENOMEM;
	vi->raw_len = len;
	vi->raw = malloc(len + 1);
	vi->text = malloc(len + 1);
	vi->entries = calloc(count_lines(text, len), sizeof(*vi->entries));
	if (!vi->raw || !vi->text || !vi->entries) {
		vmcoreinfo_free(vi);
		return -ENOMEM;
	}
	if (len)
		memcpy(vi->raw, text, len);
	vi->raw[len] = '\0';
	memcpy(vi->text, vi->raw, len + 1);
	index_lines(vi);
	if (!vi->nr) {
		vmcoreinfo_free(vi);
		return -EBADMSG;
	}
	*vi_ret = vi;
	return 0;
}

const char *vmcoreinfo_raw(const struct vmcoreinfo *vi, size_t *len_ret)
{
	*len_ret = vi->raw_len;
	return vi->raw;
}

const char *vmcoreinfo_string(const struct vmcoreinfo *vi, const char *key)
{
	for (size_t i = 0; i < vi->nr; i++)
		if (streq(vi->entries[i].key, key))
			return vi->entries[i].value;
	return NULL;
}

static const char *find_typed(const struct vmcoreinfo *vi, const char *type, const char *name)
{
	char key[KEY_MAX];
	int n = snprintf(key, sizeof(key), "%s(%s)", type, name);

	if (n < 0 || (size_t)n >= sizeof(key))
		return NULL;
	return vmcoreinfo_string(vi, key);
}

/* Digits only: no sign, no white space, nothing behind; strtoull() alone takes all three. */
static int parse_digits(const char *s, int base, uint64_t *value_ret)
{
	unsigned long long v;
	char *end;

	if (base == 16 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		s += 2;
	if (!(base == 16 ? isxdigit((unsigned char)*s) : isdigit((unsigned char)*s)))
		return -EBADMSG;
	errno = 0;
	v = strtoull(s, &end, base);
	if (errno || *end)
		return -EBADMSG;
	*value_ret = v;
	return 0;
}

static int lookup(const char *value, int base, uint64_t *value_ret)
{
	return value ? parse_digits(value, base, value_ret) : -ENODATA;
}

int vmcoreinfo_symbol(const struct vmcoreinfo *vi, const char *name, uint64_t *addr_ret)
{
	return lookup(find_typed(vi, "SYMBOL", name), 16, addr_ret);
}

int vmcoreinfo_size(const struct vmcoreinfo *vi, const char *name, uint64_t *size_ret)
{
	return lookup(find_typed(vi, "SIZE", name), 10, size_ret);
}

int vmcoreinfo_offset(const struct vmcoreinfo *vi, const char *name, uint64_t *offset_ret)
{
	return lookup(find_typed(vi, "OFFSET", name), 10, offset_ret);
}

int vmcoreinfo_length(const struct vmcoreinfo *vi, const char *name, uint64_t *length_ret)
{
	return lookup(find_typed(vi, "LENGTH", name), 10, length_ret);
}

int vmcoreinfo_hex(const struct vmcoreinfo *vi, const char *key, uint64_t *value_ret)
{
	return lookup(vmcoreinfo_string(vi, key), 16, value_ret);
}

/* Decimal with a sign on most architectures, 0x on some (arm64, riscv). */
int vmcoreinfo_number(const struct vmcoreinfo *vi, const char *name, int64_t *number_ret)
{
	const char *s = find_typed(vi, "NUMBER", name);
	bool negative;
	uint64_t v;
	int err;

	if (!s)
		return -ENODATA;
	negative = *s == '-';
	if (negative)
		s++;
	err = parse_digits(s, s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10, &v);
	if (err)
		return err;
	if (negative && v > (uint64_t)INT64_MAX + 1)
		return -EBADMSG;
	*number_ret = (int64_t)(negative ? 0 - v : v);
	return 0;
}

bool vmcoreinfo_config(const struct vmcoreinfo *vi, const char *name)
{
	char key[KEY_MAX];
	int n = snprintf(key, sizeof(key), "CONFIG_%s", name);
	const char *value;

	if (n < 0 || (size_t)n >= sizeof(key))
		return false;
	value = vmcoreinfo_string(vi, key);
	return value && streq(value, "y");
}
