// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump(5) of openSUSE and SUSE: /etc/sysconfig/kdump. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/migrate/migrate.h"
#include "lib/cleanup.h"
#include "lib/util.h"

/* [USER[:PASSWORD]@]HOST[:PORT]/PATH behind the scheme: the parts; false where there is no path.
 * The user ends at the last '@' of what is before the path, as the password may hold one. */
static bool split_url(const char *rest, char user[128], char host[256], const char **path_ret)
{
	const char *path = strchr(rest, '/'), *at = path ? memrchr(rest, '@', path - rest) : NULL;
	const char *start = at ? at + 1 : rest;
	size_t user_len = at ? MIN(strcspn(rest, ":"), (size_t)(at - rest)) : 0;

	if (!path || path - start >= 256 || user_len >= 128)
		return false;
	memcpy(user, rest, user_len);
	user[user_len] = '\0';
	memcpy(host, start, path - start);
	host[path - start] = '\0';
	*path_ret = path;
	return true;
}

static void take_nfs(struct migration *m, const char *rest)
{
	char user[128], host[256], line[1024];
	const char *path;

	if (!split_url(rest, user, host, &path)) {
		migrate_lose(m, "KDUMP_SAVEDIR: nfs://%s: nfs HOST:/PATH", rest);
		return;
	}
	snprintf(line, sizeof(line), "%s:%s", host, path);
	if (!migrate_key(m, "nfs", line))
		return;
	migrate_key(m, "path", "/");
	migrate_say(m,
		    "Several machines: \"path /NAME\" for each, since no name of a machine stands"
		    " before the date.");
}

static void take_ssh(struct migration *m, const char *rest)
{
	char user[128], host[256], line[1024];
	const char *path;

	if (!split_url(rest, user, host, &path)) {
		migrate_lose(m, "KDUMP_SAVEDIR: ssh USER@HOST, and path DIRECTORY behind it");
		return;
	}
	snprintf(line, sizeof(line), "%s@%s", *user ? user : "root", host);
	if (!migrate_key(m, "ssh", line))
		return;
	migrate_key(m, "path", path);
	migrate_say(m, "By key alone, and the server's host key has to be known: docs/ssh.md.");
}

static void take_savedir(struct migration *m)
{
	const char *value = migrate_get(m, "KDUMP_SAVEDIR"), *rest;

	if ((rest = after_prefix(value, "file://")) || *value == '/') {
		value = rest ? rest : value;
		if (!streq(value, "/var/crash"))
			migrate_key(m, "path", value);
	} else if ((rest = after_prefix(value, "nfs://"))) {
		take_nfs(m, rest);
	} else if ((rest = after_prefix(value, "ssh://"))) {
		take_ssh(m, rest);
	} else if (after_prefix(value, "sftp://") || after_prefix(value, "scp://")) {
		migrate_lose(m,
			     "KDUMP_SAVEDIR: sftp alone does not do, an account with a shell does:"
			     " ssh USER@HOST");
	} else {
		migrate_lose(m, "KDUMP_SAVEDIR: neither FTP nor CIFS: nfs HOST:/PATH or ssh"
				" USER@HOST");
	}
}

/* What three variables say together. */
static void take_collector(struct migration *m)
{
	static const char *const forms[][2] = {
		{ "ELF", " -E" },  { "lzo", " -l" },	 { "snappy", " -p" },
		{ "zstd", " -z" }, { "compressed", "" }, { "raw", " -E -d 0" },
	};
	const char *level = migrate_get(m, "KDUMP_DUMPLEVEL");
	const char *form = migrate_get(m, "KDUMP_DUMPFORMAT");
	const char *more = migrate_get(m, "MAKEDUMPFILE_OPTIONS"), *option = NULL;
	char line[1024];

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (streq(form, forms[i][0]))
			option = forms[i][1];
	if (!option)
		migrate_lose(m,
			     "KDUMP_DUMPFORMAT=%.32s: a kdump_pre program that fails leaves the"
			     " log alone",
			     form);
	if (!option || (!*option && streq(level, "31") && !*more))
		return;
	if (streq(form, "raw"))
		snprintf(line, sizeof(line), "vmcore-save%s", option);
	else
		snprintf(line, sizeof(line), "vmcore-save%s -d %s%s%s", option, level,
			 *more ? " " : "", more);
	migrate_key(m, "core_collector", line);
	if (*more)
		migrate_say(m, "vmcore-save --check-config tells whether all of its options can be"
			       " used.");
}

