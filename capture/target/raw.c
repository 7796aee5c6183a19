// SPDX-License-Identifier: GPL-2.0-or-later
/* A block device without a file system. raw_layout.h says what is where on it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/target/raw_layout.h"
#include "capture/target/target.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"

#define LOG_NAMES    "vmcore-dmesg" /* how its names begin */
#define DUMP_NAMES   "vmcore"
#define DIGEST_BYTES (64u << 10)

_Static_assert(RAW_NAME_SIZE == TARGET_NAME_SIZE && RAW_DIR_NAME_SIZE <= DIR_NAME_SIZE,
	       "names of a capture fit");

/*
 * struct raw - @fd: claims the device for this process alone
 * @dir: as it is to be
 * @stored: as it was last made durable
 */
struct raw {
	int fd;
	struct raw_dir dir, stored;
};

static const char *const raw_types[] = { "raw", NULL };

static int fail_raw(struct target *target, int err, const char *what, const char *name)
{
	return target_fail(target, err, "cannot %s %.60s on %.60s: %s", what, name,
			   target->device.node, strerror(-err));
}

/* What could not be recorded did not happen: a later store must not tell of it. */
static int store(struct target *target, const char *name)
{
	struct raw *raw = target->priv;
	int err = raw_store(raw->fd, &raw->dir);

	if (err)
		raw->dir = raw->stored;
	else
		raw->stored = raw->dir;
	return err ? fail_raw(target, err, "record", name) : 0;
}

/* O_EXCL without O_CREAT: -EBUSY where it is mounted or part of something (open(2)). */
static int open_device(struct target *target)
{
	struct raw *raw = calloc(1, sizeof(*raw));
	int err;

	if (!raw)
		return fail_raw(target, -ENOMEM, "open", "the raw device");
	target->priv = raw;
	raw->fd = open(target->device.node, O_RDWR | O_EXCL | O_CLOEXEC);
	if (raw->fd < 0)
		return target_fail(target, -errno, "cannot open %.80s: %s", target->device.node,
				   target_mount_problem(-errno, ""));
	err = raw_load(raw->fd, &raw->dir);
	raw->stored = raw->dir;
	if (err == -ENODATA)
		return 0;
	return err ? fail_raw(target, err, "read", "the directory") : 0;
}

