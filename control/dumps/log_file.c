// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/dumps/log_file.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "control/text.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"

/* How the kernel begins to report what ends in a panic; see also capture/report/log_text.c. */
static const char *const signs[] = {
	"Kernel panic - not syncing",
	"BUG: ",
	"kernel BUG at ",
	"Oops",
	"Unable to handle kernel",
	"general protection fault",
	"sysrq: Trigger a crash",
};

static size_t line_start(const char *text, const char *at)
{
	const char *newline = memrchr(text, '\n', (size_t)(at - text));

	return newline ? (size_t)(newline + 1 - text) : 0;
}

static size_t last_lines(const char *text, size_t len, unsigned lines)
{
	size_t at = len && text[len - 1] == '\n' ? len - 1 : len;
	const char *newline = text + at;

	while (lines-- && (newline = memrchr(text, '\n', (size_t)(newline - text))))
		;
	return newline && at ? (size_t)(newline + 1 - text) : 0;
}

size_t log_file_end(const char *text, size_t len, const char *panic_line)
{
	const char *first = panic_line ? memmem(text, len, panic_line, strlen(panic_line)) : NULL;
	size_t limit = first ? (size_t)(first - text) + strlen(panic_line) : len;

	for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
		const char *at = memmem(text, limit, signs[i], strlen(signs[i]));

		if (at && (!first || at < first))
			first = at;
	}
	return first ? line_start(text, first) : last_lines(text, len, LOG_FILE_LINES);
}

static void print_lines(const char *text, size_t len, unsigned most, FILE *to)
{
	unsigned nr = 0, left = 0;

	while (len) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline ? (size_t)(newline - text) : len;

		if (nr < most) {
			text_put(to, text, n);
			fputc('\n', to);
			nr++;
		} else {
			left++;
		}
		n += newline != NULL;
		text += n;
		len -= n;
	}
	if (left)
		fprintf(to, "(%u more lines: --log)\n", left);
}

/* The end of it where there is more than counts. */
static int read_log(int fd, char **text_ret, size_t *len_ret)
{
	_free_ char *text = NULL;
	struct stat sb;
	size_t len;
	ssize_t n;

	if (fstat(fd, &sb))
		return -errno;
	if (!S_ISREG(sb.st_mode))
		return -EINVAL;
	len = MIN((uint64_t)sb.st_size, (uint64_t)LOG_FILE_MAX_BYTES);
	text = malloc(len + 1);
	if (!text)
		return -ENOMEM;
	n = io_pread_full(fd, text, len, (uint64_t)sb.st_size - len);
	if (n < 0)
		return (int)n;
	*text_ret = take_ptr(text);
	*len_ret = (size_t)n;
	return 0;
}

int log_file_print(int fd, bool all, const char *panic_line, FILE *to)
{
	_free_ char *text = NULL;
	size_t len = 0, at;
	int err = read_log(fd, &text, &len);

	if (err)
		return err;
	at = all ? 0 : log_file_end(text, len, panic_line);
	fputs("\n", to);
	print_lines(text + at, len - at, all ? UINT32_MAX : LOG_FILE_LINES, to);
	return 0;
}