static void begin(struct migration *m)
{
	take_savedir(m);
	take_collector(m);
}

/* "crashkernel=72M,low crashkernel=300M,high" is one value of setup's. */
static void take_crashkernel(struct migration *m, const char *value)
{
	_free_ char *words = strdup(value), *sizes = calloc(1, strlen(value) + 2);

	if (!words || !sizes) {
		m->failed = true;
		return;
	}
	for (char *save = NULL, *word = strtok_r(words, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		const char *size = after_prefix(word, "crashkernel=");

		if (*sizes)
			strcat(sizes, " ");
		strcat(sizes, size ? size : word);
	}
	migrate_say(m, "KDUMP_CRASHKERNEL: vmcorectl setup --crashkernel=\"%s\"", sizes);
}

/* Theirs go before the dump and are counted without it; -1 is all of them. */
static void take_keep(struct migration *m, const char *value)
{
	long keep = strtol(value, NULL, 10);
	char number[32];

	snprintf(number, sizeof(number), "%ld", keep < 0 ? 1 : keep + 1);
	migrate_key(m, "keep_dumps", number);
}

static void take_continue(struct migration *m, const char *value)
{
	if (streq(value, "false") || streq(value, "no") || streq(value, "0"))
		migrate_key(m, "failure_action", "shell");
}

static void take_reboot(struct migration *m, const char *value)
{
	if (streq(value, "false") || streq(value, "no") || streq(value, "0"))
		migrate_lose(m, "KDUMP_IMMEDIATE_REBOOT: there is no shell after a complete dump;"
				" final_action knows reboot, halt and poweroff");
}

static void take_cpus(struct migration *m, const char *value)
{
	migrate_lose(m,
		     "KDUMP_CPUS=%s: one CPU is the default here; nr_cpus=%s in the place of"
		     " nr_cpus=1 in KERNEL_APPEND, see docs/operations.md",
		     value, value);
}

static void take_programs(struct migration *m, const char *value)
{
	migrate_key(m, "extra_bins", value);
}

static void take_pre(struct migration *m, const char *value)
{
	migrate_key(m, "kdump_pre", value);
	migrate_say(m, "A kdump_pre that fails means no dump.");
}

static void take_post(struct migration *m, const char *value)
{
	migrate_key(m, "kdump_post", value);
}

static void take_net(struct migration *m, const char *value)
{
	char line[256];
	size_t len;

	snprintf(line, sizeof(line), "%s", value);
	len = strlen(line);
	if (len > 6 && streq(line + len - 6, ":force"))
		line[len - 6] = '\0';
	len = strlen(line);
	if (len > 6 && streq(line + len - 6, ":dhcp4"))
		line[len - 1] = '\0';
	if (streq(line, "auto") || (len > 7 && streq(line + len - 7, ":static")))
		migrate_say(m, "KDUMP_NETCONFIG: an image for this host has its address");
	else
		migrate_key(m, "ip", line);
}

static void take_timeout(struct migration *m, const char *value)
{
	if (!streq(value, "0"))
		migrate_key(m, "device_timeout", value);
}

static void take_identity(struct migration *m, const char *value)
{
	char first[256];

	snprintf(first, sizeof(first), "%.*s", (int)strcspn(value, " "), value);
	migrate_key(m, "sshkey", first);
	if (strchr(value, ' '))
		migrate_lose(m, "KDUMP_SSH_IDENTITY: the first of the keys; there is one for all"
				" targets");
}

#define NO_FADUMP "firmware-assisted dump is of POWER"
#define NO_MAIL	  "vmcore-save-notice.service tells of dumps; see docs/operations.md"

static const struct migrate_row rows[] = {
	{ "KDUMP_SAVEDIR", "/var/crash", NULL, NULL },
	{ "KDUMP_SSH_IDENTITY", "", take_identity, NULL },
	{ "KDUMP_HOST_KEY", "", NULL, "the one that known_hosts of root or of the system has" },
	{ "KDUMP_NETCONFIG", "auto", take_net, NULL },
	{ "KDUMP_NET_TIMEOUT", "30", take_timeout, NULL },
	{ "KDUMP_DUMPLEVEL", "31", NULL, NULL },
	{ "KDUMP_DUMPFORMAT", "compressed", NULL, NULL },
	{ "MAKEDUMPFILE_OPTIONS", "", NULL, NULL },
	{ "KDUMP_KEEP_OLD_DUMPS", "0", take_keep, NULL },
	{ "KDUMP_FREE_DISK_SIZE", "64", NULL,
	  "no complete dump is removed again; -d 17,31 and keep_size go by the room" },
	{ "KDUMP_PRESCRIPT", "", take_pre, NULL },
	{ "KDUMP_POSTSCRIPT", "", take_post, NULL },
	{ "KDUMP_REQUIRED_PROGRAMS", "", take_programs, NULL },
	{ "KDUMP_TRANSFER", "", NULL, "no program in the place of ours; kdump_post runs after it" },
	{ "KDUMP_CONTINUE_ON_ERROR", "true", take_continue, NULL },
	{ "KDUMP_IMMEDIATE_REBOOT", "true", take_reboot, NULL },
	{ "KDUMP_VERBOSE", "0", NULL, "--message-level of core_collector says more" },
	{ "KDUMP_CRASHKERNEL", "auto", take_crashkernel, NULL },
	{ "KDUMP_UPDATE_BOOTLOADER", "true", NULL, "vmcorectl setup alone changes it" },
	{ "KDUMP_AUTO_RESIZE", "false", NULL, "vmcorectl estimate, then reserve that" },
	{ "KDUMP_KERNELVER", "", migrate_take_kernel, NULL },
	{ "KDUMP_CPUS", "32", take_cpus, NULL },
	{ "KDUMP_COMMANDLINE", "", NULL,
	  "only console= of the running kernel's words is taken over; others go into"
	  " KERNEL_APPEND_EXTRA" },
	{ "KDUMP_COMMANDLINE_APPEND", "", migrate_append, NULL },
	{ "KEXEC_OPTIONS", "", migrate_take_kexec_args, NULL },
	{ "KDUMP_FADUMP", "false", NULL, NO_FADUMP },
	{ "KDUMP_FADUMP_SHELL", "false", NULL, NO_FADUMP },
	{ "FADUMP_COMMANDLINE_APPEND", "", NULL, NULL }, /* of KDUMP_FADUMP, and has a default */
	{ "KDUMP_SMTP_SERVER", "", NULL, NO_MAIL },
	{ "KDUMP_SMTP_USER", "", NULL, NULL },
	{ "KDUMP_SMTP_PASSWORD", "", NULL, NULL },
	{ "KDUMP_NOTIFICATION_TO", "", NULL, NO_MAIL },
	{ "KDUMP_NOTIFICATION_CC", "", NULL, NO_MAIL },
	{ "KDUMPTOOL_FLAGS", "", NULL, NULL },
	{ "KDUMP_COPY_KERNEL", "", NULL, NULL },
};

const struct migrate_dialect migrate_suse = {
	.name = "SUSE's kdump",
	.file = "/etc/sysconfig/kdump",
	.rows = rows,
	.nr = ARRAY_SIZE(rows),
	.begin = begin,
};