static int raw_open(struct target *target)
{
	int fd = open(target->device.node, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return fail_raw(target, -errno, "open", "the raw device");
	err = raw_check(fd, target->device.node, target->error, sizeof(target->error));
	close(fd);
	if (err)
		return err;
	snprintf(target->fstype, sizeof(target->fstype), "raw");
	return open_device(target);
}

/* From here on an earlier capture is gone: its dump may be overwritten at any time. */
static int raw_make_dir(struct target *target, time_t when)
{
	struct raw *raw = target->priv;

	dir_format_name(target->dir_name, when, ':', 0);
	raw->dir.nr = 0;
	memset(raw->dir.files, 0, sizeof(raw->dir.files));
	memset(raw->dir.dir_name, 0, sizeof(raw->dir.dir_name));
	/* Without a host's name before it a time fits, but for a clock gone wild. */
	snprintf(raw->dir.dir_name, sizeof(raw->dir.dir_name), "%.31s", target->dir_name);
	strcpy(target->dir_name, raw->dir.dir_name);
	return store(target, target->dir_name);
}

static int raw_reopen(struct target *target)
{
	const struct raw *raw;
	int err = target->priv ? 0 : open_device(target);

	if (err)
		return err;
	raw = target->priv;
	return streq(raw->dir.dir_name, target->dir_name) ?
		       0 :
		       fail_raw(target, -ENOENT, "find", target->dir_name);
}

static int raw_space(struct target *target, uint64_t *bytes_ret)
{
	const struct raw *raw = target->priv;

	*bytes_ret = raw->dir.area;
	return 0;
}

/* The entry of that name, or a new one; NULL where there is no room for it. */
static struct raw_file *entry(struct raw *raw, const char *name)
{
	struct raw_file *file = raw_find(&raw->dir, name);

	if (!file && raw->dir.nr < RAW_FILES_MAX) {
		file = &raw->dir.files[raw->dir.nr++];
		*file = (struct raw_file){ .state = RAW_WRITING };
		snprintf(file->name, sizeof(file->name), "%s", name);
	}
	return file;
}

static bool is_log(const char *name)
{
	return after_prefix(name, LOG_NAMES) != NULL;
}

/* The dump of before must not be found where a new one dies before its first bytes. */
static int raw_create(struct target *target, const char *name, struct target_file *file_ret)
{
	struct raw *raw = target->priv;
	const uint64_t offset = is_log(name) ? raw->dir.area + RAW_LOG_AT : 0;
	_close_ int fd = -1;
	struct raw_file *file;
	int err;

	if (!after_prefix(name, DUMP_NAMES) || !(file = entry(raw, name)))
		return fail_raw(target, -EOPNOTSUPP, "make", name);
	/* One of its own, for the position. */
	fd = open(target->device.node, O_RDWR | O_CLOEXEC);
	if (fd < 0 || lseek(fd, (off_t)offset, SEEK_SET) < 0)
		return fail_raw(target, -errno, "make", name);
	file->state = RAW_WRITING;
	file->digested = false;
	file->offset = offset;
	file->bytes = 0;
	err = is_log(name) ? 0 : raw_clear_head(raw->fd);
	if (err)
		return fail_raw(target, err, "make room for", name);
	err = store(target, name);
	if (err)
		return err;
	*file_ret = (struct target_file){ .fd = take_fd(&fd), .stale = true };
	if (!is_log(name))
		file_ret->limit = raw->dir.area;
	snprintf(file_ret->name, sizeof(file_ret->name), "%s", name);
	return 0;
}

/* The digest of what is on the device, not of what was meant to be. */
static int digest(int fd, struct raw_file *file)
{
	_free_ uint8_t *buf = malloc(DIGEST_BYTES);
	struct sha256 sha;

	if (!buf)
		return -ENOMEM;
	sha256_init(&sha);
	posix_fadvise(fd, (off_t)file->offset, (off_t)file->bytes, POSIX_FADV_DONTNEED);
	for (uint64_t at = 0; at < file->bytes;) {
		ssize_t n = io_pread_full(fd, buf, MIN(file->bytes - at, (uint64_t)DIGEST_BYTES),
					  file->offset + at);

		if (n <= 0)
			return n ? (int)n : -EIO;
		sha256_update(&sha, buf, n);
		at += n;
	}
	sha256_final(&sha, file->sha256);
	file->digested = true;
	return 0;
}

/* How long it came to be, durable; of the small ones the digest. */
static int settle(struct target_file *file, struct raw_file *entry_ret)
{
	const off_t at = lseek(file->fd, 0, SEEK_CUR);

	if (at < 0 || fsync(file->fd))
		return -errno;
	if (!is_log(file->name)) {
		entry_ret->bytes = file->end;
		return 0;
	}
	entry_ret->bytes = (uint64_t)at - entry_ret->offset;
	return digest(file->fd, entry_ret);
}

static int raw_commit(struct target *target, struct target_file *file, const char *final_name)
{
	struct raw *raw = target->priv;
	struct raw_file *entry = raw_find(&raw->dir, file->name);
	int err = entry ? settle(file, entry) : -ENOENT;
	uint64_t bytes;

	close(take_fd(&file->fd));
	if (err)
		return fail_raw(target, err, "save", final_name);
	bytes = entry->bytes;
	memset(entry->name, 0, sizeof(entry->name));
	snprintf(entry->name, sizeof(entry->name), "%s", final_name);
	entry->state = RAW_COMPLETE;
	err = store(target, final_name);
	/* The manifest will have it so; its data is there, and how much of it is known. */
	entry = err ? raw_find(&raw->dir, file->name) : NULL;
	if (entry) {
		entry->state = RAW_INCOMPLETE;
		entry->bytes = bytes;
	}
	return err;
}

static void forget(struct raw_dir *dir, struct raw_file *file)
{
	const size_t i = file - dir->files;

	memmove(file, file + 1, (dir->nr - i - 1) * sizeof(*file));
	memset(&dir->files[--dir->nr], 0, sizeof(*file));
}

static int raw_abandon(struct target *target, struct target_file *file)
{
	struct raw *raw = target->priv;
	struct raw_file *entry = raw_find(&raw->dir, file->name);
	int err = entry ? settle(file, entry) : -ENOENT;

	close(take_fd(&file->fd));
	if (err)
		return fail_raw(target, err, "save", file->name);
	entry->state = RAW_INCOMPLETE;
	if (!entry->bytes)
		forget(&raw->dir, entry);
	return store(target, file->name);
}

/* Into the place that is not in use, so that the old one or the new one is there. */
static int raw_replace(struct target *target, const char *name, const char *data, size_t len)
{
	struct raw *raw = target->priv;
	struct raw_file *file = entry(raw, name);
	const uint64_t first = raw->dir.area + RAW_MANIFEST_AT;
	struct sha256 sha;
	uint64_t at;
	int err;

	if (!file || len > RAW_MANIFEST_BYTES)
		return fail_raw(target, -EFBIG, "write", name);
	at = file->offset == first ? first + RAW_MANIFEST_BYTES : first;
	err = io_pwrite_full(raw->fd, data, len, at);
	if (!err && fsync(raw->fd))
		err = -errno;
	if (err)
		return fail_raw(target, err, "write", name);
	file->state = RAW_COMPLETE;
	file->offset = at;
	file->bytes = len;
	file->digested = true;
	sha256_init(&sha);
	sha256_update(&sha, data, len);
	sha256_final(&sha, file->sha256);
	return store(target, name);
}

static int raw_bytes(struct target *target, const char *name, uint64_t *bytes_ret)
{
	struct raw *raw = target->priv;
	const struct raw_file *file = raw_find(&raw->dir, name);

	if (!file)
		return -ENOENT;
	*bytes_ret = file->bytes;
	return 0;
}

static int raw_sync(struct target *target)
{
	const struct raw *raw = target->priv;

	return raw && fsync(raw->fd) ? fail_raw(target, -errno, "flush", "the raw device") : 0;
}

static int raw_close(struct target *target)
{
	struct raw *raw = target->priv;
	int err = 0;

	if (!raw)
		return 0;
	target->priv = NULL;
	if (raw->fd >= 0) {
		err = fsync(raw->fd) ? -errno : 0;
		close(raw->fd);
	}
	free(raw);
	return err ? fail_raw(target, err, "flush", "the raw device") : 0;
}

const struct target_ops target_raw_ops = {
	.name = "raw partition",
	.types = raw_types,
	.wait = block_wait,
	.open = raw_open,
	.make_dir = raw_make_dir,
	.reopen = raw_reopen,
	.space = raw_space,
	.create = raw_create,
	.commit = raw_commit,
	.abandon = raw_abandon,
	.replace = raw_replace,
	.bytes = raw_bytes,
	.sync = raw_sync,
	.close = raw_close,
};
