/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/default/vmcore-save: how the service arms. Lines KEY=value as a shell has them, with or
 * without quotes, without expansion; the keys' names are those of Debian's kdump-tools.
 */
#ifndef CONTROL_SETTINGS_H
#define CONTROL_SETTINGS_H

#include <stddef.h>

#define SETTINGS_PATH "/etc/default/vmcore-save"

/* What makes the capture kernel small, and takes nothing that saving a dump needs:
 * docs/measurements.md, "For small reservations". Without no5lvl, which hides memory above
 * 64 TiB. */
#define SETTINGS_APPEND                                                                            \
	"nr_cpus=1 irqpoll reset_devices panic=5 nokaslr numa=off hest_disable lsm= audit=0 "      \
	"cryptomgr.notests cgroup_disable=memory cgroup.memory=nokmem percpu_alloc=page "          \
	"kfence.sample_interval=0 initramfs_async=0"

/**
 * struct settings
 * @append: KERNEL_APPEND, the capture kernel's command line besides the consoles
 * @append_extra: KERNEL_APPEND_EXTRA, behind it
 * @kexec_args: KEXEC_ARGS, further options of kexec-loader, blanks between
 */
struct settings {
	char append[2048];
	char append_extra[1024];
	char kexec_args[512];
};

/** settings_init() - The defaults. */
void settings_init(struct settings *settings);

/**
 * settings_parse() - Read the file's text. Each mistake is logged as @name:LINE and its line has
 * no effect.
 * Return: the number of mistakes.
 */
int settings_parse(const char *text, const char *name, struct settings *settings);

/** settings_read() - settings_parse() of a file; one that is absent is an empty one.
 * Return: 0; -EINVAL it has mistakes; -errno. Logged. */
int settings_read(const char *path, struct settings *settings);

#endif
