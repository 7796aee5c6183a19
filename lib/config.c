// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/cmdline.h"
#include "lib/util.h"

#define OVERRIDE_PREFIX "vmcore_save."
#define WEEK_S		604800u

enum key_kind {
	KEY_TARGET,	 /* the key is the file system type, the value a device */
	KEY_TARGET_PATH, /* of the target above it, and the first of all that have none */
	KEY_PATH,	 /* absolute, without ".." */
	KEY_TEXT,	 /* anything printable */
	KEY_LIST,	 /* words; a second line adds to the first */
	KEY_ACTION,
	KEY_SECONDS,
};

#define IN_FILE	   1u
#define IN_CMDLINE 2u

struct config_key {
	const char *name;
	enum key_kind kind;
	unsigned where; /* IN_FILE, IN_CMDLINE */
	size_t offset;	/* in struct config */
	size_t size;	/* of the field, where it is a string */
	unsigned min;	/* KEY_SECONDS; the longest is always a week */
};

#define FIELD(f) offsetof(struct config, f), sizeof(((struct config *)0)->f)
#define TARGET_KEY(n)                                                                              \
	{                                                                                          \
		n, KEY_TARGET, IN_FILE | IN_CMDLINE, FIELD(targets[0].where), 0                    \
	}

static const struct config_key config_keys[] = {
	TARGET_KEY("ext2"),
	TARGET_KEY("ext3"),
	TARGET_KEY("ext4"),
	TARGET_KEY("xfs"),
	TARGET_KEY("btrfs"),
	TARGET_KEY("vfat"),
	{ "path", KEY_TARGET_PATH, IN_FILE | IN_CMDLINE, FIELD(path), 0 },
	{ "core_collector", KEY_TEXT, IN_FILE | IN_CMDLINE, FIELD(core_collector), 0 },
	{ "failure_action", KEY_ACTION, IN_FILE | IN_CMDLINE, FIELD(failure_action), 0 },
	{ "default", KEY_ACTION, IN_FILE | IN_CMDLINE, FIELD(failure_action), 0 },
	{ "final_action", KEY_ACTION, IN_FILE | IN_CMDLINE, FIELD(final_action), 0 },
	{ "timeout", KEY_SECONDS, IN_FILE | IN_CMDLINE, FIELD(timeout), 5 },
	{ "max_time", KEY_SECONDS, IN_FILE | IN_CMDLINE, FIELD(max_time), 10 },
	{ "device_timeout", KEY_SECONDS, IN_FILE | IN_CMDLINE, FIELD(device_timeout), 1 },
	{ "shell_timeout", KEY_SECONDS, IN_FILE | IN_CMDLINE, FIELD(shell_timeout), 1 },
	{ "extra_modules", KEY_LIST, IN_FILE, FIELD(extra_modules), 0 },
	{ "extra_bins", KEY_LIST, IN_FILE, FIELD(extra_bins), 0 },
	{ "vmcore", KEY_PATH, IN_CMDLINE, FIELD(vmcore), 0 },
};

/* Keys of kdump.conf(5) that mean nothing here: better said than silently dropped. */
static const struct {
	const char *name, *why;
} refused_keys[] = {
	{ "raw", "a raw partition as target is not supported yet" },
	{ "nfs", "NFS as target is not supported yet" },
	{ "ssh", "SSH as target is not supported yet" },
	{ "sshkey", "SSH as target is not supported yet" },
	{ "minix", "this file system is not supported yet" },
	{ "virtiofs", "this file system is not supported yet" },
	{ "kdump_pre", "hooks are not supported yet" },
	{ "kdump_post", "hooks are not supported yet" },
	{ "kdump_emergency", "hooks are not supported yet" },
	{ "force_rebuild", "this key is not supported yet" },
	{ "force_no_rebuild", "this key is not supported yet" },
	{ "dracut_args", "arguments for dracut are not supported yet" },
	{ "fence_kdump_args", "fence_kdump is not supported yet" },
	{ "fence_kdump_nodes", "fence_kdump is not supported yet" },
	{ "auto_reset_crashkernel", "this key is not supported yet" },
	{ "net", "removed from kdump.conf(5); use nfs or ssh, which are not supported yet" },
	{ "options", "removed from kdump.conf(5); module parameters go into the module list" },
	{ "link_delay", "removed from kdump.conf(5)" },
	{ "disk_timeout", "removed from kdump.conf(5); use device_timeout" },
	{ "debug_mem_level", "removed from kdump.conf(5)" },
	{ "blacklist", "removed from kdump.conf(5)" },
};

