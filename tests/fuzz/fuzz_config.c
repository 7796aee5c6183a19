// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as a configuration file and as a kernel command line. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/config.h"
#include "lib/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void discard(void *ctx, const char *message)
{
	size_t *bytes = ctx;

	*bytes += strlen(message);
}

/* A field is a string, of printable characters alone. */
static void check_string(const char *s, size_t size)
{
	size_t len = strnlen(s, size);

	if (len == size)
		abort();
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			abort();
}

#define STRING(s) check_string(s, sizeof(s))

static void check_path(const char *path)
{
	if (*path != '/' || strstr(path, "/../") || strstr(path, "//"))
		abort();
}

static void check_target(const struct config_target *t)
{
	static const char *const types[] = { "ext2", "ext3", "ext4",	 "xfs", "btrfs", "vfat",
					     "raw",  "nfs",  "virtiofs", "9p",	"ssh" };
	const char *at = strchr(t->where, '@');
	size_t i = 0;

	STRING(t->type);
	STRING(t->where);
	STRING(t->path);
	STRING(t->options);
	check_path(t->path);
	while (i < ARRAY_SIZE(types) && !streq(t->type, types[i]))
		i++;
	if (i == ARRAY_SIZE(types) || !*t->where || *t->where == '-' ||
	    strpbrk(t->options, " \"'\\`$;&|<>()*?!") || *t->options == '-')
		abort();
	if (streq(t->type, "ssh") && (!at || at == t->where || !at[1] || at[1] == '-' ||
				      strpbrk(t->where, " /'\"`$;&|<>()")))
		abort();
	if (streq(t->type, "nfs") && (*t->where == ':' || !strstr(t->where, ":/")))
		abort();
	if (streq(t->type, "raw") &&
	    (after_prefix(t->where, "UUID=") || after_prefix(t->where, "LABEL=")))
		abort();
}

static void check_range(unsigned value, unsigned min, unsigned max)
{
	if (value < min || value > max)
		abort();
}

static void check_strings(const struct config *c)
{
	STRING(c->path);
	STRING(c->core_collector);
	STRING(c->ip);
	STRING(c->nameservers);
	STRING(c->sshkey);
	STRING(c->kdump_pre);
	STRING(c->kdump_post);
	STRING(c->kdump_emergency);
	STRING(c->fence_kdump_nodes);
	STRING(c->fence_kdump_args);
	STRING(c->extra_modules);
	STRING(c->extra_bins);
	STRING(c->image);
	STRING(c->dracut_args);
	STRING(c->vmcore);
	if (strpbrk(c->fence_kdump_nodes, "/'\"`$;&|<>()") || strpbrk(c->ip, "'\"`$;&|<>()"))
		abort();
}

/* Whatever came in, what a capture would use must be bounded and sane. */
static void check(const struct config *c)
{
	if (c->nr_targets > CONFIG_MAX_TARGETS)
		abort();
	for (unsigned i = 0; i < c->nr_targets; i++)
		check_target(&c->targets[i]);
	check_strings(c);
	check_path(c->path);
	check_path(c->vmcore);
	check_range(c->timeout, 5, 604800);
	check_range(c->max_time, 10, 604800);
	check_range(c->device_timeout, 1, 604800);
	check_range(c->hook_timeout, 1, 604800);
	check_range(c->shell_timeout, 1, 604800);
	check_range(c->keep_dumps, 0, 9999);
	check_range(c->failure_action, 0, CONFIG_DUMP_TO_ROOTFS);
	check_range(c->final_action, 0, CONFIG_POWEROFF);
	if (c->keep_bytes > INT64_MAX || (c->force_rebuild && c->force_no_rebuild))
		abort();
}

/* A shell reads it by line and word: a target has four or five, and no line is empty. */
static void check_print(const struct config *c)
{
	_free_ char *text = NULL;
	size_t size, nr_targets = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return;
	config_print(c, f);
	if (fclose(f))
		abort();
	for (char *line = text, *end; *line; line = end + 1) {
		unsigned words = 1;

		end = strchr(line, '\n');
		if (!end || end == line ||
		    (end[-1] == ' ' && !after_prefix(line, "dracut_args "))) /* "x\\ " */
			abort();
		*end = '\0';
		for (const char *s = line; (s = strchr(s, ' ')); s++)
			words++;
		if (after_prefix(line, "target ") && ++nr_targets && words != 4 && words != 5)
			abort();
	}
	if (nr_targets != c->nr_targets)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_free_ char *cmdline = malloc(size + 1);
	struct config config;
	size_t bytes = 0;

	if (!cmdline)
		return 0;
	config_init(&config);
	config_parse((const char *)data, size, "fuzz", &config, discard, &bytes);
	check(&config);
	check_print(&config);
	memcpy(cmdline, data, size);
	cmdline[size] = '\0';
	config_override(cmdline, &config, discard, &bytes);
	check(&config);
	check_print(&config);
	return 0;
}
