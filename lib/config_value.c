// SPDX-License-Identifier: GPL-2.0-or-later
/* Setting fields of struct config from values of keys. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/config_private.h"
#include "lib/util.h"

static const char *const action_names[] = {
	[CONFIG_REBOOT] = "reboot",
	[CONFIG_HALT] = "halt",
	[CONFIG_POWEROFF] = "poweroff",
	[CONFIG_SHELL] = "shell",
	[CONFIG_DUMP_TO_ROOTFS] = "dump_to_rootfs",
};

const char *config_action_name(enum config_action action)
{
	return (unsigned)action < ARRAY_SIZE(action_names) ? action_names[action] : "unknown";
}

/* Where the '/' at its end are left out, a blank would be the last character. */
static bool ends_in_blank(const char *path)
{
	size_t len = strlen(path);

	while (len && path[len - 1] == '/')
		len--;
	return len && config_is_blank(path[len - 1]);
}

static bool has_dotdot(const char *path)
{
	for (const char *s = path; (s = strstr(s, "..")); s += 2)
		if ((s == path || s[-1] == '/') && (s[2] == '/' || !s[2]))
			return true;
	return false;
}

int config_copy(struct config_parse *p, const char *key, char *field, size_t size,
		const char *value)
{
	if (strlen(value) >= size)
		return config_complain(p, key, "longer than %zu bytes", size - 1);
	strcpy(field, value);
	return 0;
}

int config_copy_path(struct config_parse *p, const char *key, char *field, size_t size,
		     const char *value)
{
	char *to = field;
	int err;

	if (*value != '/')
		return config_complain(p, key, "must be an absolute path");
	if (has_dotdot(value))
		return config_complain(p, key, "must not contain \"..\"");
	if (ends_in_blank(value))
		return config_complain(p, key, "must not end in a blank");
	err = config_copy(p, key, field, size, value);
	if (err)
		return err;
	for (const char *s = field; *s; s++)
		if (*s != '/' || (s[1] && s[1] != '/'))
			*to++ = *s;
	if (to == field)
		*to++ = '/';
	*to = '\0';
	return 0;
}

int config_set_text(struct config_parse *p, const struct config_key *key, const char *value)
{
	return config_copy(p, key->name, config_field(p, key), key->size, value);
}

int config_set_path(struct config_parse *p, const struct config_key *key, const char *value)
{
	return config_copy_path(p, key->name, config_field(p, key), key->size, value);
}

int config_set_program(struct config_parse *p, const struct config_key *key, const char *value)
{
	if (config_has_blank(value))
		return config_complain(p, key->name,
				       "must be the path of a program, without arguments");
	return config_set_path(p, key, value);
}

/* Checks a word and puts it behind the list in @field, of key->size bytes. */
static int add_word(struct config_parse *p, const struct config_key *key, char *field,
		    const char *word, size_t len)
{
	char buf[CONFIG_LINE_MAX];
	size_t old = strlen(field);

	snprintf(buf, sizeof(buf), "%.*s", (int)len, word);
	if (key->word && !key->word(buf))
		return config_complain(p, key->name, "\"%.64s\" is not %s", buf, key->what);
	if (old + (old ? 1 : 0) + len >= key->size)
		return config_complain(p, key->name, "longer than %zu bytes", key->size - 1);
	snprintf(field + old, key->size - old, "%s%s", old ? " " : "", buf);
	return 0;
}

/* Lines add up; the command line's are instead of the file's. */
int config_set_words(struct config_parse *p, const struct config_key *key, const char *value)
{
	char list[1024 + 1] = "", *field = config_field(p, key);

	if (!p->starts_list)
		snprintf(list, sizeof(list), "%s", field);
	while (*value) {
		size_t len = 0;

		while (value[len] && !config_is_blank(value[len]))
			len++;
		if (len && add_word(p, key, list, value, len))
			return -EINVAL;
		value += len;
		while (config_is_blank(*value))
			value++;
	}
	strcpy(field, list);
	return 0;
}

static int set_action(struct config_parse *p, const struct config_key *key, const char *value,
		      enum config_action last, const char *all)
{
	enum config_action *field = config_field(p, key);

	for (enum config_action i = 0; i <= last; i++) {
		if (streq(value, action_names[i])) {
			*field = i;
			return 0;
		}
	}
	return config_complain(p, key->name, "\"%.32s\" is not one of %s", value, all);
}

int config_set_failure(struct config_parse *p, const struct config_key *key, const char *value)
{
	return set_action(p, key, value, CONFIG_DUMP_TO_ROOTFS,
			  "reboot, halt, poweroff, shell, dump_to_rootfs");
}

int config_set_final(struct config_parse *p, const struct config_key *key, const char *value)
{
	return set_action(p, key, value, CONFIG_POWEROFF, "reboot, halt, poweroff");
}

/* The digits at *@s, which is moved behind them; anything too large becomes @max + 1. */
static uint64_t take_digits(const char **s, uint64_t max)
{
	uint64_t n = 0;

	for (; **s >= '0' && **s <= '9'; ++*s)
		if (n <= max && (__builtin_mul_overflow(n, 10, &n) ||
				 __builtin_add_overflow(n, (uint64_t)(**s - '0'), &n) || n > max))
			n = max + 1;
	return n;
}

int config_set_number(struct config_parse *p, const struct config_key *key, const char *value)
{
	const char *s = value;
	uint64_t n = take_digits(&s, key->max);

	if (s == value || *s || n < key->min || n > key->max)
		return config_complain(p, key->name, "\"%.32s\" is not %s from %u to %u", value,
				       key->what, key->min, key->max);
	*(unsigned *)config_field(p, key) = n;
	return 0;
}

/* Bytes, or with K, M, G or T behind it. */
int config_set_size(struct config_parse *p, const struct config_key *key, const char *value)
{
	static const char units[] = "KMGT";
	const char *s = value, *unit;
	uint64_t n = take_digits(&s, INT64_MAX);
	unsigned shift = 0;

	unit = *s ? strchr(units, *s & ~0x20) : NULL;
	if (s != value && unit && (*s & ~0x20)) {
		shift = 10 * (unsigned)(unit - units + 1);
		s++;
	}
	if (s == value || *s || n > (uint64_t)INT64_MAX >> shift)
		return config_complain(p, key->name,
				       "\"%.32s\" is not a size in bytes, or with K, M, G or T "
				       "behind it",
				       value);
	*(uint64_t *)config_field(p, key) = n << shift;
	return 0;
}

int config_set_bool(struct config_parse *p, const struct config_key *key, const char *value)
{
	bool yes = streq(value, "yes") || streq(value, "1");

	if (!yes && !streq(value, "no") && !streq(value, "0"))
		return config_complain(p, key->name, "\"%.32s\" is not one of yes, no, 1, 0",
				       value);
	*(bool *)config_field(p, key) = yes;
	return 0;
}

int config_set_rebuild(struct config_parse *p, const struct config_key *key, const char *value)
{
	struct config *config = p->config;
	bool before = *(bool *)config_field(p, key);
	int err = config_set_bool(p, key, value);

	if (!err && config->force_rebuild && config->force_no_rebuild) {
		*(bool *)config_field(p, key) = before;
		err = config_complain(p, key->name,
				      "force_rebuild and force_no_rebuild contradict each other");
	}
	return err;
}

int config_set_image(struct config_parse *p, const struct config_key *key, const char *value)
{
	if (!streq(value, "auto") && !streq(value, "tiny") && !streq(value, "full"))
		return config_complain(p, key->name, "\"%.32s\" is not one of auto, tiny, full",
				       value);
	return config_set_text(p, key, value);
}