static const char *const action_names[] = {
	[CONFIG_REBOOT] = "reboot",
	[CONFIG_HALT] = "halt",
	[CONFIG_POWEROFF] = "poweroff",
	[CONFIG_SHELL] = "shell",
	[CONFIG_DUMP_TO_ROOTFS] = "dump_to_rootfs",
};

/* Rows that fill the same field share the bit of the first of them. */
static const uint32_t target_bit = 1u << 0;

struct parse {
	struct config *config;
	const char *name; /* file, or NULL for the command line */
	unsigned line;
	uint32_t seen; /* bit per row of config_keys whose field has been set */
	bool has_path; /* config->path is set by a line */
	int problems;
	config_report_fn *report;
	void *ctx;
};

_Static_assert(ARRAY_SIZE(config_keys) <= 32, "struct parse has a bit for each key");

void config_init(struct config *config)
{
	*config = (struct config){
		.path = "/var/crash",
		.failure_action = CONFIG_REBOOT,
		.final_action = CONFIG_REBOOT,
		.timeout = 15 * 60,
		.max_time = 6 * 3600,
		.device_timeout = 60,
		.hook_timeout = 60,
		.shell_timeout = 10 * 60,
		.watchdog = true,
		.image = "auto",
		.vmcore = "/proc/vmcore",
	};
}

const char *config_action_name(enum config_action action)
{
	return (unsigned)action < ARRAY_SIZE(action_names) ? action_names[action] : "unknown";
}

/* Returns -EINVAL, so that a check can end with `return complain(...)`. */
static int __attribute__((format(printf, 3, 4)))
complain(struct parse *p, const char *key, const char *fmt, ...)
{
	char text[256], message[512];
	va_list ap;

	p->problems++;
	if (!p->report)
		return -EINVAL;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (p->name)
		snprintf(message, sizeof(message), "%s:%u: %.40s%s%s", p->name, p->line, key,
			 *key ? ": " : "", text);
	else
		snprintf(message, sizeof(message),
			 "kernel command line: " OVERRIDE_PREFIX "%.40s: %s", key, text);
	p->report(p->ctx, message);
	return -EINVAL;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool has_blank(const char *s)
{
	while (*s && !is_blank(*s))
		s++;
	return *s != '\0';
}

static bool has_control(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)s[i] < 0x20 && !is_blank(s[i])) || s[i] == 0x7f)
			return true;
	return false;
}

static bool has_dotdot(const char *path)
{
	for (const char *s = path; (s = strstr(s, "..")); s += 2)
		if ((s == path || s[-1] == '/') && (s[2] == '/' || !s[2]))
			return true;
	return false;
}

static int copy_text(struct parse *p, const struct config_key *key, char *field, const char *value)
{
	if (strlen(value) >= key->size)
		return complain(p, key->name, "longer than %zu bytes", key->size - 1);
	strcpy(field, value);
	return 0;
}

static int set_path(struct parse *p, const struct config_key *key, char *field, const char *value)
{
	if (*value != '/')
		return complain(p, key->name, "must be an absolute path");
	if (has_dotdot(value))
		return complain(p, key->name, "must not contain \"..\"");
	return copy_text(p, key, field, value);
}

/* "TAG=value" and "TAG="value"" end up alike, without quotes. */
static int set_tagged_device(struct parse *p, const struct config_key *key, char *field,
			     const char *value)
{
	static const char *const tags[] = { "UUID=", "LABEL=", "PARTUUID=", "PARTLABEL=" };
	const char *rest = NULL, *tag = NULL;
	size_t len;
	bool quoted;

	for (size_t i = 0; i < ARRAY_SIZE(tags) && !rest; i++) {
		tag = tags[i];
		rest = after_prefix(value, tag);
	}
	if (!rest)
		return complain(
			p, key->name,
			"the device must be /dev/..., UUID=, LABEL=, PARTUUID= or PARTLABEL=");
	len = strlen(rest);
	quoted = len >= 2 && rest[0] == '"' && rest[len - 1] == '"';
	if (quoted) {
		rest++;
		len -= 2;
	} else if (p->name && has_blank(rest)) {
		/* The command line's own quotes have said where the value ends. */
		return complain(p, key->name, "more than one word behind the key");
	}
	if (!len)
		return complain(p, key->name, "nothing behind %s", tag);
	if (strlen(tag) + len >= key->size)
		return complain(p, key->name, "longer than %zu bytes", key->size - 1);
	snprintf(field, key->size, "%s%.*s", tag, (int)len, rest);
	return 0;
}

