// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "lib/config.h"
#include "lib/io.h"
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
		{ "report /dev/ttyS1", "f:2: report: unknown key" },
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

/* What a line makes of a target, or what is said about it. */
static const struct {
	const char *line;
	const char *type, *where, *options; /* type NULL: a mistake */
	const char *says;
} target_cases[] = {
	{ "ext2 /dev//vda1", "ext2", "/dev/vda1", "", NULL },
	{ "xfs UUID=\"0a1b-2c\"", "xfs", "UUID=0a1b-2c", "", NULL },
	{ "btrfs \"LABEL=a b\"", "btrfs", "LABEL=a b", "", NULL },
	{ "xfs UUID=a;b", NULL, NULL, NULL, "\"a;b\" is not a UUID" },
	{ "xfs LABEL=a\"b", NULL, NULL, NULL, "a quotation mark within a device" },
	{ "raw /dev/vdb", "raw", "/dev/vdb", "", NULL },
	{ "raw PARTLABEL=crash", "raw", "PARTLABEL=crash", "", NULL },
	{ "raw PARTUUID=1234abcd-01", "raw", "PARTUUID=1234abcd-01", "", NULL },
	{ "raw UUID=12", NULL, NULL, NULL, "use PARTUUID=, PARTLABEL= or /dev/..." },
	{ "raw LABEL=x", NULL, NULL, NULL, "use PARTUUID=, PARTLABEL= or /dev/..." },
	{ "virtiofs my-fs_1.0", "virtiofs", "my-fs_1.0", "", NULL },
	{ "9p host", "9p", "host", "", NULL },
	{ "9p a b", NULL, NULL, NULL, "is not a tag" },
	{ "virtiofs -o", NULL, NULL, NULL, "is not a tag" },
	{ "nfs s.example.com:/export//tmp/", "nfs", "s.example.com:/export/tmp", "", NULL },
	{ "nfs 10.0.0.1:/", "nfs", "10.0.0.1:/", "", NULL },
	{ "nfs [2001:db8::1:2]:/e", "nfs", "[2001:db8::1:2]:/e", "", NULL },
	{ "nfs [fe80::1%eth0]:/e", "nfs", "[fe80::1%eth0]:/e", "", NULL },
	{ "nfs4 s:/e", "nfs", "s:/e", "vers=4", NULL },
	{ "nfs s", NULL, NULL, NULL, "must be HOST:/PATH" },
	{ "nfs s:e", NULL, NULL, NULL, "must be HOST:/PATH" },
	{ "nfs :/e", NULL, NULL, NULL, "is not a host's name or address" },
	{ "nfs -s:/e", NULL, NULL, NULL, "is not a host's name or address" },
	{ "nfs a$b:/e", NULL, NULL, NULL, "is not a host's name or address" },
	{ "nfs [s]:/e", NULL, NULL, NULL, "is not a host's name or address" },
	{ "nfs [::1:/e", NULL, NULL, NULL, "must be HOST:/PATH" },
	{ "nfs fe80::1:/e", NULL, NULL, NULL, "must be put in brackets" },
	{ "nfs s:/a/../b", NULL, NULL, NULL, "must not contain \"..\"" },
	{ "nfs s:/a b", NULL, NULL, NULL, "more than one word" },
	{ "ssh kdump@s.example.com", "ssh", "kdump@s.example.com", "", NULL },
	{ "ssh kdump@s:2222", "ssh", "kdump@s", "Port=2222", NULL },
	{ "ssh user@2001:db8::1:2:3:4", "ssh", "user@2001:db8::1:2:3:4", "", NULL },
	{ "ssh u@[::1]:22", "ssh", "u@::1", "Port=22", NULL },
	{ "ssh u@[::1]", "ssh", "u@::1", "", NULL },
	{ "ssh s", NULL, NULL, NULL, "must be USER@HOST" },
	{ "ssh @s", NULL, NULL, NULL, "must be USER@HOST" },
	{ "ssh u@", NULL, NULL, NULL, "must be USER@HOST" },
	{ "ssh -oProxyCommand=x@s", NULL, NULL, NULL, "is not a user's name" },
	{ "ssh u@-s", NULL, NULL, NULL, "is not a host's name or address" },
	{ "ssh u@s;reboot", NULL, NULL, NULL, "is not a host's name or address" },
	{ "ssh u@s:0", NULL, NULL, NULL, "is not a port" },
	{ "ssh u@s:65536", NULL, NULL, NULL, "is not a port" },
	{ "ssh u@s:22x", NULL, NULL, NULL, "is not a port" },
	{ "ssh u@[::1]22", NULL, NULL, NULL, "is not a port" },
	{ "ssh u@s x", NULL, NULL, NULL, "is not a host's name or address" },
	{ "dracut_args --mount \"/dev/vdb /mnt ext4 defaults\"", "ext4", "/dev/vdb", "", NULL },
	{ "dracut_args --mount='s:/e /mnt nfs4 rw,soft 0 0'", "nfs", "s:/e", "vers=4,rw,soft",
	  NULL },
	{ "dracut_args --mount \"tag /mnt virtiofs\"", "virtiofs", "tag", "", NULL },
	{ "dracut_args --mount \"/dev/vdb /mnt\"", NULL, NULL, NULL, "better a line" },
	{ "dracut_args --mount \"/dev/vdb /mnt zfs rw\"", NULL, NULL, NULL,
	  "zfs is not a file system for dumps" },
	{ "dracut_args --mount \"u@s /mnt ssh\"", NULL, NULL, NULL,
	  "ssh is not a file system for dumps" },
	{ "dracut_args --mount", NULL, NULL, NULL, "nothing behind --mount" },
};

