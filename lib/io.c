// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/util.h"

/* At the file position where @offset is NULL. */
static ssize_t read_all(int fd, void *buf, size_t len, const uint64_t *offset)
{
	size_t done = 0;

	while (done < len) {
		char *at = (char *)buf + done;
		ssize_t n = offset ? pread(fd, at, len - done, *offset + done) :
				     read(fd, at, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += n;
	}
	return done;
}

static int write_all(int fd, const void *buf, size_t len, const uint64_t *offset)
{
	size_t done = 0;

	while (done < len) {
		const char *at = (const char *)buf + done;
		ssize_t n = offset ? pwrite(fd, at, len - done, *offset + done) :
				     write(fd, at, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		done += n;
	}
	return 0;
}

ssize_t io_read_full(int fd, void *buf, size_t len)
{
	return read_all(fd, buf, len, NULL);
}

ssize_t io_pread_full(int fd, void *buf, size_t len, uint64_t offset)
{
	return read_all(fd, buf, len, &offset);
}

int io_write_full(int fd, const void *buf, size_t len)
{
	return write_all(fd, buf, len, NULL);
}

int io_pwrite_full(int fd, const void *buf, size_t len, uint64_t offset)
{
	return write_all(fd, buf, len, &offset);
}

int io_read_file(const char *path, size_t max, char **data_ret, size_t *len_ret)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_free_ char *data = NULL;
	size_t len = 0, room = 0;

	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t n;

		if (len + 1 >= room) {
			char *bigger;

			room = room ? room * 2 : 4096;
			bigger = realloc(data, room);
			if (!bigger)
				return -ENOMEM;
			data = bigger;
		}
		n = io_read_full(fd, data + len, room - len - 1);
		if (n < 0)
			return n;
		if (n == 0)
			break;
		len += n;
		if (len > max)
			return -EFBIG;
	}
	data[len] = '\0';
	if (len_ret)
		*len_ret = len;
	*data_ret = take_ptr(data);
	return 0;
}

int io_write_file(const char *path, const char *text)
{
	_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return io_write_full(fd, text, strlen(text));
}