static int add_target(struct parse *p, const struct config_key *key, const char *value)
{
	struct config *config = p->config;
	struct config_target target = { .type = "" };
	int err;

	if (after_prefix(value, "/dev/")) {
		if (has_blank(value))
			return complain(p, key->name, "more than one word behind the key");
		err = set_path(p, key, target.where, value);
	} else {
		err = set_tagged_device(p, key, target.where, value);
	}
	if (err)
		return err;
	/* The command line's targets are instead of the file's. */
	if (!p->name && !(p->seen & target_bit))
		config->nr_targets = 0;
	if (config->nr_targets == CONFIG_MAX_TARGETS)
		return complain(p, key->name, "more than %u targets", CONFIG_MAX_TARGETS);
	snprintf(target.type, sizeof(target.type), "%s", key->name);
	config->targets[config->nr_targets++] = target;
	return 0;
}

static int set_target_path(struct parse *p, const struct config_key *key, const char *value)
{
	struct config *config = p->config;
	bool own = p->name && config->nr_targets > 0;
	char *field = own ? config->targets[config->nr_targets - 1].path : config->path;
	int err;

	if (own && *field)
		return complain(p, key->name, "given twice for a target; the first one counts");
	if (p->name && !own && p->has_path)
		return complain(p, key->name, "given twice; the first one counts");
	err = set_path(p, key, field, value);
	if (err)
		return err;
	if (own && !p->has_path)
		strcpy(config->path, field);
	p->has_path = true;
	return 0;
}

/* Targets without a path of their own; a path of the command line is for all. */
static void spread_path(struct parse *p)
{
	struct config *config = p->config;

	for (unsigned i = 0; i < config->nr_targets; i++)
		if (!config->targets[i].path[0] || (!p->name && p->has_path))
			strcpy(config->targets[i].path, config->path);
}

static int add_words(struct parse *p, const struct config_key *key, char *field, const char *value)
{
	size_t len = strlen(field), add = strlen(value);

	if (len + (len ? 1 : 0) + add >= key->size)
		return complain(p, key->name, "longer than %zu bytes", key->size - 1);
	if (len)
		field[len++] = ' ';
	for (const char *s = value; *s; s++)
		if (!is_blank(*s))
			field[len++] = *s;
		else if (!is_blank(s[1]))
			field[len++] = ' ';
	field[len] = '\0';
	return 0;
}

static int set_action(struct parse *p, const struct config_key *key, enum config_action *field,
		      const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(action_names); i++) {
		if (streq(value, action_names[i])) {
			*field = i;
			return 0;
		}
	}
	return complain(p, key->name,
			"\"%.32s\" is not one of reboot, halt, poweroff, shell, dump_to_rootfs",
			value);
}

static int set_seconds(struct parse *p, const struct config_key *key, unsigned *field,
		       const char *value)
{
	unsigned n = 0;
	const char *s = value;

	/* A week times ten plus nine is far from overflow. */
	while (*s >= '0' && *s <= '9' && n <= WEEK_S)
		n = n * 10 + (*s++ - '0');
	if (s == value || *s || n < key->min || n > WEEK_S)
		return complain(p, key->name, "\"%.32s\" is not a number of seconds from %u to %u",
				value, key->min, WEEK_S);
	*field = n;
	return 0;
}

static int set_key(struct parse *p, const struct config_key *key, const char *value)
{
	void *field = (char *)p->config + key->offset;

	if (!*value)
		return complain(p, key->name, "has no value");
	switch (key->kind) {
	case KEY_TARGET:
		return add_target(p, key, value);
	case KEY_TARGET_PATH:
		return set_target_path(p, key, value);
	case KEY_PATH:
		return set_path(p, key, field, value);
	case KEY_TEXT:
		return copy_text(p, key, field, value);
	case KEY_LIST:
		return add_words(p, key, field, value);
	case KEY_ACTION:
		return set_action(p, key, field, value);
	case KEY_SECONDS:
		return set_seconds(p, key, field, value);
	}
	return -EINVAL;
}

