// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"

static int failed(const char *path, int err)
{
	log_error("%s: %s", path, strerror(-err));
	return err;
}

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static int sync_path(const char *path, int flags)
{
	_close_ int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 || fsync(fd) ? -errno : 0;
}

int file_rename_synced(const char *from, const char *to)
{
	_free_ char *directory = directory_of(to);
	int err = directory ? sync_path(from, O_RDONLY) : -ENOMEM;

	if (!err && rename(from, to))
		err = -errno;
	if (!err)
		err = sync_path(directory, O_RDONLY | O_DIRECTORY);
	return err ? failed(to, err) : 0;
}

/* @like: whose it is to be; NULL: ours */
static int write_new(const char *path, const char *text, size_t len, mode_t mode,
		     const struct stat *like)
{
	_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
	int err;

	if (fd < 0)
		return -errno;
	err = io_write_full(fd, text, len);
	if (!err && like && (like->st_uid != geteuid() || like->st_gid != getegid()) &&
	    fchown(fd, like->st_uid, like->st_gid))
		err = -errno;
	if (!err && fchmod(fd, mode))
		err = -errno;
	return err;
}

static int replace(const char *path, const char *text, size_t len, mode_t mode,
		   const struct stat *like)
{
	_free_ char *new = NULL, *directory = directory_of(path);
	int err;

	if (!directory || asprintf(&new, "%s.new", path) < 0) {
		new = NULL;
		return failed(path, -ENOMEM);
	}
	if (mkdir(directory, 0755) && errno != EEXIST)
		return failed(directory, -errno);
	err = write_new(new, text, len, mode, like);
	if (err) {
		unlink(new);
		return failed(new, err);
	}
	err = file_rename_synced(new, path);
	if (err)
		unlink(new);
	return err;
}

int file_replace(const char *path, const char *text, size_t len, mode_t mode)
{
	return replace(path, text, len, mode, NULL);
}

int file_rewrite(const char *path, const char *text, size_t len)
{
	struct stat st;

	if (!stat(path, &st))
		return replace(path, text, len, st.st_mode & 07777, &st);
	return errno == ENOENT ? replace(path, text, len, 0644, NULL) : failed(path, -errno);
}
