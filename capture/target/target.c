// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/target/target.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "lib/util.h"

static const struct target_ops *const target_rows[] = {
	&target_fs_ops, &target_nfs_ops, &target_raw_ops, &target_share_ops, &target_ssh_ops,
};

static bool means(const struct target_ops *ops, const char *type)
{
	for (const char *const *t = ops->types; *t; t++)
		if (streq(*t, type))
			return true;
	return false;
}

int target_init(struct target *target, const struct config *config,
		const struct config_target *where, const char *mount_point)
{
	target->config = config;
	target->where = where;
	target->mount_point = mount_point;
	target->wait_s = config->device_timeout;
	target->dir_fd = -1;
	for (size_t i = 0; i < ARRAY_SIZE(target_rows); i++) {
		if (means(target_rows[i], where->type)) {
			target->ops = target_rows[i];
			return 0;
		}
	}
	return target_fail(target, -EOPNOTSUPP, "no kind of target is called %s", where->type);
}

int target_fail(struct target *target, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(target->error, sizeof(target->error), fmt, ap);
	va_end(ap);
	return err;
}

/* Each with or without a "no" before it: mount(8), FILESYSTEM-INDEPENDENT MOUNT OPTIONS. */
bool target_mount_flag(const char *word, size_t len)
{
	static const char *const flags[] = {
		"defaults",    "rw",	   "ro",    "atime",	 "diratime", "relatime", "exec",
		"strictatime", "lazytime", "suid",  "dev",	 "iversion", "mand",	 "user",
		"users",       "owner",	   "group", "auto",	 "fail",     "sync",	 "async",
		"dirsync",     "silent",   "loud",  "symfollow", "_netdev",
	};

	if (after_prefix(word, "x-") || after_prefix(word, "X-") || after_prefix(word, "comment="))
		return true;
	if (len > 2 && after_prefix(word, "no")) {
		word += 2;
		len -= 2;
	}
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (strlen(flags[i]) == len && !strncmp(flags[i], word, len))
			return true;
	return false;
}

int target_mount_data(char *text, size_t size, const char *data, const char *options)
{
	size_t at = snprintf(text, size, "%s", data), len;

	for (const char *word = options; *word; word += len + (word[len] == ',')) {
		len = strcspn(word, ",");
		if (!len || target_mount_flag(word, len))
			continue;
		if (at + len + 2 > size)
			return -E2BIG;
		at += snprintf(text + at, size - at, "%s%.*s", at ? "," : "", (int)len, word);
	}
	return 0;
}

/* By whoever died since: its directory is for this target alone. */
static bool is_mounted(const char *mount_point)
{
	char above[128];
	struct stat here, there;

	snprintf(above, sizeof(above), "%s/..", mount_point);
	return !stat(mount_point, &here) && !stat(above, &there) && here.st_dev != there.st_dev;
}

int target_mount(const struct target *target, const char *source, const char *fstype,
		 const char *data)
{
	char text[512];
	int err = target_mount_data(text, sizeof(text), data, target->where->options);

	if (err || is_mounted(target->mount_point))
		return err;
	if (mount(source, target->mount_point, fstype,
		  MS_NOATIME | MS_NOSUID | MS_NODEV | MS_NOEXEC, text))
		return -errno;
	return 0;
}

const char *target_mount_problem(int err, const char *options)
{
	switch (err) {
	case -EROFS:
	case -EACCES:
		return "the device is read-only";
	case -ENODEV:
		return "the kernel does not know this file system: its module is not in the image";
	case -EINVAL:
		return *options ? "no such file system on the device, a damaged one, or one that "
				  "does not know the mount_options" :
				  "no such file system on the device, or a damaged one";
	case -EUCLEAN:
		return "the file system is damaged";
	case -EBUSY:
		return "the device is in use";
	case -ENXIO:
	case -ENOENT:
		return "the device has gone";
	default:
		return strerror(-err);
	}
}

const char *target_write_problem(int err)
{
	switch (err) {
	case -EFBIG:
		return "it is larger than a file can be there (File too large)";
	case -EBADMSG: /* EFSBADCRC of ext4 and xfs */
	case -EUCLEAN:
		return "the file system is damaged";
	default:
		return strerror(-err);
	}
}
