// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump-utils of Fedora and Red Hat: /etc/sysconfig/kdump. Its kdump.conf(5) is ours, too. */
#include "control/migrate/migrate.h"
#include "lib/config.h"
#include "lib/util.h"

static void begin(struct migration *m)
{
	migrate_say(m, CONFIG_KDUMP_PATH " is read as it is where there is no " CONFIG_PATH ", so"
					 " this is for --settings alone.");
}

static void take_notification(struct migration *m, const char *value)
{
	migrate_say(m, "VMCORE_CREATION_NOTIFICATION=%s: vmcore-save-notice.service tells of dumps",
		    value);
}

#define NO_COMMANDLINE                                                                             \
	"only console= of the running kernel's words is taken over; others go into"                \
	" KERNEL_APPEND_EXTRA"
#define NO_LEVELS "there are no levels of what vmcorectl says"

static const struct migrate_row rows[] = {
	{ "KDUMP_KERNELVER", "", migrate_take_kernel, NULL },
	{ "KDUMP_COMMANDLINE", "", NULL, NO_COMMANDLINE },
	{ "KDUMP_COMMANDLINE_REMOVE", "", NULL, NULL }, /* of what is not taken over */
	{ "KDUMP_COMMANDLINE_APPEND", "", migrate_append, NULL },
	{ "FADUMP_COMMANDLINE_APPEND", "", NULL, "firmware-assisted dump is of POWER" },
	{ "KEXEC_ARGS", "", migrate_take_kexec_args, NULL },
	{ "KDUMP_BOOTDIR", "/boot", NULL, "kernels are looked for where packages put them" },
	{ "KDUMP_IMG", "vmlinuz", NULL, "kernels are looked for where packages put them" },
	{ "KDUMP_IMG_EXT", "", NULL, "kernels are looked for where packages put them" },
	{ "VMCORE_CREATION_NOTIFICATION", "yes", take_notification, NULL },
	{ "KDUMP_STDLOGLVL", "3", NULL, NO_LEVELS },
	{ "KDUMP_SYSLOGLVL", "0", NULL, NO_LEVELS },
	{ "KDUMP_KMSGLOGLVL", "0", NULL, NO_LEVELS },
};

const struct migrate_dialect migrate_fedora = {
	.name = "kdump-utils",
	.file = "/etc/sysconfig/kdump",
	.rows = rows,
	.nr = ARRAY_SIZE(rows),
	.begin = begin,
};
