// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"

/* The one piece of mutable global state: where and how much to print. */
static struct {
	enum log_level level;
	const char *name;
	const char *step;
	uint64_t start_ms;
	int kmsg_fd;
	int kmsg_only;
} log_state = { .level = LOG_LVL_INFO, .kmsg_fd = -1 };

/* What is longer, /dev/kmsg refuses as a whole: 1024 bytes less a prefix of up to 48, which
 * newer kernels do not count (kernel/printk/printk.c: LOG_LINE_MAX, devkmsg_write()). */
#define LINE_BYTES 976

/* kmsg's syslog priority for each level (kernel: include/linux/kern_levels.h). */
static const int kmsg_priority[] = { 3, 4, 6, 7 };

void log_set_level(enum log_level level)
{
	log_state.level = level;
}

enum log_level log_level(void)
{
	return log_state.level;
}

void log_set_name(const char *name)
{
	log_state.name = name;
}

void log_set_step(const char *step)
{
	if (!log_state.start_ms)
		log_state.start_ms = clock_ms();
	log_state.step = step;
}

int log_open_kmsg(int only)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	log_state.kmsg_fd = fd;
	log_state.kmsg_only = only;
	return 0;
}

static int format_prefix(char *buf, size_t size)
{
	const char *name = log_state.name ? log_state.name : "";

	if (log_state.step) {
		uint64_t ms = clock_ms() - log_state.start_ms;

		return snprintf(buf, size, "%s[%3u.%u] %s: ", name, (unsigned)(ms / 1000),
				(unsigned)(ms % 1000 / 100), log_state.step);
	}
	return *name ? snprintf(buf, size, "%s: ", name) : 0;
}

static void write_line(int fd, const char *line, size_t len)
{
	/* A console that is gone or full must not end a capture. */
	while (len) {
		ssize_t n = write(fd, line, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		line += n;
		len -= n;
	}
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	char line[LINE_BYTES];
	int saved_errno = errno;
	size_t len, prio_len;
	va_list ap;

	if (level > log_state.level)
		return;

	prio_len = snprintf(line, sizeof(line), "<%d>", kmsg_priority[level]);
	len = prio_len + format_prefix(line + prio_len, sizeof(line) - prio_len);
	if (len < sizeof(line)) {
		va_start(ap, fmt);
		len += vsnprintf(line + len, sizeof(line) - len, fmt, ap);
		va_end(ap);
	}
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';

	if (log_state.kmsg_fd >= 0)
		write_line(log_state.kmsg_fd, line, len);
	if (log_state.kmsg_fd < 0 || !log_state.kmsg_only)
		write_line(STDERR_FILENO, line + prio_len, len - prio_len);
	errno = saved_errno;
}
