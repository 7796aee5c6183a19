// SPDX-License-Identifier: GPL-2.0-or-later
/* Which keys there are, and reading them from a file and from a kernel command line. */
#include "lib/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/cmdline.h"
#include "lib/config_private.h"
#include "lib/io.h"
#include "lib/util.h"

#define OVERRIDE_PREFIX "vmcore_save."
#define WEEK_S		604800u

#define BOTH	 (CONFIG_IN_FILE | CONFIG_IN_CMDLINE)
#define FIELD(f) offsetof(struct config, f), sizeof(((struct config *)0)->f)

#define TARGET_ROW(n)                                                                              \
	{                                                                                          \
		n, config_set_target, BOTH | CONFIG_REPEATS, FIELD(targets), 0, 0, NULL, NULL      \
	}
#define VALUE_ROW(n, f, set, flags)                                                                \
	{                                                                                          \
		n, set, flags, FIELD(f), 0, 0, NULL, NULL                                          \
	}
#define SECONDS_ROW(n, min)                                                                        \
	{                                                                                          \
#n, config_set_number, BOTH, FIELD(n), min, WEEK_S, NULL, "a number of seconds"    \
	}
#define LIST_ROW(n, f, flags, word, what)                                                          \
	{                                                                                          \
		n, config_set_words, (flags) | CONFIG_REPEATS, FIELD(f), 0, 0, word, what          \
	}

static const struct config_key config_keys[] = {
	TARGET_ROW("ext2"),
	TARGET_ROW("ext3"),
	TARGET_ROW("ext4"),
	TARGET_ROW("xfs"),
	TARGET_ROW("btrfs"),
	TARGET_ROW("vfat"),
	TARGET_ROW("raw"),
	TARGET_ROW("nfs"),
	TARGET_ROW("nfs4"),
	TARGET_ROW("virtiofs"),
	TARGET_ROW("9p"),
	TARGET_ROW("ssh"),
	VALUE_ROW("path", path, config_set_target_path, BOTH | CONFIG_REPEATS),
	VALUE_ROW("mount_options", targets[0].options, config_set_options, BOTH | CONFIG_REPEATS),
	VALUE_ROW("sshkey", sshkey, config_set_path, CONFIG_IN_FILE),
	LIST_ROW("ip", ip, BOTH, config_is_ip, "an ip= value as dracut.cmdline(7) has it"),
	LIST_ROW("nameserver", nameservers, BOTH, config_is_nameserver, "an address"),
	VALUE_ROW("core_collector", core_collector, config_set_text, BOTH),
	VALUE_ROW("kdump_pre", kdump_pre, config_set_program, BOTH),
	VALUE_ROW("kdump_post", kdump_post, config_set_program, BOTH),
	VALUE_ROW("kdump_emergency", kdump_emergency, config_set_program, BOTH),
	VALUE_ROW("failure_action", failure_action, config_set_failure, BOTH),
	VALUE_ROW("default", failure_action, config_set_failure, BOTH),
	VALUE_ROW("final_action", final_action, config_set_final, BOTH),
	SECONDS_ROW(timeout, 5),
	SECONDS_ROW(max_time, 10),
	SECONDS_ROW(device_timeout, 1),
	SECONDS_ROW(hook_timeout, 1),
	SECONDS_ROW(shell_timeout, 1),
	VALUE_ROW("watchdog", watchdog, config_set_bool, BOTH),
	{ "keep_dumps", config_set_number, BOTH, FIELD(keep_dumps), 0, 9999, NULL, "a number" },
	VALUE_ROW("keep_size", keep_bytes, config_set_size, BOTH),
	LIST_ROW("fence_kdump_nodes", fence_kdump_nodes, BOTH, config_is_host,
		 "a host's name or address"),
	LIST_ROW("fence_kdump_args", fence_kdump_args, BOTH, config_is_fence_arg,
		 "an argument of fence_kdump_send(8)"),
	LIST_ROW("extra_modules", extra_modules, CONFIG_IN_FILE, config_is_module,
		 "the name of a module"),
	LIST_ROW("extra_bins", extra_bins, CONFIG_IN_FILE, config_is_file, "a program"),
	VALUE_ROW("image", image, config_set_image, CONFIG_IN_FILE),
	VALUE_ROW("dracut_args", dracut_args, config_set_dracut_args,
		  CONFIG_IN_FILE | CONFIG_REPEATS),
	VALUE_ROW("force_rebuild", force_rebuild, config_set_rebuild, CONFIG_IN_FILE),
	VALUE_ROW("force_no_rebuild", force_no_rebuild, config_set_rebuild, CONFIG_IN_FILE),
	VALUE_ROW("auto_reset_crashkernel", auto_reset_crashkernel, config_set_bool,
		  CONFIG_IN_FILE),
	VALUE_ROW("vmcore", vmcore, config_set_path, CONFIG_IN_CMDLINE),
	VALUE_ROW("report", report, config_set_path, CONFIG_IN_CMDLINE),
};

