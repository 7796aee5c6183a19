// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/target/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"

/* openat2(2) came in 5.6 (kernel fddb5d430ad9); glibc 2.36 has no wrapper. */
static int open_in_root(int root_fd, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* Open @path, whose last component @name is made in @parent_fd where it is missing. */
static int open_or_make(int root_fd, int parent_fd, const char *path, const char *name)
{
	int fd = open_in_root(root_fd, path);

	if (fd != -ENOENT)
		return fd;
	if (mkdirat(parent_fd, name, 0755) && errno != EEXIST)
		return -errno;
	if (fsync(parent_fd))
		return -errno;
	return open_in_root(root_fd, path);
}

int dir_open_path(int root_fd, const char *path, int *fd_ret)
{
	_close_ int fd = open_in_root(root_fd, "/");
	char prefix[PATH_MAX];
	size_t len = strlen(path), at = 0;

	if (fd < 0)
		return fd;
	if (len >= sizeof(prefix))
		return -ENAMETOOLONG;
	memcpy(prefix, path, len + 1);
	while (at < len) {
		size_t end;
		char saved;
		int next;

		while (prefix[at] == '/')
			at++;
		if (at == len)
			break;
		end = at + strcspn(prefix + at, "/");
		saved = prefix[end];
		prefix[end] = '\0';
		next = open_or_make(root_fd, fd, prefix, prefix + at);
		if (next < 0)
			return next;
		close(fd);
		fd = next;
		prefix[end] = saved;
		at = end;
	}
	*fd_ret = take_fd(&fd);
	return 0;
}

void dir_format_name(char name[DIR_NAME_SIZE], time_t when, char sep, unsigned suffix)
{
	struct tm tm = { .tm_mday = 1 };
	char buf[96];
	size_t len;

	gmtime_r(&when, &tm);
	len = snprintf(buf, sizeof(buf), "%04d-%02d-%02d-%02d%c%02d", tm.tm_year + 1900,
		       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, sep, tm.tm_min);
	if (suffix)
		snprintf(buf + len, sizeof(buf) - len, "-%u", suffix);
	/* A clock gone wild makes a long year, not an overflow. */
	snprintf(name, DIR_NAME_SIZE, "%.*s", DIR_NAME_SIZE - 1, buf);
}

int dir_create_stamped(int parent_fd, time_t when, char name_ret[DIR_NAME_SIZE], int *fd_ret)
{
	char name[DIR_NAME_SIZE];
	unsigned suffix = 0;
	char sep = ':';
	int fd;

	for (;;) {
		dir_format_name(name, when, sep, suffix);
		if (mkdirat(parent_fd, name, 0700) == 0)
			break;
		if (errno == EINVAL && sep == ':')
			sep = '-';
		else if (errno != EEXIST)
			return -errno;
		else if (++suffix > 99)
			return -EEXIST;
	}
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(parent_fd)) {
		int err = -errno;

		close(fd);
		return err;
	}
	strcpy(name_ret, name);
	*fd_ret = fd;
	return 0;
}

int dir_open_file(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

/* @renamed_ret: whether it has its final name, durable or not */
static int commit_name(int dir_fd, int fd, const char *name, const char *final_name,
		       bool *renamed_ret)
{
	*renamed_ret = false;
	if (fsync(fd) || renameat(dir_fd, name, dir_fd, final_name))
		return -errno;
	*renamed_ret = true;
	return fsync(dir_fd) ? -errno : 0;
}

int dir_commit_file(int dir_fd, int fd, const char *name, const char *final_name)
{
	bool renamed;
	int err = commit_name(dir_fd, fd, name, final_name, &renamed);

	/* It would say more than is known. */
	if (err && renamed)
		renameat(dir_fd, final_name, dir_fd, name);
	return err;
}

void dir_reserve_file(int fd, size_t bytes)
{
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, bytes))
		return; /* the block that a small file has anyway must do */
}

/* No truncation before the data is there: the blocks that the file has are all there is. */
static int overwrite_file(int dir_fd, const char *name, const char *data, size_t len)
{
	_close_ int fd = openat(dir_fd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = io_pwrite_full(fd, data, len, 0);
	if (err)
		return err;
	return ftruncate(fd, len) || fsync(fd) ? -errno : 0;
}

static int write_new_file(int dir_fd, const char *name, const char *tmp_name, const char *data,
			  size_t len)
{
	_close_ int fd = -1;
	bool renamed = false;
	int err;

	/* One that an earlier try left and that cannot go tells of the reason, not of itself. */
	if (unlinkat(dir_fd, tmp_name, 0) && errno != ENOENT)
		return -errno;
	fd = dir_open_file(dir_fd, tmp_name);
	if (fd < 0)
		return fd;
	err = io_write_full(fd, data, len);
	if (!err)
		err = commit_name(dir_fd, fd, tmp_name, name, &renamed);
	/* Once the old one is gone, the new one stays: its name says nothing of its contents. */
	if (err && !renamed)
		unlinkat(dir_fd, tmp_name, 0);
	return err;
}

int dir_replace_file(int dir_fd, const char *name, const char *tmp_name, const char *data,
		     size_t len)
{
	int err = write_new_file(dir_fd, name, tmp_name, data, len);

	if (err == -ENOSPC || err == -EDQUOT)
		err = overwrite_file(dir_fd, name, data, len);
	return err;
}
