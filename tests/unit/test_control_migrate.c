// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "control/migrate/migrate.h"
#include "lib/util.h"
#include "tests/unit/test.h"

/* struct sample - @config without its comments. */
struct sample {
	const char *text;
	const char *config, *settings;
	unsigned lost;
};

static void without_comments(const char *text, char *out, size_t size)
{
	*out = '\0';
	while (text && *text) {
		size_t len = strcspn(text, "\n"), used = strlen(out);

		if (*text != '#' && used + len + 2 < size) {
			memcpy(out + used, text, len);
			memcpy(out + used + len, "\n", 2);
		}
		text += len + (text[len] == '\n');
	}
}

static void check_samples(const struct sample *samples, size_t nr,
			  const struct migrate_dialect *dialect)
{
	for (size_t i = 0; i < nr; i++) {
		struct migration m;
		char config[1024];

		CHECK_EQ(migrate_text(samples[i].text, &m), 0);
		CHECK_STR(m.dialect->name, dialect->name);
		without_comments(m.config, config, sizeof(config));
		CHECK_STR(config, samples[i].config);
		CHECK_STR(m.settings ? m.settings : "", samples[i].settings);
		CHECK_EQ(m.nr_lost, samples[i].lost);
		migrate_deinit(&m);
	}
}

TEST(migrate, debian)
{
	static const struct sample samples[] = {
		/* The package's own file, as far as it says anything. */
		{ "# a comment\n\nUSE_KDUMP=1\nKDUMP_KERNEL=/var/lib/kdump/vmlinuz\n"
		  "KDUMP_INITRD=/var/lib/kdump/initrd.img\nKDUMP_COREDIR=\"/var/crash\"\n",
		  "", "", 0 },
		{ "USE_KDUMP=1\nKDUMP_COREDIR=/srv/crash\nMAKEDUMP_ARGS=\"-z -d 17\"\n"
		  "KDUMP_NUM_DUMPS=3\nKDUMP_FAIL_CMD='echo failed; /bin/bash; reboot -f'\n",
		  "path /srv/crash\ncore_collector makedumpfile -z -d 17\nkeep_dumps 3\n"
		  "failure_action shell\n",
		  "", 0 },
		{ "USE_KDUMP=1\nKDUMP_SYSCTL=\"kernel.panic_on_oops=1 vm.panic_on_oom=1\"\n", "",
		  "", 0 },
		{ "USE_KDUMP=1\nNFS=\"vault:/crash\"\n", "nfs vault:/crash\npath /\n", "", 0 },
		{ "SSH=dump@vault\nSSH_KEY=/root/key\nNFS=vault:/crash\nKDUMP_COREDIR=/srv\n",
		  "ssh dump@vault\npath /srv\nnfs vault:/crash\npath /\nsshkey /root/key\n", "",
		  0 },
		{ "KDUMP_KEXEC_ARGS=\"-c -d\"\n"
		  "KDUMP_CMDLINE_APPEND=\"irqpoll nr_cpus=1 systemd.unit=x usbcore.nousb\"\n",
		  "", "KEXEC_ARGS=\"-c -d\"\nKERNEL_APPEND_EXTRA=\"usbcore.nousb\"\n", 0 },
		/* The last one counts, as in a shell. */
		{ "KDUMP_NUM_DUMPS=2\nKDUMP_NUM_DUMPS=5 # more\n", "keep_dumps 5\n", "", 0 },
		/* What nothing is like, once for each that says something. */
		{ "FTP=server:/x\nFTP_USER=me\nFTP_PASSWORD=secret\nKDUMP_DUMP_DMESG=0\n"
		  "KDUMP_COMPRESSION=xz\nKDUMP_CMDLINE='root=/dev/sda1'\nHOSTTAG=hostname\n"
		  "KDUMP_FAIL_CMD=/usr/local/bin/page-me\n",
		  "", "", 6 },
		{ "KDUMP_FAIL_CMD='halt -f'\n", "failure_action halt\n", "", 0 },
		/* What a configuration would not take is a comment. */
		{ "SSH=vault\nKDUMP_NUM_DUMPS=many\nNFS=vault\n", "", "", 3 },
		{ "KDUMP_KEXEC_ARGS='--append=\"x\"'\nNOT_KNOWN=1\nKDUMP_KERNEL=/boot/x\n", "", "",
		  3 },
	};

	check_samples(samples, ARRAY_SIZE(samples), &migrate_debian);
}

