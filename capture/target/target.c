// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/target/target.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/util.h"

static const struct target_ops *const target_rows[] = {
	&target_fs_ops,
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

const char *target_mount_problem(int err)
{
	switch (err) {
	case -EROFS:
	case -EACCES:
		return "the device is read-only";
	case -ENODEV:
		return "the kernel does not know this file system: its module is not in the image";
	case -EINVAL:
		return "no such file system on the device, or a damaged one";
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