_Static_assert(ARRAY_SIZE(config_keys) <= 64, "struct config_parse has a bit for each key");

/* Keys of kdump.conf(5), of today and of old, that mean nothing here: better said than
 * silently dropped. */
static const struct {
	const char *name, *why;
} refused_keys[] = {
	{ "minix", "its files are too small for a dump: use ext4 or xfs" },
	{ "net", "an old key of kdump.conf: write \"nfs HOST:/PATH\" or \"ssh USER@HOST\"" },
	{ "options", "an old key of kdump.conf: put MODULE.PARAMETER=VALUE on the capture "
		     "kernel's command line" },
	{ "link_delay", "an old key of kdump.conf: device_timeout limits the wait for a network" },
	{ "disk_timeout", "an old key of kdump.conf: use device_timeout" },
	{ "debug_mem_level", "an old key of kdump.conf: the manifest tells the memory used" },
	{ "blacklist", "an old key of kdump.conf: the image loads only the modules it needs" },
};

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
		.sshkey = "/root/.ssh/kdump_id_rsa", /* kdump.conf(5)'s default */
		.watchdog = true,
		.image = "auto",
		.vmcore = "/proc/vmcore",
	};
}

int config_complain(struct config_parse *p, const char *key, const char *fmt, ...)
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
		snprintf(message, sizeof(message), "%.128s:%u: %.40s%s%s", p->name, p->line, key,
			 *key ? ": " : "", text);
	else
		snprintf(message, sizeof(message),
			 "kernel command line: " OVERRIDE_PREFIX "%.40s: %s", key, text);
	p->report(p->ctx, message);
	return -EINVAL;
}

/* Rows that fill the same field share the bit of the first of them. */
static uint64_t seen_bit(const struct config_key *key)
{
	size_t row = 0;

	while (config_keys[row].offset != key->offset)
		row++;
	return UINT64_C(1) << row;
}

static void take_key(struct config_parse *p, const char *name, const char *value)
{
	const unsigned where = p->name ? CONFIG_IN_FILE : CONFIG_IN_CMDLINE;

	for (size_t i = 0; i < ARRAY_SIZE(config_keys); i++) {
		const struct config_key *key = &config_keys[i];
		bool seen;

		if (!streq(name, key->name) || !(key->flags & where))
			continue;
		seen = p->seen & seen_bit(key);
		p->starts_list = !p->name && !seen;
		if (p->name && seen && !(key->flags & CONFIG_REPEATS))
			config_complain(p, name, "given twice; the first one counts");
		else if (!*value)
			config_complain(p, name, "has no value");
		else if (!key->set(p, key, value))
			p->seen |= seen_bit(key);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(refused_keys); i++) {
		if (streq(name, refused_keys[i].name)) {
			config_complain(p, name, "%s", refused_keys[i].why);
			return;
		}
	}
	config_complain(p, name, "unknown key");
}

