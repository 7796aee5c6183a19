// SPDX-License-Identifier: GPL-2.0-or-later
/* Where dumps go: the targets, and the keys that belong to the target above them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config_private.h"
#include "lib/util.h"

/* What a word of mount options or of ssh's may be made of besides letters and digits: nothing
 * that means something to a shell. */
#define OPTION_CHARS "=_.:/@+,%[]-"

typedef int set_where_fn(struct config_parse *p, const char *key, const char *value,
			 struct config_target *target);

/* Blanks stand in a value only where quotes have said so. */
static int one_word(struct config_parse *p, const char *key, const char *value)
{
	if (p->quoted || !config_has_blank(value))
		return 0;
	return config_complain(p, key, "more than one word behind the key");
}

static int copy_where(struct config_parse *p, const char *key, const char *value,
		      struct config_target *target)
{
	return config_copy(p, key, target->where, sizeof(target->where), value);
}

/* TAG=value and TAG="value" end up alike, without quotes. */
static int set_tagged(struct config_parse *p, const char *key, const char *tag, const char *value,
		      struct config_target *target)
{
	size_t len = strlen(value);
	bool quoted = len >= 2 && value[0] == '"' && value[len - 1] == '"';

	if (quoted) {
		value++;
		len -= 2;
	} else if (one_word(p, key, value)) {
		return -EINVAL;
	}
	if (!len)
		return config_complain(p, key, "nothing behind %s", tag);
	if (memchr(value, '"', len))
		return config_complain(p, key, "a quotation mark within a device");
	if (strlen(tag) + len >= sizeof(target->where))
		return config_complain(p, key, "longer than %zu bytes", sizeof(target->where) - 1);
	strcpy(target->where, tag);
	memcpy(target->where + strlen(tag), value, len); /* the rest is zero */
	if (strstr(tag, "UUID=") && !config_is_safe(target->where + strlen(tag), "-"))
		return config_complain(p, key, "\"%.64s\" is not a UUID", value);
	return 0;
}

static int set_device(struct config_parse *p, const char *key, const char *value,
		      struct config_target *target)
{
	static const char *const tags[] = { "UUID=", "LABEL=", "PARTUUID=", "PARTLABEL=" };

	if (after_prefix(value, "/dev/"))
		return one_word(p, key, value) || config_copy_path(p, key, target->where,
								   sizeof(target->where), value) ?
			       -EINVAL :
			       0;
	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		const char *rest = after_prefix(value, tags[i]);

		if (rest)
			return set_tagged(p, key, tags[i], rest, target);
	}
	return config_complain(
		p, key, "the device must be /dev/..., UUID=, LABEL=, PARTUUID= or PARTLABEL=");
}

static int set_raw(struct config_parse *p, const char *key, const char *value,
		   struct config_target *target)
{
	if (after_prefix(value, "UUID=") || after_prefix(value, "LABEL="))
		return config_complain(p, key,
				       "a raw partition has no file system that UUID= or LABEL= "
				       "could name: use PARTUUID=, PARTLABEL= or /dev/...");
	return set_device(p, key, value, target);
}

static int set_tag(struct config_parse *p, const char *key, const char *value,
		   struct config_target *target)
{
	if (!config_is_safe(value, "._-"))
		return config_complain(p, key, "\"%.64s\" is not a tag: letters, digits and . _ -",
				       value);
	return copy_where(p, key, value, target);
}

/* The host at the start of @value, of @len bytes, without brackets into @host. */
static int take_host(struct config_parse *p, const char *key, const char *value, size_t len,
		     char host[256])
{
	bool bracketed = len >= 2 && value[0] == '[' && value[len - 1] == ']';

	snprintf(host, 256, "%.*s", (int)MIN(len, (size_t)300) - 2 * bracketed, value + bracketed);
	if (len >= 256 || !config_is_host(host) || (bracketed && !strchr(host, ':')))
		return config_complain(p, key, "\"%.64s\" is not a host's name or address", host);
	return 0;
}

/* HOST:/export, an IPv6 address in brackets. */
static int set_nfs(struct config_parse *p, const char *key, const char *value,
		   struct config_target *target)
{
	const char *colon = *value == '[' ? strchr(value, ']') : value;
	char host[256], export[sizeof(target->where)];
	int err;

	colon = colon ? strstr(colon, ":/") : NULL;
	if (!colon)
		return config_complain(p, key, "must be HOST:/PATH");
	err = one_word(p, key, value);
	if (!err)
		err = take_host(p, key, value, colon - value, host);
	if (!err && strchr(host, ':') && *value != '[')
		return config_complain(p, key, "an IPv6 address must be put in brackets");
	if (!err)
		err = config_copy_path(p, key, export, sizeof(export), colon + 1);
	if (err)
		return err;
	if (snprintf(target->where, sizeof(target->where), "%.*s:%s", (int)(colon - value), value,
		     export) >= (int)sizeof(target->where))
		return config_complain(p, key, "longer than %zu bytes", sizeof(target->where) - 1);
	return 0;
}

