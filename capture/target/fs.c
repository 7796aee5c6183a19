// SPDX-License-Identifier: GPL-2.0-or-later
/* A file system on a block device. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "capture/target/target.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define MAPS_LEVELS 4u /* blocks of maps that are not full, of two and three levels */

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

/*
 * Blocks that ext4 keeps for itself, from root too (kernel 27dd43854227, 3.10); 0 of another file
 * system, or where ext2 is not ext4's. It counts clusters, which are blocks but for bigalloc.
 */
static uint64_t kept_blocks(dev_t dev)
{
	char path[320], link[256];
	unsigned long long clusters;
	_free_ char *text = NULL;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(dev), minor(dev));
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return 0;
	link[n] = '\0';
	snprintf(path, sizeof(path), "/sys/fs/ext4/%.255s/reserved_clusters",
		 strrchr(link, '/') ? strrchr(link, '/') + 1 : link);
	if (io_read_file(path, 64, &text, NULL) || sscanf(text, "%llu", &clusters) != 1)
		return 0;
	return clusters;
}

/*
 * The ext family keeps blocks for root, whom PID 1 is, and which statvfs(3) leaves out of what is
 * available. What a file is mapped with comes out of the same room: of ext2 and ext3 a block of
 * 4-byte numbers for each as many blocks; ext4 takes less, how much hangs on how scattered the room
 * is.
 */
static int ext_space(struct target *target, uint64_t *bytes_ret)
{
	struct statvfs vfs;
	struct stat sb;
	uint64_t blocks, kept, maps;

	if (fstatvfs(target->dir_fd, &vfs) || fstat(target->dir_fd, &sb))
		return target_fail(target, -errno, "cannot ask for the room of %.100s: %s",
				   target->where->where, strerror(errno));
	kept = kept_blocks(sb.st_dev);
	blocks = vfs.f_bfree > kept ? vfs.f_bfree - kept : 0;
	maps = DIV_ROUND_UP(blocks, vfs.f_frsize / 4 + 1) + MAPS_LEVELS;
	blocks = blocks > maps ? blocks - maps : 0;
	if (__builtin_mul_overflow(blocks, (uint64_t)vfs.f_frsize, bytes_ret))
		*bytes_ret = UINT64_MAX;
	return 0;
}

/* A file on vfat has at most 4 GiB - 1 (kernel, fs/fat/inode.c: s_maxbytes). */
static int fs_space(struct target *target, uint64_t *bytes_ret)
{
	int err;

	if (after_prefix(target->fstype, "ext"))
		return ext_space(target, bytes_ret);
	err = tree_space(target, bytes_ret);
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