static uint32_t seen_bit(const struct config_key *key)
{
	size_t row = 0;

	while (config_keys[row].offset != key->offset)
		row++;
	return 1u << row;
}

static bool may_repeat(const struct config_key *key)
{
	return key->kind == KEY_LIST || key->kind == KEY_TARGET || key->kind == KEY_TARGET_PATH;
}

static void take_key(struct parse *p, const char *name, const char *value, unsigned where)
{
	for (size_t i = 0; i < ARRAY_SIZE(config_keys); i++) {
		const struct config_key *key = &config_keys[i];

		if (!streq(name, key->name) || !(key->where & where))
			continue;
		if (where == IN_FILE && !may_repeat(key) && (p->seen & seen_bit(key))) {
			complain(p, name, "given twice; the first one counts");
			return;
		}
		if (set_key(p, key, value) == 0)
			p->seen |= seen_bit(key);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(refused_keys); i++) {
		if (streq(name, refused_keys[i].name)) {
			complain(p, name, "%s", refused_keys[i].why);
			return;
		}
	}
	complain(p, name, "unknown key");
}

/* A '#' begins a comment at the start of a line and behind white space, so that a
 * label may contain one. */
static size_t comment_start(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (line[i] == '#' && (i == 0 || is_blank(line[i - 1])))
			return i;
	return len;
}

static void parse_line(struct parse *p, const char *line, size_t len)
{
	char buf[CONFIG_LINE_MAX], *key = buf, *value;

	len = comment_start(line, len);
	while (len && is_blank(line[len - 1]))
		len--;
	while (len && is_blank(*line)) {
		line++;
		len--;
	}
	if (!len)
		return;
	if (len >= sizeof(buf)) {
		complain(p, "", "line longer than %zu bytes", sizeof(buf) - 1);
		return;
	}
	if (has_control(line, len)) {
		complain(p, "", "control character in the line");
		return;
	}
	memcpy(buf, line, len);
	buf[len] = '\0';
	for (value = key; *value && !is_blank(*value); value++)
		;
	if (*value)
		*value++ = '\0';
	while (is_blank(*value))
		value++;
	take_key(p, key, value, IN_FILE);
}

int config_parse(const char *text, size_t len, const char *name, struct config *config,
		 config_report_fn *report, void *ctx)
{
	struct parse p = { .config = config, .name = name, .report = report, .ctx = ctx };
	const char *end = text + len;

	while (text < end) {
		const char *eol = memchr(text, '\n', end - text);
		size_t line_len = (eol ? eol : end) - text;

		p.line++;
		parse_line(&p, text, line_len);
		text += line_len + 1;
	}
	spread_path(&p);
	return p.problems;
}

/* The key of a vmcore_save.KEY word, '-' told as '_'; -ENOENT where it is no such word. */
static int override_key(const struct cmdline_word *word, char *key, size_t size)
{
	size_t prefix = strlen(OVERRIDE_PREFIX), len;
	struct cmdline_word head = *word;

	if (word->name_len < prefix)
		return -ENOENT;
	head.name_len = prefix;
	if (!cmdline_is(&head, OVERRIDE_PREFIX))
		return -ENOENT;
	len = MIN(word->name_len - prefix, size - 1);
	for (size_t i = 0; i < len; i++)
		key[i] = word->name[prefix + i] == '-' ? '_' : word->name[prefix + i];
	key[len] = '\0';
	return 0;
}

int config_override(const char *cmdline, struct config *config, config_report_fn *report, void *ctx)
{
	struct parse p = { .config = config, .report = report, .ctx = ctx };
	char key[48], value[CONFIG_LINE_MAX];
	struct cmdline_word word;

	while (cmdline_next(&cmdline, &word)) {
		if (override_key(&word, key, sizeof(key)))
			continue;
		if (has_control(word.name, word.name_len) ||
		    has_control(word.value, word.value_len)) {
			complain(&p, "", "control character in the parameter");
			continue;
		}
		if (word.value_len >= sizeof(value)) {
			complain(&p, key, "longer than %zu bytes", sizeof(value) - 1);
			continue;
		}
		if (word.value)
			memcpy(value, word.value, word.value_len);
		value[word.value_len] = '\0';
		take_key(&p, key, value, IN_CMDLINE);
	}
	spread_path(&p);
	return p.problems;
}