TEST(migrate, debian_sysctls)
{
	struct migration m;

	CHECK_EQ(migrate_text("KDUMP_SYSCTL='vm.panic_on_oom=1'\n", &m), 0);
	CHECK(strstr(m.config, "# kdump-tools sets vm.panic_on_oom=1 as it loads"));
	migrate_deinit(&m);
	CHECK_EQ(migrate_text("USE_KDUMP=1\n", &m), 0);
	CHECK(strstr(m.config, "# kdump-tools sets kernel.panic_on_oops=1 as it loads"));
	migrate_deinit(&m);
}

TEST(migrate, suse)
{
	static const struct sample samples[] = {
		{ "KDUMP_CRASHKERNEL=\"auto\"\nKDUMP_CPUS=32\nKDUMP_SAVEDIR=\"/var/crash\"\n"
		  "KDUMP_KEEP_OLD_DUMPS=0\nKDUMP_DUMPLEVEL=31\nKDUMP_DUMPFORMAT=\"compressed\"\n"
		  "KDUMP_COMMANDLINE=\"\"\n",
		  "", "", 0 },
		{ "KDUMP_SAVEDIR=file:///srv/crash\nKDUMP_KEEP_OLD_DUMPS=4\n"
		  "KDUMP_DUMPFORMAT=zstd\nKDUMP_DUMPLEVEL=17\nKDUMP_CONTINUE_ON_ERROR=false\n",
		  "path /srv/crash\ncore_collector vmcore-save -z -d 17\nkeep_dumps 5\n"
		  "failure_action shell\n",
		  "", 0 },
		{ "KDUMP_SAVEDIR=nfs://vault/export/crash\nKDUMP_NETCONFIG=eth0:dhcp4:force\n"
		  "KDUMP_NET_TIMEOUT=90\nKDUMP_KEEP_OLD_DUMPS=-1\n",
		  "nfs vault:/export/crash\npath /\nip eth0:dhcp\ndevice_timeout 90\n"
		  "keep_dumps 1\n",
		  "", 0 },
		{ "KDUMP_SAVEDIR=ssh://me:p@ss@vault:2222/srv\n"
		  "KDUMP_SSH_IDENTITY='/root/a /root/b'\n",
		  "ssh me@vault:2222\npath /srv\nsshkey /root/a\n", "", 1 },
		{ "KDUMP_SAVEDIR=ssh://vault/srv\nKDUMP_DUMPFORMAT=raw\n",
		  "ssh root@vault\npath /srv\ncore_collector vmcore-save -E -d 0\n", "", 0 },
		{ "KDUMP_SAVEDIR=sftp://vault/srv\nKDUMP_DUMPFORMAT=none\n"
		  "KDUMP_IMMEDIATE_REBOOT=no\nKDUMP_CPUS=4\nKDUMP_SMTP_PASSWORD=secret\n",
		  "", "", 4 },
		{ "KDUMP_SAVEDIR=cifs://vault/srv\nKDUMP_TRANSFER='scp x'\n", "", "", 2 },
		{ "KDUMP_PRESCRIPT=/bin/pre\nKDUMP_POSTSCRIPT='/bin/post with words'\n"
		  "KDUMP_REQUIRED_PROGRAMS='/bin/pre /bin/x'\nMAKEDUMPFILE_OPTIONS=-X\n",
		  "core_collector vmcore-save -d 31 -X\nkdump_pre /bin/pre\n"
		  "extra_bins /bin/pre /bin/x\n",
		  "", 1 },
		{ "KDUMP_SAVEDIR=nfs://vault\nKEXEC_OPTIONS=-s\nKDUMP_COMMANDLINE_APPEND=mce=off\n",
		  "", "KERNEL_APPEND_EXTRA=\"mce=off\"\nKEXEC_ARGS=\"-s\"\n", 1 },
	};

	check_samples(samples, ARRAY_SIZE(samples), &migrate_suse);
}

