// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "lib/config.h"
#include "lib/util.h"
#include "tests/unit/test.h"

/* All messages of a run, a '\n' behind each. */
struct messages {
	char text[4096];
	size_t len;
};

static void collect(void *ctx, const char *message)
{
	struct messages *m = ctx;

	m->len += snprintf(m->text + m->len, sizeof(m->text) - m->len, "%s\n", message);
	if (m->len >= sizeof(m->text))
		m->len = sizeof(m->text) - 1;
}

static int parse(const char *text, struct config *config, struct messages *m)
{
	*m = (struct messages){ .len = 0 };
	config_init(config);
	return config_parse(text, strlen(text), "f", config, collect, m);
}

TEST(config, empty_file_gives_defaults)
{
	struct config c;
	struct messages m;

	CHECK_EQ(parse("", &c, &m), 0);
	CHECK_STR(c.targets[0].type, "");
	CHECK_STR(c.path, "/var/crash");
	CHECK_EQ(c.timeout, 900);
	CHECK_EQ(c.max_time, 21600);
	CHECK_EQ(c.device_timeout, 60);
	CHECK_EQ(c.shell_timeout, 600);
	CHECK_EQ(c.failure_action, CONFIG_REBOOT);
	CHECK_STR(c.vmcore, "/proc/vmcore");
}

TEST(config, takes_every_key)
{
	struct config c;
	struct messages m;

	CHECK_EQ(parse("# a comment\n"
		       "\text4   UUID=12-ab \t# where to\r\n"
		       "path /srv/crash/..hidden\n"
		       "core_collector vmcore-save -d 31   -z\n"
		       "default shell\n"
		       "final_action poweroff\n"
		       "timeout 60\nmax_time 604800\ndevice_timeout 5\nshell_timeout 1\n"
		       "extra_modules a   b\textra\nextra_modules c\n"
		       "extra_bins /usr/bin/strace",
		       &c, &m),
		 0);
	CHECK_STR(c.targets[0].type, "ext4");
	CHECK_STR(c.targets[0].where, "UUID=12-ab");
	CHECK_STR(c.path, "/srv/crash/..hidden");
	CHECK_STR(c.core_collector, "vmcore-save -d 31   -z");
	CHECK_EQ(c.failure_action, CONFIG_SHELL);
	CHECK_EQ(c.final_action, CONFIG_POWEROFF);
	CHECK_EQ(c.timeout, 60);
	CHECK_EQ(c.max_time, 604800);
	CHECK_EQ(c.device_timeout, 5);
	CHECK_EQ(c.shell_timeout, 1);
	CHECK_STR(c.extra_modules, "a b extra c");
	CHECK_STR(c.extra_bins, "/usr/bin/strace");
}

TEST(config, devices)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "xfs /dev/disk/by-id/x", "/dev/disk/by-id/x" },
		{ "ext4 LABEL=a#b", "LABEL=a#b" },
		{ "ext4 LABEL=\"my disk\"", "LABEL=my disk" },
		{ "ext4 PARTUUID=1-2", "PARTUUID=1-2" },
		{ "ext4 PARTLABEL=crash", "PARTLABEL=crash" },
		{ "ext4 UUID=", "" },
		{ "ext4 UUID=\"\"", "" },
		{ "ext4 LABEL=my disk", "" },
		{ "ext4 /dev/vda1 rw", "" },
		{ "ext4 /dev/../etc/passwd", "" },
		{ "ext4 /etc/passwd", "" },
		{ "ext4 vda1", "" },
		{ "ext4 NAME=vda1", "" },
		{ "ext4", "" },
	};
	struct config c;
	struct messages m;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CHECK_EQ(parse(cases[i].text, &c, &m), *cases[i].want ? 0 : 1);
		CHECK_STR(c.targets[0].where, cases[i].want);
		CHECK_EQ(*c.targets[0].type != 0, *cases[i].want != 0);
	}
}

TEST(config, a_bad_line_is_named_and_costs_only_itself)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
		{ "colour blue", "f:2: colour: unknown key" },
		{ "path crash", "f:2: path: must be an absolute path" },
		{ "path /a/../b", "f:2: path: must not contain \"..\"" },
		{ "path /a/..", "f:2: path: must not contain \"..\"" },
		{ "path", "f:2: path: has no value" },
		{ "timeout 4", "f:2: timeout: \"4\" is not a number of seconds from 5 to 604800" },
		{ "timeout 604801",
		  "f:2: timeout: \"604801\" is not a number of seconds from 5 to 604800" },
		{ "timeout 99999999999999999999",
		  "f:2: timeout: \"99999999999999999999\" is not a number of seconds from 5 to "
		  "604800" },
		{ "timeout 1m",
		  "f:2: timeout: \"1m\" is not a number of seconds from 5 to 604800" },
		{ "timeout -9",
		  "f:2: timeout: \"-9\" is not a number of seconds from 5 to 604800" },
		{ "failure_action explode", "f:2: failure_action: \"explode\" is not one of "
					    "reboot, halt, poweroff, shell, dump_to_rootfs" },
		{ "vmcore /core", "f:2: vmcore: unknown key" },
		{ "path /\x01", "f:2: control character in the line" },
	};
	struct config c;
	struct messages m;
	char text[256], want[256];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(text, sizeof(text), "xfs /dev/vda\n%s\nfinal_action halt\n",
			 cases[i].line);
		snprintf(want, sizeof(want), "%s\n", cases[i].message);
		CHECK_EQ(parse(text, &c, &m), 1);
		CHECK_STR(m.text, want);
		CHECK_STR(c.targets[0].where, "/dev/vda");
		CHECK_STR(c.targets[0].type, "xfs");
		CHECK_STR(c.path, "/var/crash");
		CHECK_EQ(c.timeout, 900);
		CHECK_EQ(c.final_action, CONFIG_HALT);
	}
}

