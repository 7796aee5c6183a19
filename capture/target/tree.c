// SPDX-License-Identifier: GPL-2.0-or-later
/* What targets share that are a mounted directory tree. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "capture/target/stack.h"
#include "capture/target/target.h"
#include "lib/cleanup.h"

/* Room kept for a small file, so that it can be rewritten on a full disk. */
#define RESERVE_BYTES (64u << 10)

static int fail_name(struct target *target, int err, const char *what, const char *name)
{
	return target_fail(target, err, "cannot %s %.100s: %s", what, name,
			   target_write_problem(err));
}

static int open_root(struct target *target)
{
	int fd = open(target->mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? fail_name(target, -errno, "open", target->mount_point) : fd;
}

int tree_open(struct target *target)
{
	_close_ int root = open_root(target);
	struct statvfs vfs;
	int err;

	if (root < 0)
		return root;
	if (fstatvfs(root, &vfs))
		return fail_name(target, -errno, "ask about", target->mount_point);
	if (vfs.f_flag & ST_RDONLY)
		return target_fail(
			target, -EROFS,
			"%.80s could be mounted read-only alone: damaged or write-protected",
			target->where->where);
	err = dir_open_path(root, target->where->path, &target->dir_fd);
	return err ? fail_name(target, err, "make", target->where->path) : 0;
}

int tree_make_dir(struct target *target, time_t when)
{
	int fd, err = dir_create_stamped(target->dir_fd, when, target->dir_name, &fd);

	if (err)
		return fail_name(target, err, "make a directory in", target->where->path);
	close(target->dir_fd);
	target->dir_fd = fd;
	return 0;
}

int tree_reopen(struct target *target)
{
	_close_ int root = open_root(target), parent = -1;
	int err;

	if (root < 0)
		return root;
	err = dir_open_path(root, target->where->path, &parent);
	if (err)
		return fail_name(target, err, "open", target->where->path);
	if (target->dir_fd >= 0) /* tree_open() got as far as the path */
		close(target->dir_fd);
	target->dir_fd =
		openat(parent, target->dir_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return target->dir_fd < 0 ? fail_name(target, -errno, "open", target->dir_name) : 0;
}

int tree_space(struct target *target, uint64_t *bytes_ret)
{
	struct statvfs vfs;

	if (fstatvfs(target->dir_fd, &vfs))
		return fail_name(target, -errno, "ask for the room of", target->where->where);
	if (__builtin_mul_overflow((uint64_t)vfs.f_bavail, (uint64_t)vfs.f_frsize, bytes_ret))
		*bytes_ret = UINT64_MAX;
	return 0;
}

int tree_create(struct target *target, const char *name, struct target_file *file_ret)
{
	int fd;

	unlinkat(target->dir_fd, name, 0);
	fd = dir_open_file(target->dir_fd, name);
	if (fd < 0)
		return fail_name(target, fd, "make", name);
	*file_ret = (struct target_file){ .fd = fd };
	snprintf(file_ret->name, sizeof(file_ret->name), "%s", name);
	return 0;
}

int tree_commit(struct target *target, struct target_file *file, const char *final_name)
{
	_close_ int fd = take_fd(&file->fd);
	int err = dir_commit_file(target->dir_fd, fd, file->name, final_name);

	return err ? fail_name(target, err, "save", final_name) : 0;
}

int tree_abandon(struct target *target, struct target_file *file)
{
	_close_ int fd = take_fd(&file->fd);
	struct stat sb;

	if (fstat(fd, &sb) == 0 && !sb.st_size)
		return unlinkat(target->dir_fd, file->name, 0) ?
			       fail_name(target, -errno, "remove", file->name) :
			       0;
	return fsync(fd) ? fail_name(target, -errno, "save", file->name) : 0;
}

int tree_replace(struct target *target, const char *name, const char *data, size_t len)
{
	char tmp[TARGET_NAME_SIZE];
	_close_ int fd = -1;
	int err;

	snprintf(tmp, sizeof(tmp), "%.*s.new", (int)sizeof(tmp) - 5, name);
	err = dir_replace_file(target->dir_fd, name, tmp, data, len);
	if (err)
		return fail_name(target, err, "write", name);
	fd = openat(target->dir_fd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		dir_reserve_file(fd, RESERVE_BYTES);
	return 0;
}

int tree_bytes(struct target *target, const char *name, uint64_t *bytes_ret)
{
	struct stat sb;

	if (fstatat(target->dir_fd, name, &sb, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? -ENOENT : fail_name(target, -errno, "ask about", name);
	*bytes_ret = sb.st_size;
	return 0;
}

int tree_sync(struct target *target)
{
	if (target->dir_fd >= 0 && syncfs(target->dir_fd))
		return fail_name(target, -errno, "flush", target->where->where);
	return 0;
}

int tree_close(struct target *target)
{
	int fd = open(target->mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = 0;

	if (target->dir_fd >= 0)
		close(take_fd(&target->dir_fd));
	if (fd >= 0) {
		if (syncfs(fd))
			err = -errno;
		close(fd);
	}
	if (umount2(target->mount_point, 0) && errno != EINVAL)
		return fail_name(target, -errno, "unmount", target->where->where);
	stack_stop();
	return err ? fail_name(target, err, "flush", target->where->where) : 0;
}
