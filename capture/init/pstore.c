// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/pstore.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"

#define ROOM_GUESS (16u << 10)
#define ROOM_MAX   (256u << 10)

/* Of fs/pstore/ram_core.c: each zone begins with this. What is beyond the rest of it would
 * push out what was written first. */
#define ZONE_HEADER 12u
#define OUR_LINE    "vmcore-save " VMCORE_SAVE_VERSION ": the end of the crashed kernel's log:\n"

size_t pstore_room(void)
{
	static const struct {
		const char *path;
		unsigned unit;
	} sizes[] = {
		{ "/sys/module/ramoops/parameters/pmsg_size", 1 },
		{ "/sys/module/pstore_blk/parameters/pmsg_size", 1024 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_free_ char *text = NULL;
		unsigned long size;

		if (io_read_file(sizes[i].path, 64, &text, NULL))
			continue;
		size = strtoul(text, NULL, 10);
		if (size > 0 && size <= ROOM_MAX / sizes[i].unit)
			return size * sizes[i].unit - MIN(size * sizes[i].unit, ZONE_HEADER);
		if (size)
			return ROOM_MAX;
	}
	return ROOM_GUESS;
}

int pstore_keep_log(const char *root)
{
	_free_ char *backend = NULL;
	char path[PATH_MAX];
	int err;

	snprintf(path, sizeof(path), "%s/sys/module/pstore/parameters/backend", root);
	err = io_read_file(path, 64, &backend, NULL);
	if (err)
		return err == -ENOENT ? -ENODEV : err;
	if (!streq(backend, "erst\n"))
		return -ENODEV;
	snprintf(path, sizeof(path), "%s/sys/module/printk/parameters/always_kmsg_dump", root);
	return io_write_file(path, "Y");
}

/* The last bytes of what comes through, oldest first. Return: how many, or -errno. */
static ssize_t keep_tail(int fd, char *ring, size_t size)
{
	uint64_t total = 0;
	ssize_t n;

	while ((n = read(fd, ring + total % size, size - total % size)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		total += n;
	}
	if (total <= size)
		return total;
	/* Turn it so that it begins at 0: three times the other way round. */
	for (int part = 0; part < 3; part++) {
		size_t from = part == 1 ? total % size : 0;
		size_t to = part == 0 ? total % size : size;

		for (; from + 1 < to; from++, to--) {
			char c = ring[from];

			ring[from] = ring[to - 1];
			ring[to - 1] = c;
		}
	}
	return size;
}

static pid_t start_writer(int (*save_log)(void *ctx, int fd), void *ctx, int *fd_ret)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		_exit(save_log(ctx, ends[1]) ? 1 : 0);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return -errno;
	}
	*fd_ret = ends[0];
	return pid;
}

static int read_tail(int (*save_log)(void *ctx, int fd), void *ctx, char *tail, size_t size)
{
	_close_ int fd = -1;
	pid_t pid = start_writer(save_log, ctx, &fd);
	int status = 0;
	ssize_t n;

	if (pid < 0)
		return pid;
	n = keep_tail(fd, tail, size);
	if (waitpid(pid, &status, 0) == pid && n == 0)
		return -ENODATA;
	return n;
}

int pstore_save(const char *device, int (*save_log)(void *ctx, int fd), void *ctx, size_t bytes,
		size_t *saved_ret)
{
	_close_ int fd = open(device, O_WRONLY | O_CLOEXEC);
	size_t own = strlen(OUR_LINE), skip = 0;
	_free_ char *buf = NULL;
	char *tail, *eol;
	int n, err;

	if (fd < 0)
		return -errno;
	if (bytes <= own)
		return -ENOSPC;
	buf = malloc(bytes);
	if (!buf)
		return -ENOMEM;
	tail = buf + own;
	n = read_tail(save_log, ctx, tail, bytes - own);
	if (n < 0)
		return n;
	eol = (size_t)n == bytes - own ? memchr(tail, '\n', n) : NULL;
	if (eol && eol + 1 < tail + n)
		skip = eol + 1 - tail;
	/* One write, which is one message for backends that keep them apart. */
	memmove(buf + skip, OUR_LINE, own);
	err = io_write_full(fd, buf + skip, own + n - skip);
	if (!err)
		*saved_ret = n - skip;
	return err;
}
