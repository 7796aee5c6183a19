// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "initramfs/conf.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"
#include "tests/unit/test.h"

/* Takes @text as a configuration in a file, whose name @conf and @vars go on borrowing. */
static int take(const char *text, struct conf *conf, struct manifest_vars *vars)
{
	static char path[32];
	_close_ int fd = mkstemp(strcpy(path, "/tmp/vmcore-test-XXXXXX"));
	int err = fd < 0 ? -errno : io_write_full(fd, text, strlen(text));

	*vars = (struct manifest_vars){ .nr = 0 };
	*conf = (struct conf){ .drivers = NULL };
	if (!err)
		err = conf_take(conf, path, vars);
	unlink(path);
	return err;
}

static const char *value(const struct manifest_vars *vars, const char *name)
{
	for (size_t i = 0; i < vars->nr; i++)
		if (streq(vars->var[i].name, name))
			return vars->var[i].value;
	return "(unset)";
}

TEST(mkimage, modules_of_a_configuration)
{
	static const struct {
		const char *text, *fs;
		bool net;
	} cases[] = {
		{ "ext4 UUID=1-2\n", "fs-ext4 ", false },
		{ "xfs LABEL=a\nraw /dev/sdb\n", "fs-xfs ", false },
		{ "nfs host:/x\n", "nfs ?nfsv3 ?nfsv4 ", true },
		{ "nfs4 host:/x\n", "nfs ?nfsv3 ?nfsv4 ", true },
		{ "ssh u@host\n", "", true },
		{ "ext4 UUID=1-2\nfence_kdump_nodes peer\n", "fs-ext4 ", true },
		{ "virtiofs tag\n9p tag\n", "virtio_pci virtiofs virtio_pci 9pnet_virtio 9p ",
		  false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct manifest_vars vars;
		struct conf conf;

		CHECK_EQ(take(cases[i].text, &conf, &vars), 0);
		CHECK_STR(value(&vars, "FS_MODULES"), cases[i].fs);
		CHECK_EQ(strstr(value(&vars, "NET_MODULES"), "?igc") != NULL, cases[i].net);
	}
}

TEST(mkimage, a_manifest_must_have_what_the_configuration_names)
{
	static const char ssh[] = "dir /usr 0755\ndir /usr/bin 0755\ndir /etc 0755\n"
				  "dir /etc/vmcore-save 0755\ndir /etc/vmcore-save/ssh 0755\n"
				  "file /usr/bin/ssh /x 0755\n"
				  "file /etc/vmcore-save/ssh/key ${SSH_KEY} 0600\n"
				  "file /etc/passwd /x 0644\n";
	static const struct {
		const char *conf, *manifest, *more;
		int want;
	} cases[] = {
		{ "ext4 UUID=1-2\n", "", "", 0 },
		{ "ext4 UUID=1-2\nkdump_pre /hook\n", "", "", -EBADMSG },
		{ "ext4 UUID=1-2\nkdump_pre /hook\n", "file /hook /x 0755\n", "", 0 },
		{ "ext4 UUID=1-2\nkdump_post /hook\n", "dir /hook 0755\n", "", -EBADMSG },
		{ "ext4 UUID=1-2\nextra_bins /a /b\n", "file /a /x 0755\n", "", -EBADMSG },
		{ "ext4 UUID=1-2\nextra_bins /a /b\n", "file /a /x 0755\nslink /b a 0777\n", "",
		  0 },
		{ "ext4 UUID=1-2\nfailure_action shell\n", "", "", -EBADMSG },
		{ "ext4 UUID=1-2\nfailure_action shell\n",
		  "dir /bin 0755\nslink /bin/sh busybox 0777\n", "", 0 },
		{ "ssh u@host\n", ssh, "", -EBADMSG },
		{ "ssh u@host\n", ssh, "file /etc/vmcore-save/ssh/known_hosts /x 0644\n", 0 },
		{ "ext4 /dev/disk/by-id/x\n", "", "", -EBADMSG },
		{ "raw /dev/disk/by-partuuid/1-2\n", "", "", 0 },
	};
	char text[1024];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct manifest_vars vars;
		struct manifest m;
		struct conf conf;
		int got;

		CHECK_EQ(take(cases[i].conf, &conf, &vars), 0);
		snprintf(text, sizeof(text), "file /init /x 0755\n%s%s", cases[i].manifest,
			 cases[i].more);
		CHECK_EQ(manifest_parse(text, strlen(text), "m", &vars, &m), 0);
		got = conf_check(&conf, "m", &m);
		if (got != cases[i].want)
			test_fail(__FILE__, __LINE__, "%s: %d", cases[i].conf, got);
		manifest_deinit(&m);
	}
}

TEST(mkimage, drivers_of_a_described_machine)
{
	static const char path[] = "/tmp/vmcore-test-drivers";
	static const char text[] = "nfs host:/x\n";
	struct manifest_vars vars = { .nr = 0 };
	struct conf conf = { .drivers = "acme_nic" };
	FILE *out = fopen(path, "w");

	CHECK(out && fputs(text, out) >= 0 && !fclose(out));
	CHECK_EQ(conf_take(&conf, path, &vars), 0);
	unlink(path);
	CHECK_STR(value(&vars, "DRIVERS"), "acme_nic");
	CHECK_STR(value(&vars, "NET_MODULES"), "?af_packet ?ipv6");
	CHECK_EQ(take(text, &conf, &vars), 0);
	CHECK(strstr(value(&vars, "DRIVERS"), "?i6300esb ") != NULL);
	CHECK(strstr(value(&vars, "NET_MODULES"), "?igc ") != NULL);
	CHECK(strstr(value(&vars, "NET_MODULES"), " ?af_packet") != NULL);
}