/* A '#' begins a comment at the start of a line and behind white space, so that a
 * label may contain one. */
static size_t comment_start(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (line[i] == '#' && (i == 0 || config_is_blank(line[i - 1])))
			return i;
	return len;
}

/* Quotes around a whole value are not part of it. */
static char *unquote(struct config_parse *p, char *value)
{
	size_t len = strlen(value);

	p->quoted = len >= 2 && value[0] == '"' && value[len - 1] == '"' &&
		    strchr(value + 1, '"') == value + len - 1;
	if (!p->quoted)
		return value;
	value[len - 1] = '\0';
	return value + 1;
}

/* White space of other kinds becomes spaces, and those at the ends of @s go. */
static char *clean_blanks(char *s)
{
	size_t len;

	while (config_is_blank(*s))
		s++;
	for (len = strlen(s); len && config_is_blank(s[len - 1]); len--)
		s[len - 1] = '\0';
	for (size_t i = 0; i < len; i++)
		if (config_is_blank(s[i]))
			s[i] = ' ';
	return s;
}

/* The key's name becomes a string, the value behind it is returned. */
static char *split_line(char *line)
{
	char *end = line + strcspn(line, " ");

	if (*end)
		*end++ = '\0';
	return clean_blanks(end);
}

static void parse_line(struct config_parse *p, const char *line, size_t len)
{
	char buf[CONFIG_LINE_MAX], *key, *value;

	len = comment_start(line, len);
	while (len && config_is_blank(line[len - 1]))
		len--;
	while (len && config_is_blank(*line)) {
		line++;
		len--;
	}
	if (!len)
		return;
	if (len >= sizeof(buf)) {
		config_complain(p, "", "line longer than %zu bytes", sizeof(buf) - 1);
		return;
	}
	if (config_has_control(line, len)) {
		config_complain(p, "", "control character in the line");
		return;
	}
	memcpy(buf, line, len);
	buf[len] = '\0';
	key = clean_blanks(buf);
	value = clean_blanks(unquote(p, split_line(key)));
	take_key(p, key, value);
}

int config_parse(const char *text, size_t len, const char *name, struct config *config,
		 config_report_fn *report, void *ctx)
{
	struct config_parse p = { .config = config, .name = name, .report = report, .ctx = ctx };
	const char *end = text + len;

	while (text < end) {
		const char *eol = memchr(text, '\n', end - text);
		size_t line_len = (eol ? eol : end) - text;

		p.line++;
		parse_line(&p, text, line_len);
		text += line_len + 1;
	}
	config_spread_path(&p);
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
	struct config_parse p = { .config = config, .quoted = true, .report = report, .ctx = ctx };
	char key[48], value[CONFIG_LINE_MAX];
	struct cmdline_word word;

	while (cmdline_next(&cmdline, &word)) {
		if (override_key(&word, key, sizeof(key)))
			continue;
		if (config_has_control(word.name, word.name_len) ||
		    config_has_control(word.value, word.value_len)) {
			config_complain(&p, "", "control character in the parameter");
			continue;
		}
		if (word.value_len >= sizeof(value)) {
			config_complain(&p, key, "longer than %zu bytes", sizeof(value) - 1);
			continue;
		}
		if (word.value)
			memcpy(value, word.value, word.value_len);
		value[word.value_len] = '\0';
		take_key(&p, key, clean_blanks(value));
	}
	config_spread_path(&p);
	return p.problems;
}

const char *config_choose_path(const char *ours, const char *kdumps)
{
	return access(ours, F_OK) && !access(kdumps, F_OK) ? kdumps : ours;
}

int config_read(const char *path, struct config *config, config_report_fn *report, void *ctx)
{
	_free_ char *text = NULL;
	size_t len;
	int err = io_read_file(path, CONFIG_MAX_BYTES, &text, &len);

	return err ? err : config_parse(text, len, path, config, report, ctx);
}