TEST(config, targets_of_every_type)
{
	struct config c;
	struct messages m;

	for (size_t i = 0; i < ARRAY_SIZE(target_cases); i++) {
		bool good = target_cases[i].type;

		CHECK_EQ(parse(target_cases[i].line, &c, &m), !good);
		CHECK_EQ(c.nr_targets, good);
		if (good) {
			CHECK_STR(c.targets[0].type, target_cases[i].type);
			CHECK_STR(c.targets[0].where, target_cases[i].where);
			CHECK_STR(c.targets[0].options, target_cases[i].options);
			CHECK_STR(c.targets[0].path, "/var/crash");
			CHECK_STR(c.dracut_args, "");
		} else if (!strstr(m.text, target_cases[i].says)) {
			CHECK_STR(m.text, target_cases[i].says);
		}
	}
}

TEST(config, mount_options_belong_to_the_target_above)
{
	struct config c;
	struct messages m;

	CHECK_EQ(parse("mount_options ro\next4 /dev/vda\nmount_options a=b,c\nmount_options d\n"
		       "ssh u@s:22\nmount_options Ciphers=aes128-ctr,IPQoS=none\n"
		       "xfs /dev/vdb\nmount_options a;b\nraw /dev/vdc\nmount_options sync\n"
		       "ssh u@s\nmount_options -oProxyCommand=x\nmount_options compress\n",
		       &c, &m),
		 6);
	CHECK_STR(m.text,
		  "f:1: mount_options: there is no target above it\n"
		  "f:4: mount_options: given twice for a target; the first one counts\n"
		  "f:8: mount_options: \"a;b\" is not a list of options with commas between\n"
		  "f:10: mount_options: a raw partition is not mounted\n"
		  "f:12: mount_options: \"-oProxyCommand=x\" is not a list of options with commas "
		  "between\n"
		  "f:13: mount_options: \"compress\" is not NAME=VALUE as ssh_config(5) has it, "
		  "with commas between\n");
	CHECK_STR(c.targets[0].options, "a=b,c");
	CHECK_STR(c.targets[1].options, "Port=22,Ciphers=aes128-ctr,IPQoS=none");
	CHECK_STR(c.targets[2].options, "");
	CHECK_EQ(config_override("vmcore_save.nfs=s:/e vmcore_save.mount_options=soft "
				 "vmcore_save.ssh=u@h",
				 &c, collect, &m),
		 0);
	CHECK_EQ(c.nr_targets, 2);
	CHECK_STR(c.targets[0].options, "soft");
	CHECK_STR(c.targets[1].options, "");
}