TEST(migrate, suse_reservation)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "KDUMP_CRASHKERNEL='crashkernel=256M'\n", "setup --crashkernel=\"256M\"\n" },
		{ "KDUMP_CRASHKERNEL='crashkernel=72M,low crashkernel=300M,high'\n",
		  "setup --crashkernel=\"72M,low 300M,high\"\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct migration m;

		CHECK_EQ(migrate_text(cases[i].text, &m), 0);
		CHECK(strstr(m.config, cases[i].said));
		migrate_deinit(&m);
	}
}

TEST(migrate, fedora)
{
	static const struct sample samples[] = {
		{ "KDUMP_KERNELVER=\"\"\nKDUMP_COMMANDLINE=\"\"\nKDUMP_IMG=\"vmlinuz\"\n"
		  "KDUMP_COMMANDLINE_REMOVE=\"quiet hugepages\"\nKEXEC_ARGS=\"-s\"\n"
		  "KDUMP_COMMANDLINE_APPEND=\"irqpoll nr_cpus=1 reset_devices udev.children-max=2 "
		  "mce=off\"\n",
		  "", "KERNEL_APPEND_EXTRA=\"mce=off\"\nKEXEC_ARGS=\"-s\"\n", 0 },
		{ "KEXEC_ARGS=-s\nKDUMP_COMMANDLINE_APPEND='maxcpus=1 nr_cpus=4 cma=0'\n", "",
		  "KERNEL_APPEND_EXTRA=\"maxcpus=1 cma=0\"\nKEXEC_ARGS=\"-s\"\n", 1 },
		{ "KDUMP_KERNELVER=6.1\nKDUMP_BOOTDIR=/elsewhere\nKDUMP_STDLOGLVL=4\n"
		  "VMCORE_CREATION_NOTIFICATION=no\n",
		  "", "", 3 },
	};

	check_samples(samples, ARRAY_SIZE(samples), &migrate_fedora);
}

/* Nothing is expanded and nothing run; what is no plain assignment is told and left out. */
TEST(migrate, lines)
{
	static const struct {
		const char *line, *value; /* NULL: not taken */
	} lines[] = {
		{ "NFS=a:/b", "a:/b" },
		{ "  export NFS=a:/b  ", "a:/b" },
		{ "NFS='a:/b'\"/c\"/d", "a:/b/c/d" },
		{ "NFS=\"a:/\\\"b\\\\\"", "a:/\"b\\" },
		{ "NFS=a\\ b", "a b" },
		{ "NFS=\"a#b\" # comment", "a#b" },
		{ "NFS=a#b", "a#b" },
		{ "NFS=\r", "" },
		{ "NFS=$(reboot)", NULL },
		{ "NFS=\"`reboot`\"", NULL },
		{ "NFS=\"$HOME\"", NULL },
		{ "NFS='$HOME'", "$HOME" },
		{ "NFS=a;reboot", NULL },
		{ "NFS=a reboot", NULL },
		{ "NFS=\"a", NULL },
		{ "NFS='a", NULL },
		{ "NFS=a\\", NULL },
		{ "NFS=a\001b", NULL },
		{ "NFS+=a", NULL },
		{ "if true; then", NULL },
		{ ". /etc/other", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct migration m;
		char text[128];

		snprintf(text, sizeof(text), "SSH=u@h\n%s\n", lines[i].line);
		CHECK_EQ(migrate_text(text, &m), 0);
		CHECK_EQ(m.nr, lines[i].value ? 2 : 1);
		if (lines[i].value)
			CHECK_STR(m.variables[1].value, lines[i].value);
		else
			CHECK(m.nr_lost == 1 && strstr(m.config, "# line 2 is not taken"));
		migrate_deinit(&m);
	}
}

TEST(migrate, refusals)
{
	static const char *const nothing[] = { "", "# SSH=x\n", "OTHER=1\n", "path /x\n" };
	struct migration m;
	char many[8 * (MIGRATE_MAX_VARIABLES + 2)] = "";

	for (size_t i = 0; i < ARRAY_SIZE(nothing); i++) {
		CHECK_EQ(migrate_text(nothing[i], &m), -ENODATA);
		migrate_deinit(&m);
	}
	for (size_t i = 0; i <= MIGRATE_MAX_VARIABLES; i++)
		strcat(many, "SSH=x\n");
	CHECK_EQ(migrate_text(many, &m), -E2BIG);
	migrate_deinit(&m);
}