static int set_nfs4(struct config_parse *p, const char *key, const char *value,
		    struct config_target *target)
{
	strcpy(target->options, "vers=4");
	return set_nfs(p, key, value, target);
}

/* Behind the host: nothing, or :PORT. */
static int set_port(struct config_parse *p, const char *key, const char *port,
		    struct config_target *target)
{
	char *end;
	unsigned long n;

	if (!*port)
		return 0;
	n = port[0] == ':' && port[1] >= '0' && port[1] <= '9' ? strtoul(port + 1, &end, 10) : 0;
	if (!n || n > 65535 || *end)
		return config_complain(p, key, "\"%.32s\" is not a port", port);
	snprintf(target->options, sizeof(target->options), "Port=%lu", n);
	return 0;
}

/* USER@HOST, USER@HOST:PORT, USER@[ADDRESS]:PORT; an address alone needs no brackets. */
static int set_ssh(struct config_parse *p, const char *key, const char *value,
		   struct config_target *target)
{
	const char *at = strrchr(value, '@'), *host_at = at ? at + 1 : NULL, *end;
	char user[64], host[256];

	if (!at || at == value || !*host_at)
		return config_complain(p, key, "must be USER@HOST");
	snprintf(user, sizeof(user), "%.*s", (int)MIN((size_t)(at - value), sizeof(user)), value);
	if ((size_t)(at - value) >= sizeof(user) || !config_is_safe(user, "._-"))
		return config_complain(p, key, "\"%.64s\" is not a user's name", user);
	if (*host_at == '[' && strchr(host_at, ']'))
		end = strchr(host_at, ']') + 1;
	else if (strchr(host_at, ':') == strrchr(host_at, ':'))
		end = host_at + strcspn(host_at, ":");
	else
		end = host_at + strlen(host_at);
	if (take_host(p, key, host_at, end - host_at, host) || set_port(p, key, end, target))
		return -EINVAL;
	if (snprintf(target->where, sizeof(target->where), "%s@%s", user, host) >=
	    (int)sizeof(target->where))
		return config_complain(p, key, "longer than %zu bytes", sizeof(target->where) - 1);
	return 0;
}

/* @key as it is written; @type as the target is called then. */
static const struct {
	const char *key, *type;
	set_where_fn *set;
} target_types[] = {
	{ "ext2", "ext2", set_device },	  { "ext3", "ext3", set_device },
	{ "ext4", "ext4", set_device },	  { "xfs", "xfs", set_device },
	{ "btrfs", "btrfs", set_device }, { "vfat", "vfat", set_device },
	{ "raw", "raw", set_raw },	  { "nfs", "nfs", set_nfs },
	{ "nfs4", "nfs", set_nfs4 },	  { "virtiofs", "virtiofs", set_tag },
	{ "9p", "9p", set_tag },	  { "ssh", "ssh", set_ssh },
};

static int add_target(struct config_parse *p, const char *key, const struct config_target *target)
{
	struct config *config = p->config;

	if (p->starts_list)
		config->nr_targets = 0;
	if (config->nr_targets == CONFIG_MAX_TARGETS)
		return config_complain(p, key, "more than %u targets", CONFIG_MAX_TARGETS);
	config->targets[config->nr_targets++] = *target;
	p->has_options = false;
	return 0;
}

/* Return: as config_set_fn, or -ENOENT for a type that is no target's. */
static int parse_target(struct config_parse *p, const char *key, const char *type,
			const char *value, struct config_target *target)
{
	for (size_t i = 0; i < ARRAY_SIZE(target_types); i++) {
		if (streq(type, target_types[i].key)) {
			*target = (struct config_target){ .type = "" };
			strcpy(target->type, target_types[i].type);
			return target_types[i].set(p, key, value, target);
		}
	}
	return -ENOENT;
}

int config_set_target(struct config_parse *p, const struct config_key *key, const char *value)
{
	struct config_target target;
	int err = parse_target(p, key->name, key->name, value, &target);

	return err ? err : add_target(p, key->name, &target);
}

int config_set_target_path(struct config_parse *p, const struct config_key *key, const char *value)
{
	struct config *config = p->config;
	bool own = p->name && config->nr_targets > 0;
	char *field = own ? config->targets[config->nr_targets - 1].path : config->path;
	int err;

	if (own && *field)
		return config_complain(p, key->name,
				       "given twice for a target; the first one counts");
	if (p->name && !own && p->has_path)
		return config_complain(p, key->name, "given twice; the first one counts");
	err = config_copy_path(p, key->name, field, key->size, value);
	if (err)
		return err;
	if (own && !p->has_path)
		strcpy(config->path, field);
	p->has_path = true;
	return 0;
}

/* A path of the command line is for all. */
void config_spread_path(struct config_parse *p)
{
	struct config *config = p->config;

	for (unsigned i = 0; i < config->nr_targets; i++)
		if (!config->targets[i].path[0] || (!p->name && p->has_path))
			strcpy(config->targets[i].path, config->path);
}