TEST(config, network)
{
	static const char *const good[] = {
		"dhcp",
		"either6",
		"eth0:dhcp",
		"eth0:auto6:1500",
		"eth0:dhcp:1500:52:54:00:12:34:56",
		"192.0.2.2::192.0.2.1:255.255.255.0:host:eth0:none",
		"192.0.2.2:::24::eth0:off",
		"[2001:db8::2/64]::[2001:db8::1]:64::eth0:none:[2001:db8::3]",
		"192.0.2.2::192.0.2.1:255.255.255.0::eth0:none:192.0.2.3:192.0.2.4",
		":::::eth0:dhcp",
	};
	static const char *const bad[] = {
		"eth0",
		"eth0:dhpc",
		"-x:dhcp",
		"eth0:dhcp;x",
		"192.0.2.2",
		"[::1",
		"192.0.2.2::192.0.2.1:255.255.255.0:host:eth0",
		"192.0.2.256::192.0.2.1:24::eth0:none",
		"192.0.2.2::gw:24::eth0:none",
		"a:b:c:d:e:f:g:h:i:j:k:l:m:n:o:p",
	};
	struct config c;
	struct messages m;
	char line[128];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		snprintf(line, sizeof(line), "ip %s", good[i]);
		CHECK_EQ(parse(line, &c, &m), 0);
		CHECK_STR(c.ip, good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(line, sizeof(line), "ip %s", bad[i]);
		CHECK_EQ(parse(line, &c, &m), 1);
		CHECK_STR(c.ip, "");
	}
	CHECK_EQ(parse("ip eth0:dhcp\nip eth1:auto6\nnameserver 192.0.2.1\nnameserver ::1\n", &c,
		       &m),
		 0);
	CHECK_STR(c.ip, "eth0:dhcp eth1:auto6");
	CHECK_STR(c.nameservers, "192.0.2.1 ::1");
	/* The command line's are instead of the file's, and add up there. */
	CHECK_EQ(config_override("vmcore_save.ip=dhcp vmcore_save.ip=eth2:on", &c, collect, &m), 0);
	CHECK_STR(c.ip, "dhcp eth2:on");
	CHECK_EQ(parse("nameserver dns.example.com\n", &c, &m), 1);
}

TEST(config, hooks_retention_cluster_and_image)
{
	struct config c;
	struct messages m;

	CHECK_EQ(parse("kdump_pre /sbin/a\nkdump_post \"/sbin/b\"\nkdump_emergency /c\n"
		       "hook_timeout 7\nkeep_dumps 3\nkeep_size 2T\nwatchdog no\n"
		       "fence_kdump_nodes n1 192.0.2.1\nfence_kdump_nodes ::1\n"
		       "fence_kdump_args -p 7410 --family=auto\nsshkey /k\nimage full\n"
		       "force_no_rebuild 1\nauto_reset_crashkernel yes\n"
		       "dracut_args --omit-drivers \"a  b\"  --add 'x'\ndracut_args -v\n",
		       &c, &m),
		 0);
	CHECK_STR(c.kdump_pre, "/sbin/a");
	CHECK_STR(c.kdump_post, "/sbin/b");
	CHECK_STR(c.kdump_emergency, "/c");
	CHECK_EQ(c.hook_timeout, 7);
	CHECK_EQ(c.keep_dumps, 3);
	CHECK_EQ(c.keep_bytes, UINT64_C(2) << 40);
	CHECK(!c.watchdog && c.force_no_rebuild && c.auto_reset_crashkernel);
	CHECK_STR(c.fence_kdump_nodes, "n1 192.0.2.1 ::1");
	CHECK_STR(c.fence_kdump_args, "-p 7410 --family=auto");
	CHECK_STR(c.sshkey, "/k");
	CHECK_STR(c.image, "full");
	CHECK_STR(c.dracut_args, "--omit-drivers \"a  b\" --add 'x' -v");
}

