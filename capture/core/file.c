// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/core/file.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "capture/core/mapping.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

/* What is read ahead, and what is mapped, where the reads do not follow each other. */
#define SCATTERED_BYTES	    16384u
#define SCATTERED_MAP_BYTES (256u * 1024)

/*
 * @map, @map_start, @map_len: the window that is mapped, and its offset in the file
 * @map_failed: the file cannot be mapped; it is read from then on
 * @buf_start, @buf_len: what the buffer holds
 */
struct file_view {
	const struct core_file *file;
	struct flat_cursor cursor;

	uint8_t *map;
	uint64_t map_start;
	size_t map_len;
	bool map_failed;

	uint8_t *buf;
	size_t buf_size, buf_len;
	uint64_t buf_start;
};

static int find_size(struct core_file *file)
{
	struct statfs fs;
	struct stat st;
	off_t end;

	file->in_proc = fstatfs(file->fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
	if (fstat(file->fd, &st)) {
		end = -1;
	} else if (S_ISREG(st.st_mode)) {
		end = st.st_size; /* of /proc/vmcore as well */
		file->regular = true;
	} else {
		end = lseek(file->fd, 0, SEEK_END); /* a raw partition */
	}
	if (end < 0) {
		int err = -errno;

		log_error("%s: cannot find its size: %s", file->name, strerror(-err));
		return err;
	}
	file->raw_size = file->size = (uint64_t)end;
	file->mtime = (uint64_t)st.st_mtime;
	return 0;
}

static int find_records(struct core_file *file)
{
	struct file_view *view;
	uint8_t head[16];
	int err = file_view_create(file, 0, &view);

	if (err)
		return err;
	if (file_view_raw(view, 0, head, sizeof(head)) == 0 && flat_matches(head)) {
		err = flat_index_create(file, view, &file->flat);
		if (!err)
			file->size = file->flat->end;
	}
	file_view_destroy(view);
	return err;
}

int core_file_open(int fd, const char *name, struct core_file **file_ret)
{
	struct core_file *file = calloc(1, sizeof(*file));
	int err;

	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	file->fd = fd;
	file->name = strdup(name);
	err = file->name ? find_size(file) : -ENOMEM;
	if (!err)
		err = find_records(file);
	if (err) {
		core_file_close(file);
		return err;
	}
	*file_ret = file;
	return 0;
}

void core_file_close(struct core_file *file)
{
	if (!file)
		return;
	close(file->fd);
	flat_index_destroy(file->flat);
	free(file->name);
	free(file);
}

uint64_t core_file_next_data(const struct core_file *file, uint64_t offset)
{
	off_t next;

	if (offset >= file->size)
		return UINT64_MAX;
	if (file->flat)
		return flat_next(file->flat, offset);
	if (!file->regular)
		return offset;
	next = lseek(file->fd, (off_t)offset, SEEK_DATA);
	if (next < 0)
		return errno == ENXIO ? UINT64_MAX : offset;
	return (uint64_t)next;
}

int file_view_create(const struct core_file *file, size_t read_ahead, struct file_view **view_ret)
{
	struct file_view *view = calloc(1, sizeof(*view));

	if (!view)
		return -ENOMEM;
	view->file = file;
	view->buf_size = read_ahead;
	*view_ret = view;
	return 0;
}

static void unmap(struct file_view *view)
{
	if (view->map)
		munmap(view->map, view->map_len);
	view->map = NULL;
	view->map_len = 0;
}

void file_view_destroy(struct file_view *view)
{
	if (!view)
		return;
	unmap(view);
	free(view->buf);
	free(view);
}

/*
 * Bytes of the file now: behind its end the last page of a mapping reads as zero, which
 * must not pass for memory where the file has become shorter.
 */
static uint64_t size_now(const struct core_file *file)
{
	struct stat st;

	if (!file->regular)
		return file->raw_size;
	return fstat(file->fd, &st) ? 0 : MIN(file->raw_size, (uint64_t)st.st_size);
}

/* Map the window that holds @offset. Return: 0, -EIO, or 1 where it cannot be mapped. */
static int map_window(struct file_view *view, uint64_t offset)
{
	bool follows = view->map && offset >= view->map_start &&
		       offset - view->map_start <= view->map_len + CORE_MAP_BYTES;
	uint64_t window = follows ? CORE_MAP_BYTES : SCATTERED_MAP_BYTES;
	uint64_t start = offset - offset % window, size = size_now(view->file);
	size_t len;
	void *map;

	unmap(view);
	if (offset >= size)
		return -EIO;
	len = MIN(size - start, window);
	map = mmap(NULL, len, PROT_READ, MAP_SHARED, view->file->fd, (off_t)start);
	if (map == MAP_FAILED || mapping_prepare()) {
		log_debug("%s: cannot be mapped, so it is read: %s", view->file->name,
			  strerror(errno));
		if (map != MAP_FAILED)
			munmap(map, len);
		view->map_failed = true;
		return 1;
	}
	view->map = map;
	view->map_start = start;
	view->map_len = len;
	return 0;
}

/* Copy as much as the window at @offset has. Return: as map_window(). */
static int copy_window(struct file_view *view, uint64_t offset, void *buf, size_t len,
		       size_t *done_ret)
{
	uint64_t in = offset - view->map_start;

	if (!view->map || offset < view->map_start || in >= view->map_len) {
		int err = map_window(view, offset);

		if (err)
			return err;
		in = offset - view->map_start;
	}
	*done_ret = MIN(len, view->map_len - in);
	return mapping_copy(buf, view->map + in, *done_ret);
}

static int read_at(const struct core_file *file, uint64_t offset, void *buf, size_t len)
{
	ssize_t n = io_pread_full(file->fd, buf, len, offset);

	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -EIO; /* the file shrank */
}

/* Fill the buffer from @offset on. Return: 0, -errno. */
static int fill_buffer(struct file_view *view, uint64_t offset, size_t need)
{
	const struct core_file *file = view->file;
	bool follows = view->buf_len && offset >= view->buf_start &&
		       offset - view->buf_start <= view->buf_len + SCATTERED_BYTES;
	size_t want = follows ? view->buf_size : MIN(view->buf_size, (size_t)SCATTERED_BYTES);
	ssize_t n;

	if (!view->buf) {
		view->buf = malloc(view->buf_size);
		if (!view->buf)
			return -ENOMEM;
	}
	view->buf_len = 0;
	want = MAX(want, need);
	want = MIN(want, file->raw_size - offset);
	n = io_pread_full(file->fd, view->buf, want, offset);
	if (n < 0 && want > need) /* the error may lie in what nobody asked for */
		n = io_pread_full(file->fd, view->buf, need, offset);
	if (n < 0)
		return (int)n;
	view->buf_start = offset;
	view->buf_len = (size_t)n;
	return (size_t)n < need ? -EIO : 0;
}

static int read_buffered(struct file_view *view, uint64_t offset, void *buf, size_t len)
{
	if (len >= view->buf_size)
		return read_at(view->file, offset, buf, len);
	if (!view->buf || offset < view->buf_start ||
	    !range_within(offset - view->buf_start, len, view->buf_len)) {
		int err = fill_buffer(view, offset, len);

		if (err)
			return err;
	}
	memcpy(buf, view->buf + (offset - view->buf_start), len);
	return 0;
}

int file_view_raw(struct file_view *view, uint64_t offset, void *buf, size_t len)
{
	if (!range_within(offset, len, view->file->raw_size))
		return -ENODATA;
	while (len && view->file->map && !view->map_failed) {
		size_t n;
		int err = copy_window(view, offset, buf, len, &n);

		if (err < 0)
			return err;
		if (err)
			break;
		buf = (char *)buf + n;
		offset += n;
		len -= n;
	}
	return len ? read_buffered(view, offset, buf, len) : 0;
}

/* The next piece of at most @len bytes that is in one place. Return: as file_view_read(). */
static int read_piece(struct file_view *view, uint64_t offset, void *buf, size_t len,
		      size_t *piece_ret)
{
	const struct core_file *file = view->file;
	uint64_t raw = offset, n;
	int err = 0;

	if (file->flat)
		err = flat_find(file->flat, &view->cursor, view, offset, &raw, &n);
	else if (offset < file->size)
		n = file->size - offset;
	else
		n = UINT64_MAX, err = -ENODATA;
	if (err && err != -ENODATA)
		return err;
	*piece_ret = MIN(n, len);
	return err ? err : file_view_raw(view, raw, buf, *piece_ret);
}

static int read_pieces(struct file_view *view, uint64_t offset, void *buf, size_t len, bool pad)
{
	while (len) {
		size_t n;
		int err = read_piece(view, offset, buf, len, &n);

		if (err == -ENODATA && pad)
			memset(buf, 0, n);
		else if (err)
			return err;
		buf = (char *)buf + n;
		offset += n;
		len -= n;
	}
	return 0;
}

int file_view_read(struct file_view *view, uint64_t offset, void *buf, size_t len)
{
	if (!range_within(offset, len, view->file->size))
		return -ENODATA;
	return read_pieces(view, offset, buf, len, false);
}

int file_view_read_padded(struct file_view *view, uint64_t offset, void *buf, size_t len)
{
	if (!range_within(offset, len, UINT64_MAX))
		return -ENODATA;
	return read_pieces(view, offset, buf, len, true);
}
