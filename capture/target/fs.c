// SPDX-License-Identifier: GPL-2.0-or-later
/* A file system on a block device. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "capture/target/target.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/util.h"

#define POLL_MS	      150
#define LOOK_AGAIN_MS 3000

static int __attribute__((format(printf, 3, 4)))
fail(struct target *target, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(target->error, sizeof(target->error), fmt, ap);
	va_end(ap);
	return err;
}

static bool fs_handles(const struct config *config)
{
	return config->fstype[0] != '\0';
}

static void describe(struct target *target, uint64_t waited_ms)
{
	const struct find_device *dev = &target->device;

	snprintf(target->description, sizeof(target->description), "%.100s (%s%s%s) after %u.%u s",
		 dev->node, *dev->type ? dev->type : "type unknown", *dev->uuid ? ", UUID=" : "",
		 dev->uuid, (unsigned)(waited_ms / 1000), (unsigned)(waited_ms % 1000 / 100));
}

static int fs_wait(struct target *target)
{
	uint64_t start = clock_ms(), last_full = start, now = start;
	const char *spec = target->config->device;
	struct find_seen seen = { .nr = 0 };
	int err;

	for (;;) {
		target->alive(target->alive_ctx);
		err = find_device(&find_system_places, spec, &seen, &target->device);
		now = clock_ms();
		if (!err)
			break;
		if (now - start >= target->config->device_timeout * UINT64_C(1000)) {
			find_log_devices(&find_system_places);
			return fail(target, err == -ENOENT ? -ENODEV : err,
				    "%.200s did not appear within %u s%s%s", spec,
				    target->config->device_timeout, err == -ENOENT ? "" : ": ",
				    err == -ENOENT ? "" : strerror(-err));
		}
		/* A disk may get its contents, or its medium, after its name. */
		if (now - last_full >= LOOK_AGAIN_MS) {
			seen.nr = 0;
			last_full = now;
		}
		clock_sleep_ms(POLL_MS);
	}
	describe(target, now - start);
	return 0;
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

static int try_mount(const struct target *target, const char *fstype)
{
	/* What vfat cannot store must not be readable for all. */
	const char *data = streq(fstype, "vfat") ? "umask=077" : NULL;

	if (mount(target->device.node, target->mount_point, fstype,
		  MS_NOATIME | MS_NOSUID | MS_NODEV | MS_NOEXEC, data))
		return -errno;
	return 0;
}

static bool known_fstype(const char *type)
{
	static const char *const known[] = { "ext2", "ext3", "ext4", "xfs", "btrfs", "vfat" };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (streq(type, known[i]))
			return true;
	return false;
}

static int mount_device(struct target *target)
{
	const char *want = target->config->fstype, *holds = target->device.type;
	int err = try_mount(target, want);

	snprintf(target->fstype, sizeof(target->fstype), "%s", want);
	if (err && !streq(want, holds) && known_fstype(holds)) {
		/* A wrong word in the configuration is no reason to lose the dump. */
		log_warn("%s holds %s, the configuration says %s: trying %s", target->device.node,
			 holds, want, holds);
		snprintf(target->fstype, sizeof(target->fstype), "%.15s", holds);
		err = try_mount(target, holds);
	}
	if (err)
		return fail(target, err, "cannot mount %.80s as %s: %s", target->device.node,
			    target->fstype, target_mount_problem(err));
	return 0;
}

static int fs_open(struct target *target, int *root_fd_ret)
{
	_close_ int fd = -1;
	struct statvfs vfs;
	int err = mount_device(target);

	if (err)
		return err;
	fd = open(target->mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstatvfs(fd, &vfs))
		return fail(target, -errno, "cannot open %.80s: %s", target->mount_point,
			    strerror(errno));
	if (vfs.f_flag & ST_RDONLY)
		return fail(target, -EROFS,
			    "%.80s could be mounted read-only alone: damaged or write-protected",
			    target->device.node);
	*root_fd_ret = take_fd(&fd);
	return 0;
}

static int fs_close(struct target *target)
{
	int fd = open(target->mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = 0;

	if (fd >= 0) {
		if (syncfs(fd))
			err = -errno;
		close(fd);
	}
	if (umount2(target->mount_point, 0) && errno != EINVAL)
		return fail(target, -errno, "cannot unmount %.80s: %s", target->device.node,
			    strerror(errno));
	if (err)
		return fail(target, err, "cannot flush %.80s: %s", target->device.node,
			    strerror(-err));
	return 0;
}

const struct target_ops target_fs_ops = {
	.name = "file system",
	.handles = fs_handles,
	.wait = fs_wait,
	.open = fs_open,
	.close = fs_close,
};
