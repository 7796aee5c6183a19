// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writing goes on while the device works: each few MiB are handed to it at once, and
 * dropped from the page cache when they have arrived. So a capture kernel's little memory
 * is not flooded with pages that nobody will read, and the sync at the end finds little
 * to do.
 */
#include "capture/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define BEHIND_BYTES (4u << 20)
#define ZERO_BYTES   (8u * 1024) /* they lie in the image, unpacked, too */

/*
 * The kernel tells of an error in writing back once for each open file, to whichever of
 * sync_file_range(2), fdatasync(2) and fsync(2) comes first (errseq_t, kernel 5660e13d2fd6,
 * 4.13), and the page counts as clean after it. So none of them may be ignored: the fsync
 * at the end would find nothing. What is no file on a disk cannot be synced, and need not.
 * EROFS is none of these: it is what fsync(2) says of a file system that has turned read-only
 * after an error, without writing anything (kernel, fs/ext4/fsync.c).
 */
static void note_sync(struct output *o, int ret)
{
	static const int harmless[] = { EINVAL, ESPIPE, ENOSYS, EOPNOTSUPP };

	if (!ret || o->err)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (errno == harmless[i])
			return;
	o->err = -errno;
}

static void write_behind(struct output *o, uint64_t end)
{
	const off_t behind = (off_t)o->behind, ahead = (off_t)o->ahead;

	if (end < o->ahead + BEHIND_BYTES)
		return;
	note_sync(o, sync_file_range(o->fd, ahead, (off_t)end - ahead, SYNC_FILE_RANGE_WRITE));
	if (ahead > behind) { /* a length of 0 would be that of the file */
		note_sync(o, sync_file_range(o->fd, behind, ahead - behind,
					     SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
						     SYNC_FILE_RANGE_WAIT_AFTER));
		posix_fadvise(o->fd, behind, ahead - behind, POSIX_FADV_DONTNEED);
	}
	o->behind = o->ahead;
	o->ahead = end;
}

static void tell_alive(const struct output *o)
{
	if (o->alive)
		o->alive(o->alive_ctx);
}

static int put(struct output *o, uint64_t offset, const void *buf, size_t len)
{
	int err = io_pwrite_full(o->fd, buf, len, offset);

	/* ERESTARTSYS and its like are the kernel's own, which NFS lets out after MNT_FORCE. */
	if (err <= -512)
		err = -EIO;
	if (err)
		return err;
	o->end = MAX(o->end, offset + len);
	write_behind(o, offset + len);
	tell_alive(o);
	return o->err;
}

/* Zeros in [offset, end). */
static int put_zeros(struct output *o, uint64_t offset, uint64_t end)
{
	static const uint8_t zeros[ZERO_BYTES];

	while (offset < end) {
		size_t n = MIN(end - offset, (uint64_t)sizeof(zeros));
		int err = put(o, offset, zeros, n);

		if (err)
			return err;
		offset += n;
	}
	return 0;
}

static int output_write(void *ctx, uint64_t offset, const void *buf, size_t len)
{
	struct output *o = ctx;
	int err = 0;

	if (o->limit && !range_within(offset, len, o->limit))
		return -EFBIG;
	if (o->stale)
		err = put_zeros(o, o->end, offset);
	return err ? err : put(o, offset, buf, len);
}

static int output_read(void *ctx, uint64_t offset, void *buf, size_t len)
{
	struct output *o = ctx;
	ssize_t n = io_pread_full(o->fd, buf, len, offset);

	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -EIO;
}

static int output_reserve(void *ctx, uint64_t offset, uint64_t len)
{
	struct output *o = ctx;

	if (o->limit && !range_within(offset, len, o->limit))
		return -EFBIG;
	if (o->stale)
		return put_zeros(o, o->end, offset + len);
	if (fallocate(o->fd, 0, (off_t)offset, (off_t)len) == 0)
		return 0;
	if (output_is_full(-errno))
		return -errno;
	return put_zeros(o, offset, offset + len); /* a file system without it */
}

static int output_sync(void *ctx)
{
	struct output *o = ctx;

	note_sync(o, fsync(o->fd));
	tell_alive(o);
	return o->err;
}

void output_settle(struct output *o)
{
	note_sync(o, fdatasync(o->fd));
	tell_alive(o);
}

struct dump_sink output_sink(struct output *o)
{
	return (struct dump_sink){
		.write = output_write,
		.read = output_read,
		.reserve = output_reserve,
		.sync = output_sync,
		.ctx = o,
	};
}

int output_restart(struct output *o)
{
	o->behind = o->ahead = o->end = 0;
	o->err = 0;
	if (o->stale)
		return 0; /* the next dump overwrites what it uses */
	return ftruncate(o->fd, 0) ? -errno : 0;
}

bool output_is_full(int err)
{
	return err == -ENOSPC || err == -EFBIG || err == -EDQUOT;
}

int output_flush(FILE *to)
{
	int err;

	errno = 0;
	if (!fflush(to) && !ferror(to))
		return 0;
	err = errno ? -errno : -EIO;
	log_error("%s cannot be written: %s", to == stdout ? "standard output" : "standard error",
		  strerror(-err));
	return err;
}

static bool same_file(const char *path, const struct stat *st, const char *other)
{
	struct stat o;

	if (streq(path, other))
		return true;
	return st && stat(other, &o) == 0 && o.st_dev == st->st_dev && o.st_ino == st->st_ino;
}

int output_check(const char *path, const char *const *others, unsigned nr, bool force)
{
	struct stat out;
	bool there = stat(path, &out) == 0;

	for (unsigned i = 0; i < nr; i++) {
		if (!same_file(path, there ? &out : NULL, others[i]))
			continue;
		log_error("%s and %s are the same file", others[i], path);
		return -EINVAL;
	}
	if (!there)
		return 0; /* open() will tell */
	if (S_ISDIR(out.st_mode)) {
		log_error("%s is a directory", path);
		return -EISDIR;
	}
	if (force && !S_ISREG(out.st_mode)) {
		log_error("%s is not a regular file", path);
		return -EINVAL;
	}
	return 0;
}

int output_open(const char *path, const char *const *others, unsigned nr, bool force, int *fd_ret)
{
	int flags = O_RDWR | O_CREAT | O_CLOEXEC | (force ? O_TRUNC : O_EXCL);
	int fd, err = output_check(path, others, nr, force);

	if (err)
		return err;
	fd = open(path, flags, 0600);
	if (fd < 0) {
		err = -errno;
		if (err == -EEXIST)
			log_error("%s exists; -f overwrites it", path);
		else
			log_error("%s cannot be written: %s", path, strerror(-err));
		return err;
	}
	*fd_ret = fd;
	return 0;
}

void output_discard(const char *path, bool force, int fd)
{
	struct stat st;

	if (!force && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && !st.st_size)
		unlink(path);
	close(fd);
}
