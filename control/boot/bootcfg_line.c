// SPDX-License-Identifier: GPL-2.0-or-later
/* Boot loaders of boards, and kernel-install(8) where the boot loader is none of ours. */
#include <errno.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "control/boot/bootcfg_private.h"
#include "control/run.h"
#include "lib/util.h"

static const char *first_of(const struct invocation *in, const char *const *paths, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (bootcfg_is_there(in, paths[i]))
			return paths[i];
	}
	return NULL;
}

/* ---- extlinux.conf: U-Boot, and syslinux as Alpine has it */

static const char *extlinux_file(const struct invocation *in)
{
	static const char *const paths[] = { "/boot/extlinux/extlinux.conf", "/boot/extlinux.conf",
					     "/boot/syslinux/syslinux.cfg" };

	return first_of(in, paths, ARRAY_SIZE(paths));
}

static bool extlinux_present(const struct invocation *in)
{
	return extlinux_file(in) != NULL;
}

/* Debian's u-boot-update(8) and Alpine's update-extlinux make it again for another kernel. */
static int extlinux_list(const struct invocation *in, struct bootcfg *cfg)
{
	static const char *const append[] = { "append", NULL };
	static const char *const u_boot[] = { "U_BOOT_PARAMETERS", NULL };
	static const char *const alpine[] = { "default_kernel_opts", NULL };
	int err = bootcfg_add(cfg, extlinux_file(in), &bootcfg_form_label, append, 0) ? 0 : -ENOMEM;

	if (!err)
		err = bootcfg_add_seen(in, cfg, "/etc/default/u-boot", &bootcfg_form_shell, u_boot,
				       BOOTCFG_OPTIONAL);
	if (!err)
		err = bootcfg_add_seen(in, cfg, "/etc/update-extlinux.conf", &bootcfg_form_shell,
				       alpine, BOOTCFG_OPTIONAL);
	return err ? err : bootcfg_add_cmdline(in, cfg);
}

const struct bootcfg_ops bootcfg_extlinux = {
	.name = "extlinux",
	.present = extlinux_present,
	.list = extlinux_list,
};

/* ---- the Raspberry Pi's firmware: one line, beside config.txt */

static const char *raspberry_file(const struct invocation *in)
{
	static const char *const paths[] = { "/boot/firmware/cmdline.txt", "/boot/cmdline.txt" };

	return first_of(in, paths, ARRAY_SIZE(paths));
}

static bool raspberry_present(const struct invocation *in)
{
	return raspberry_file(in) && (bootcfg_is_there(in, "/boot/firmware/config.txt") ||
				      bootcfg_is_there(in, "/boot/config.txt"));
}

static int raspberry_list(const struct invocation *in, struct bootcfg *cfg)
{
	return bootcfg_add(cfg, raspberry_file(in), &bootcfg_form_line, NULL, BOOTCFG_INSERT) ?
		       0 :
		       -ENOMEM;
}

const struct bootcfg_ops bootcfg_raspberry = {
	.name = "Raspberry Pi",
	.present = raspberry_present,
	.list = raspberry_list,
};

/* ---- kernel-install(8): one line, for what it makes of it */

static bool kernel_install_present(const struct invocation *in)
{
	return bootcfg_is_there(in, KI_CMDLINE);
}

/* For the running kernel; others get it when they are installed again. */
static int kernel_install_apply(const struct invocation *in, const char *value)
{
	const char *argv[] = { "kernel-install", "add", NULL, NULL, NULL };
	char paths[2][128];
	struct utsname u;

	(void)in, (void)value;
	if (uname(&u))
		return -errno;
	snprintf(paths[0], sizeof(paths[0]), "/usr/lib/modules/%.64s/vmlinuz", u.release);
	snprintf(paths[1], sizeof(paths[1]), "/boot/vmlinuz-%.64s", u.release);
	argv[2] = u.release;
	argv[3] = paths[access(paths[0], R_OK) ? 1 : 0];
	return run(argv);
}

const struct bootcfg_ops bootcfg_kernel_install = {
	.name = "kernel-install",
	.present = kernel_install_present,
	.list = bootcfg_add_cmdline,
	.apply = kernel_install_apply,
};
