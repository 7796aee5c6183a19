// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/log.h"

#define CHUNK	    (1u << 20)
#define PROGRESS_MS 500

static void show_progress(uint64_t done, uint64_t all)
{
	fprintf(stderr, "\r%3u%% read", all ? (unsigned)((double)done * 100 / (double)all) : 0);
	if (done >= all)
		fputs("\r\033[K", stderr);
}

int digest_fd(int fd, uint64_t all, char hex[SHA256_HEX_BYTES])
{
	const bool tell = isatty(STDERR_FILENO);
	uint8_t sum[SHA256_DIGEST_BYTES];
	_free_ char *buf = malloc(CHUNK);
	uint64_t done = 0, told_ms = clock_ms();
	bool told = false;
	struct sha256 s;
	ssize_t n;

	if (!buf)
		return -ENOMEM;
	sha256_init(&s);
	while ((n = io_read_full(fd, buf, CHUNK)) > 0) {
		sha256_update(&s, buf, (size_t)n);
		done += (uint64_t)n;
		if (tell && clock_ms() - told_ms >= PROGRESS_MS) {
			told_ms = clock_ms();
			told = true;
			show_progress(done < all ? done : all - 1, all);
		}
	}
	if (told)
		show_progress(all, all);
	if (n < 0)
		return (int)n;
	sha256_final(&s, sum);
	sha256_hex(sum, hex);
	return 0;
}

int digest_file(const char *path, char hex[SHA256_HEX_BYTES])
{
	_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat sb;
	int err = fd < 0 || fstat(fd, &sb) ? -errno : 0;

	if (!err && !S_ISREG(sb.st_mode))
		err = -EINVAL;
	if (!err) {
		posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
		err = digest_fd(fd, (uint64_t)sb.st_size, hex);
	}
	if (err)
		log_error("cannot read the dump: %s", strerror(-err));
	return err;
}
