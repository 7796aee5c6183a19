// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump-tools(5) of Debian and Ubuntu: /etc/default/kdump-tools. */
#include <stdlib.h>
#include <string.h>

#include "control/migrate/migrate.h"
#include "lib/util.h"

/* It saves by ssh and to NFS where both are set; the directory is the server's for the first, and
 * only where the share is mounted for the second (kdump-config, kdump_save_core()). */
static void begin(struct migration *m)
{
	const char *ssh = migrate_get(m, "SSH"), *nfs = migrate_get(m, "NFS");
	const char *directory = migrate_get(m, "KDUMP_COREDIR");

	if (*ssh && migrate_key(m, "ssh", ssh)) {
		migrate_key(m, "path", directory);
		migrate_say(m, "The server's host key has to be known: docs/ssh.md.");
	}
	if (*nfs && migrate_key(m, "nfs", nfs)) {
		migrate_key(m, "path", "/");
		migrate_say(m,
			    "Several machines: \"path /NAME\" for each, since no name of a machine"
			    " stands before the date.");
	}
	if (!*ssh && !*nfs && !streq(directory, "/var/crash"))
		migrate_key(m, "path", directory);
	migrate_say(m, "kdump-tools sets %s as it loads; here /etc/sysctl.d has to.",
		    migrate_get(m, "KDUMP_SYSCTL"));
}

static void take_use(struct migration *m, const char *value)
{
	migrate_say(m, "USE_KDUMP=%s: vmcorectl setup%s", value,
		    streq(value, "0") ? " --remove" : "");
}

static bool has_word(const char *s, const char *word)
{
	const char *at = strstr(s, word);

	return at && !strchr("abcdefghijklmnopqrstuvwxyz", at[strlen(word)] ?: ';');
}

/* A shell's command line. The actions that there are here go by what it ends in. */
static void take_fail(struct migration *m, const char *value)
{
	static const char *const plain[][2] = { { "reboot -f", "reboot" },
						{ "reboot", "reboot" },
						{ "halt -f", "halt" },
						{ "poweroff -f", "poweroff" } };

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		if (streq(value, plain[i][0])) {
			migrate_key(m, "failure_action", plain[i][1]);
			return;
		}
	}
	if (has_word(value, "/bash") || has_word(value, "/sh")) {
		migrate_key(m, "failure_action", "shell");
		return;
	}
	migrate_lose(m, "KDUMP_FAIL_CMD: failure_action knows reboot, halt, poweroff and shell; a"
			" program goes behind kdump_emergency");
}

static void take_num(struct migration *m, const char *value)
{
	if (!streq(value, "0"))
		migrate_key(m, "keep_dumps", value);
}

static void take_args(struct migration *m, const char *value)
{
	char line[1024];

	snprintf(line, sizeof(line), "makedumpfile %s", value);
	migrate_key(m, "core_collector", line);
	migrate_say(m, "vmcore-save --check-config tells whether all of its options can be used.");
}

static void take_key(struct migration *m, const char *value)
{
	migrate_key(m, "sshkey", value);
}

static const struct migrate_row rows[] = {
	{ "USE_KDUMP", "1", take_use, NULL },
	{ "KDUMP_KERNEL", "/var/lib/kdump/vmlinuz", migrate_take_kernel, NULL },
	{ "KDUMP_INITRD", "/var/lib/kdump/initrd.img", NULL, "vmcorectl start makes the image" },
	{ "KDUMP_SYSCTL", "kernel.panic_on_oops=1", NULL, NULL }, /* up to 1.6 */
	{ "KDUMP_COREDIR", "/var/crash", NULL, NULL },
	{ "SSH", "", NULL, NULL },
	{ "SSH_KEY", "/root/.ssh/kdump_id_rsa", take_key, NULL },
	{ "NFS", "", NULL, NULL },
	{ "NFS_TIMEO", "600", NULL, "device_timeout SECONDS: a silent server is given up then" },
	{ "NFS_RETRANS", "3", NULL, "device_timeout SECONDS: a silent server is given up then" },
	{ "NFS_MOUNT_RETRY", "4", NULL, "device_timeout SECONDS: tries are counted by time" },
	{ "SSH_KDUMP_RETRY", "16", NULL, "device_timeout SECONDS: tries are counted by time" },
	{ "HOSTTAG", "ip", NULL,
	  "with ssh it is the host's name, with NFS \"path /NAME\" gives one" },
	{ "FTP", "", NULL, "there is no FTP: \"ssh USER@HOST\" or \"nfs HOST:/PATH\"" },
	{ "FTP_USER", "", NULL, NULL },
	{ "FTP_PASSWORD", "", NULL, NULL },
	{ "FTP_PORT", "21", NULL, NULL },
	{ "MAKEDUMP_ARGS", "-c -d 31", take_args, NULL },
	{ "KDUMP_NUM_DUMPS", "0", take_num, NULL },
	{ "KDUMP_FAIL_CMD", "reboot -f", take_fail, NULL },
	{ "KDUMP_DUMP_DMESG", "1", NULL, "the log is saved first, always" },
	{ "KDUMP_COMPRESSION", "", NULL,
	  "pages are packed within the dump; smaller: core_collector vmcore-save --codec zstd:12"
	  " -d 31" },
	{ "KDUMP_KEXEC_ARGS", "", migrate_take_kexec_args, NULL },
	{ "KDUMP_CMDLINE", "", NULL,
	  "only console= of the running kernel's words is taken over; others go into"
	  " KERNEL_APPEND_EXTRA" },
	{ "KDUMP_CMDLINE_APPEND",
	  "reset_devices systemd.unit=kdump-tools-dump.service nr_cpus=1 irqpoll usbcore.nousb",
	  migrate_append, NULL },
};

const struct migrate_dialect migrate_debian = {
	.name = "kdump-tools",
	.file = "/etc/default/kdump-tools",
	.rows = rows,
	.nr = ARRAY_SIZE(rows),
	.begin = begin,
};
