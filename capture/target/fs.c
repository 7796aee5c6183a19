// SPDX-License-Identifier: GPL-2.0-or-later
/* A file system on a block device. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "capture/target/target.h"
#include "lib/log.h"
#include "lib/util.h"

static const char *const fs_types[] = { "ext2", "ext3", "ext4", "xfs", "btrfs", "vfat", NULL };

static int try_mount(const struct target *target, const char *fstype)
{
	/* What vfat cannot store must not be readable for all. */
	return target_mount(target, target->device.node, fstype,
			    streq(fstype, "vfat") ? "umask=077" : "");
}

static bool known_fstype(const char *type)
{
	for (const char *const *t = fs_types; *t; t++)
		if (streq(type, *t))
			return true;
	return false;
}

static int mount_device(struct target *target)
{
	const char *want = target->where->type, *holds = target->device.type;
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
		return target_fail(target, err, "cannot mount %.80s as %s: %s", target->device.node,
				   target->fstype,
				   target_mount_problem(err, target->where->options));
	return 0;
}

static int fs_open(struct target *target)
{
	int err = mount_device(target);

	return err ? err : tree_open(target);
}

/* A file on vfat has at most 4 GiB - 1 (kernel, fs/fat/inode.c: s_maxbytes). */
static int fs_space(struct target *target, uint64_t *bytes_ret)
{
	int err = tree_space(target, bytes_ret);

	if (!err && streq(target->fstype, "vfat"))
		*bytes_ret = MIN(*bytes_ret, (uint64_t)UINT32_MAX);
	return err;
}

const struct target_ops target_fs_ops = {
	.name = "file system",
	.types = fs_types,
	.wait = block_wait,
	.open = fs_open,
	.make_dir = tree_make_dir,
	.reopen = tree_reopen,
	.space = fs_space,
	.create = tree_create,
	.commit = tree_commit,
	.abandon = tree_abandon,
	.replace = tree_replace,
	.bytes = tree_bytes,
	.sync = tree_sync,
	.close = tree_close,
};