TEST(config, refuses_with_a_sentence_what_has_no_meaning)
{
	static const struct {
		const char *key, *says;
	} cases[] = {
		{ "minix", "use ext4 or xfs" },
		{ "net", "write \"nfs HOST:/PATH\" or \"ssh USER@HOST\"" },
		{ "options", "capture kernel's command line" },
		{ "link_delay", "device_timeout" },
		{ "disk_timeout", "use device_timeout" },
		{ "debug_mem_level", "the manifest" },
		{ "blacklist", "only the modules it needs" },
	};
	struct config c, defaults;
	struct messages m;
	char text[64];

	config_init(&defaults);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(text, sizeof(text), "%s something", cases[i].key);
		CHECK_EQ(parse(text, &c, &m), 1);
		CHECK(strstr(m.text, cases[i].key) != NULL);
		CHECK(strstr(m.text, cases[i].says) != NULL);
		CHECK(memcmp(&c, &defaults, sizeof(c)) == 0);
	}
}

TEST(config, twice_is_a_mistake_by_either_name)
{
	struct config c;
	struct messages m;

	CHECK_EQ(parse("default halt\nfailure_action shell\n", &c, &m), 1);
	CHECK_STR(m.text, "f:2: failure_action: given twice; the first one counts\n");
	CHECK_EQ(c.failure_action, CONFIG_HALT);
	/* A line that had no effect does not count as the first. */
	CHECK_EQ(parse("timeout x\ntimeout 70\n", &c, &m), 1);
	CHECK_EQ(c.timeout, 70);
}

TEST(config, targets_in_order_with_their_paths)
{
	struct config c;
	struct messages m;

	CHECK_EQ(parse("ext4 /dev/vda\next4 /dev/vdb\npath /b\nxfs LABEL=c\n", &c, &m), 0);
	CHECK_EQ(c.nr_targets, 3);
	CHECK_STR(c.targets[0].where, "/dev/vda");
	CHECK_STR(c.targets[0].path, "/b"); /* the first path there is */
	CHECK_STR(c.targets[1].path, "/b");
	CHECK_STR(c.targets[2].type, "xfs");
	CHECK_STR(c.targets[2].path, "/b");
	CHECK_EQ(parse("path /a\next4 /dev/vda\nxfs LABEL=c\npath /c\npath /d\n", &c, &m), 1);
	CHECK_STR(m.text, "f:5: path: given twice for a target; the first one counts\n");
	CHECK_STR(c.targets[0].path, "/a");
	CHECK_STR(c.targets[1].path, "/c");
	/* The command line's targets and its path are instead of the file's. */
	CHECK_EQ(config_override("vmcore_save.path=/o", &c, collect, &m), 0);
	CHECK_STR(c.targets[1].path, "/o");
	CHECK_EQ(config_override("vmcore_save.xfs=/dev/x vmcore_save.ext4=/dev/y", &c, collect, &m),
		 0);
	CHECK_EQ(c.nr_targets, 2);
	CHECK_STR(c.targets[1].where, "/dev/y");
	CHECK_STR(c.targets[1].path, "/o");
}

TEST(config, bounds)
{
	struct config c;
	struct messages m;
	_free_ char *text = malloc(8192);

	CHECK(text != NULL);
	memset(text, 'a', 8191);
	text[8191] = '\0';
	CHECK_EQ(parse(text, &c, &m), 1);
	CHECK_STR(m.text, "f:1: line longer than 2047 bytes\n");
	memcpy(text, "path /", 6);
	text[5 + 256] = '\0';
	CHECK_EQ(parse(text, &c, &m), 1);
	CHECK_STR(m.text, "f:1: path: longer than 255 bytes\n");
	text[5 + 255] = '\0';
	CHECK_EQ(parse(text, &c, &m), 0);
	CHECK_EQ(strlen(c.path), 255);
	CHECK_EQ(config_parse("path /a\0b\n", 10, "f", &c, collect, &m), 1);
	CHECK_EQ(config_parse("nonsense", 8, "f", &c, NULL, NULL), 1);
}

TEST(config, command_line_overrides)
{
	struct config c;
	struct messages m;

	CHECK_EQ(parse("ext4 /dev/vda\ntimeout 60\nextra_bins x\n", &c, &m), 0);
	CHECK_EQ(config_override("quiet vmcore_save.timeout=70 vmcore-save.timeout=80 "
				 "vmcore_save.final-action=halt timeout=5 "
				 "vmcore_save.core_collector=\"vmcore-save -d 1\" "
				 "vmcore_save.xfs=\"LABEL=x y\" vmcore_save.vmcore=/mnt/core",
				 &c, collect, &m),
		 0);
	CHECK_EQ(c.timeout, 80);
	CHECK_EQ(c.final_action, CONFIG_HALT);
	CHECK_STR(c.core_collector, "vmcore-save -d 1");
	CHECK_STR(c.targets[0].type, "xfs");
	CHECK_STR(c.targets[0].where, "LABEL=x y");
	CHECK_STR(c.vmcore, "/mnt/core");

	CHECK_EQ(config_override("vmcore_save.extra_bins=y vmcore_save.path vmcore_save.x=1 "
				 "vmcore_save.timeout=90",
				 &c, collect, &m),
		 3);
	CHECK_STR(m.text, "kernel command line: vmcore_save.extra_bins: unknown key\n"
			  "kernel command line: vmcore_save.path: has no value\n"
			  "kernel command line: vmcore_save.x: unknown key\n");
	CHECK_EQ(c.timeout, 90);
	CHECK_STR(c.extra_bins, "x");
}
