// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/check/look.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "control/bounded.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"

#define PATH_SIZE 4096
#define ST_RDONLY 1 /* of statfs(2)'s f_flags */

/* Of mount(8) alone, so that it is ended, with its helper, before the look is. */
#define MOUNT_SECONDS (LOOK_SECONDS - 5)

struct mounting {
	const struct look_source *source;
	const char *dir;
};

/* @path is cut down to what is there of it. */
static int see(char *path, struct look *look)
{
	struct statfs fs;
	struct stat sb;

	look->there = true;
	while (stat(path, &sb)) {
		char *slash = strrchr(path, '/');

		if (errno != ENOENT || !slash)
			return -errno;
		look->there = false;
		slash[slash == path] = '\0';
	}
	if (!S_ISDIR(sb.st_mode))
		return -ENOTDIR;
	if (statfs(path, &fs))
		return -errno;
	look->magic = fs.f_type;
	look->read_only = fs.f_flags & ST_RDONLY;
	if (__builtin_mul_overflow((uint64_t)fs.f_bavail, (uint64_t)fs.f_bsize, &look->free_bytes))
		look->free_bytes = UINT64_MAX;
	return 0;
}

/* In the other process. */
static int look_here(const void *ctx, int fd)
{
	struct look look = { 0 };
	char path[PATH_SIZE];
	int err;

	snprintf(path, sizeof(path), "%s", (const char *)ctx);
	err = see(*path ? path : strcpy(path, "/"), &look);
	return io_write_full(fd, &look, sizeof(look)) ?: err;
}

int look_at(const char *directory, struct look *look_ret)
{
	struct look look = { 0 };
	size_t len;
	int err = bounded_call(look_here, directory, LOOK_SECONDS, &look, sizeof(look), &len);

	if (!err && len != sizeof(look))
		err = -EIO;
	if (!err)
		*look_ret = look;
	return err;
}

/* Read-only is not enough: ext4 and the like replay their journal all the same. */
static const char *options_of(const char *type)
{
	static const struct {
		const char *type, *options;
	} rows[] = {
		{ "ext3", "ro,noload" },      { "ext4", "ro,noload" },
		{ "xfs", "ro,norecovery" },   { "btrfs", "ro,rescue=nologreplay" },
		{ "nfs", "ro,soft,retry=0" }, { "9p", "ro,trans=virtio,version=9p2000.L" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (streq(rows[i].type, type))
			return rows[i].options;
	return "ro";
}

/* The first line, without "mount: WHERE: " before it. */
static void shorten(char *words, const char *dir, char *why, size_t size)
{
	const char *line = words, *after;

	words[strcspn(words, "\n")] = '\0';
	after = strstr(line, dir);
	if (after) {
		line = after + strlen(dir);
		line += strspn(line, ": ");
	}
	snprintf(why, size, "%.*s", (int)size - 1, line);
}

static int run_mount(const struct mounting *m, const char *options, char *words, size_t size)
{
	const char *const argv[] = { "mount",	      "-n",   "-t", m->source->type, "-o", options,
				     m->source->what, m->dir, NULL };

	return bounded_run(argv, MOUNT_SECONDS, words, size);
}

static int mount_it(const struct mounting *m, struct look *look)
{
	const char *more = m->source->options;
	_free_ char *options = NULL;
	char words[1024];
	bool busy;
	int err;

	/* What comes last counts. */
	if (asprintf(&options, "%s%s%s,nosuid,nodev,noexec", more, *more ? "," : "",
		     options_of(m->source->type)) < 0) {
		options = NULL;
		return -ENOMEM;
	}
	err = run_mount(m, options, words, sizeof(words));
	busy = strstr(words, "busy") || strstr(words, "already mounted");
	shorten(words, m->dir, look->why, sizeof(look->why));
	return err == -EIO && busy ? -EBUSY : err;
}

/* Symbolic links of that file system are its own, and lead not out of it. */
static int see_within(const struct mounting *m, struct look *look)
{
	_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char path[PATH_SIZE];
	int err;

	snprintf(path, sizeof(path), "%s", m->source->path);
	if (root < 0 || chroot(m->dir) || chdir("/"))
		return -errno;
	err = see(path, look);
	look->read_only = false; /* which we have asked for */
	if (fchdir(root) || chroot("."))
		return err ? err : -errno;
	return err;
}

static int look_mounted(const void *ctx, int fd)
{
	const struct mounting *m = ctx;
	struct look look = { 0 };
	int err = 0;

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		err = -errno;
	if (!err)
		err = mount_it(m, &look);
	if (!err) {
		err = see_within(m, &look);
		umount2(m->dir, UMOUNT_NOFOLLOW);
	}
	return io_write_full(fd, &look, sizeof(look)) ?: err;
}

int look_into(const struct look_source *source, struct look *look_ret)
{
	char dir[] = "/tmp/vmcorectl-check-XXXXXX";
	const struct mounting mounting = { source, dir };
	struct look look = { 0 };
	size_t len;
	int err;

	if (!mkdtemp(dir))
		return -errno;
	err = bounded_call(look_mounted, &mounting, LOOK_SECONDS, &look, sizeof(look), &len);
	rmdir(dir); /* not mounted here, in any case */
	look.why[sizeof(look.why) - 1] = '\0';
	if (!err && len != sizeof(look))
		err = -EIO;
	*look_ret = look;
	return err;
}