/* ssh(1)'s -o NAME=VALUE, each of the words between the commas. */
static bool are_ssh_options(const char *list)
{
	while (*list) {
		size_t name = strspn(
			list, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

		if (!name || list[name] != '=')
			return false;
		list += strcspn(list, ",");
		if (*list)
			list++;
	}
	return true;
}

static int add_options(struct config_parse *p, const char *key, struct config_target *target,
		       const char *value)
{
	size_t len = strlen(target->options);

	if (streq(target->type, "raw"))
		return config_complain(p, key, "a raw partition is not mounted");
	if (!config_is_safe(value, OPTION_CHARS) || *value == ',')
		return config_complain(
			p, key, "\"%.64s\" is not a list of options with commas between", value);
	if (streq(target->type, "ssh") && !are_ssh_options(value))
		return config_complain(p, key,
				       "\"%.64s\" is not NAME=VALUE as ssh_config(5) has it, with "
				       "commas between",
				       value);
	if (len + 1 + strlen(value) >= sizeof(target->options))
		return config_complain(p, key, "longer than %zu bytes",
				       sizeof(target->options) - 1);
	snprintf(target->options + len, sizeof(target->options) - len, "%s%s", len ? "," : "",
		 value);
	return 0;
}

/* Of the target above; on the command line, without a target there, of the file's last one. */
int config_set_options(struct config_parse *p, const struct config_key *key, const char *value)
{
	struct config *config = p->config;
	int err;

	if (!config->nr_targets)
		return config_complain(p, key->name, "there is no target above it");
	if (p->name && p->has_options)
		return config_complain(p, key->name,
				       "given twice for a target; the first one counts");
	err = add_options(p, key->name, &config->targets[config->nr_targets - 1], value);
	if (!err)
		p->has_options = true;
	return err;
}

/* dracut's --mount: DEVICE MOUNTPOINT TYPE [OPTIONS [DUMP PASS]], as in fstab(5). kdump-utils'
 * users name a target by it. */
static int add_mount(struct config_parse *p, const char *key, const char *mount)
{
	char buf[CONFIG_LINE_MAX], *rest = buf, *word, *words[4] = { NULL };
	struct config_target target;
	unsigned nr = 0;
	int err;

	snprintf(buf, sizeof(buf), "%s", mount);
	while (nr < ARRAY_SIZE(words) && (word = strsep(&rest, " ")))
		if (*word)
			words[nr++] = word;
	if (nr < 3)
		return config_complain(p, key,
				       "--mount must be a device, a mount point and a file system "
				       "type: better a line \"ext4 UUID=...\" instead of it");
	err = parse_target(p, key, words[2], words[0], &target);
	if (err == -ENOENT || streq(words[2], "raw") || streq(words[2], "ssh"))
		return config_complain(p, key, "--mount: %.32s is not a file system for dumps",
				       words[2]);
	if (!err && words[3] && !streq(words[3], "defaults"))
		err = add_options(p, key, &target, words[3]);
	return err ? err : add_target(p, key, &target);
}

/*
 * Takes the next word of dracut_args, quotes and backslashes as xargs(1) has them, which is
 * what kdump-utils splits the line with. False at the end; @len_ret is what it takes up.
 */
static bool next_argument(const char *s, char *word, size_t *len_ret)
{
	const char *start = s;
	char quote = 0;

	if (!*s)
		return false;
	for (; *s && (quote || *s != ' '); s++) {
		if (quote ? *s == quote : *s == '"' || *s == '\'')
			quote = quote ? 0 : *s;
		else if (*s == '\\' && !quote && s[1])
			*word++ = *++s;
		else
			*word++ = *s;
	}
	*word = '\0';
	*len_ret = s - start;
	return true;
}

static void put_argument(char *out, const char *raw, size_t len)
{
	size_t old = strlen(out);

	sprintf(out + old, "%s%.*s", old ? " " : "", (int)len, raw);
}

/* A --mount becomes a target; all else is kept as it is written. */
int config_set_dracut_args(struct config_parse *p, const struct config_key *key, const char *value)
{
	char word[CONFIG_LINE_MAX], out[sizeof(p->config->dracut_args) + 1 + CONFIG_LINE_MAX];
	char *field = config_field(p, key);
	size_t len;

	strcpy(out, field);
	while (next_argument(value, word, &len)) {
		const char *mount = after_prefix(word, "--mount=");
		const char *raw = value;
		size_t raw_len = len;

		value += len + strspn(value + len, " ");
		if (streq(word, "--mount")) {
			if (!next_argument(value, word, &len))
				return config_complain(p, key->name, "nothing behind --mount");
			value += len + strspn(value + len, " ");
			mount = word;
		}
		if (mount && add_mount(p, key->name, mount))
			return -EINVAL;
		if (!mount && raw_len)
			put_argument(out, raw, raw_len);
	}
	return config_copy(p, key->name, field, key->size, out);
}