TEST(config, values_that_cannot_be)
{
	static const char *const lines[] = {
		"kdump_pre /sbin/a -x",
		"kdump_post b",
		"path /a /",
		"keep_dumps 10000",
		"keep_dumps -1",
		"keep_size 1X",
		"keep_size K",
		"keep_size 8388608T",
		"keep_size 99999999999999999999999",
		"watchdog maybe",
		"image small",
		"final_action shell",
		"final_action dump_to_rootfs",
		"fence_kdump_nodes a $(b)",
		"fence_kdump_args -p `x`",
		"extra_modules a/b",
		"extra_bins -x",
		"force_rebuild 2",
	};
	struct config c, defaults;
	struct messages m;

	config_init(&defaults);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		CHECK_EQ(parse(lines[i], &c, &m), 1);
		CHECK(memcmp(&c, &defaults, sizeof(c)) == 0);
	}
	CHECK_EQ(parse("force_rebuild 1\nforce_no_rebuild 1\n", &c, &m), 1);
	CHECK(c.force_rebuild && !c.force_no_rebuild);
	CHECK_EQ(parse("keep_size 8388607T\n", &c, &m), 0);
}

TEST(config, printed_for_a_shell)
{
	static const char *const lines[] = {
		"target ext4 LABEL=a\\040b\\134c /p\\040q noatime\n",
		"\ntarget ssh u@::1 /p\\040q Port=22\n",
		"\nkeep_size 1024\n",
		"\nwatchdog yes\n",
		"\nip eth0:dhcp\n",
	};
	_free_ char *text = NULL;
	struct config c;
	struct messages m;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	CHECK(f != NULL);
	CHECK_EQ(parse("ext4 LABEL=\"a b\\c\"\npath /p q\nmount_options noatime\nssh u@[::1]:22\n"
		       "keep_size 1k\nip eth0:dhcp",
		       &c, &m),
		 0);
	config_print(&c, f);
	CHECK_EQ(fclose(f), 0);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		CHECK(strstr(text, lines[i]) != NULL);
	CHECK(after_prefix(text, "target ext4 ") != NULL);
	CHECK(strstr(text, "kdump_pre") == NULL); /* empty */
	CHECK(strstr(text, "vmcore ") == NULL);
}

TEST(config, the_file_that_counts)
{
	static const char *const there = "/proc/self/exe", *const absent = "/nonexistent/f";
	struct config c;

	config_init(&c);
	CHECK_STR(config_choose_path(there, "/proc/self/fd"), there);
	CHECK_STR(config_choose_path(absent, there), there);
	CHECK_STR(config_choose_path(absent, absent), absent);
	CHECK_EQ(config_read(absent, &c, NULL, NULL), -ENOENT);
	CHECK_EQ(config_read("control/vmcore-save.conf", &c, NULL, NULL), 0);
	CHECK_EQ(c.nr_targets, 0);
}

/* What is commented out in the default file is good as well, one line at a time. */
TEST(config, the_default_file)
{
	_free_ char *text = NULL;
	struct config c;
	struct messages m;
	unsigned nr = 0;
	char *rest, *line;

	CHECK_EQ(io_read_file("control/vmcore-save.conf", CONFIG_MAX_BYTES, &text, NULL), 0);
	for (rest = text; (line = strsep(&rest, "\n"));) {
		char with_target[512];

		if (line[0] != '#' || line[1] == ' ' || !line[1])
			continue;
		snprintf(with_target, sizeof(with_target), "xfs /dev/vda\n%s\n", line + 1);
		CHECK_EQ(parse(with_target, &c, &m), 0);
		CHECK_STR(m.text, "");
		nr++;
	}
	CHECK(nr > 30);
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
				 "vmcore_save.xfs=\"LABEL=x y\" vmcore_save.vmcore=/mnt/core "
				 "vmcore_save.report=/dev/ttyS1",
				 &c, collect, &m),
		 0);
	CHECK_EQ(c.timeout, 80);
	CHECK_EQ(c.final_action, CONFIG_HALT);
	CHECK_STR(c.core_collector, "vmcore-save -d 1");
	CHECK_STR(c.targets[0].type, "xfs");
	CHECK_STR(c.targets[0].where, "LABEL=x y");
	CHECK_STR(c.vmcore, "/mnt/core");
	CHECK_STR(c.report, "/dev/ttyS1");

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
