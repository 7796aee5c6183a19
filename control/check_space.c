// SPDX-License-Identifier: GPL-2.0-or-later
/* check: whether a dump has room. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "control/check.h"
#include "lib/cleanup.h"
#include "lib/io.h"

/* Where no target is named, what holds the path is mounted and can be asked; all memory is the
 * most that a dump can need. */
void check_space(struct check *c)
{
	_free_ char *path = ctl_path(c->sys.in, c->config.path), *info = NULL, *text = NULL;
	const char *total;
	struct statvfs fs;
	uint64_t free_mb, memory_mb;

	info = ctl_path(c->sys.in, "/proc/meminfo");
	if (c->config.nr_targets || !path || !info || io_read_file(info, 64u << 10, &text, NULL))
		return;
	total = strstr(text, "MemTotal:");
	if (!total)
		return;
	memory_mb = strtoull(total + strlen("MemTotal:"), NULL, 10) >> 10;
	while (statvfs(path, &fs)) {
		char *slash = strrchr(path, '/');

		if (!slash || slash == path)
			return;
		*slash = '\0';
	}
	free_mb = (uint64_t)fs.f_bavail * fs.f_frsize >> 20;
	if (free_mb < 64)
		check_tell(c, CHECK_FAIL, "space", "make room", "%" PRIu64 " MiB are free in %s",
			   free_mb, c->config.path);
	else if (free_mb < memory_mb)
		check_tell(c, CHECK_WARN, "space", "see \"vmcore-save --mem-usage /proc/kcore\"",
			   "%" PRIu64 " MiB are free in %s, of memory there are %" PRIu64
			   ", so a dump may not fit",
			   free_mb, c->config.path, memory_mb);
	else
		check_tell(c, CHECK_OK, "space", "", "%" PRIu64 " MiB are free in %s", free_mb,
			   c->config.path);
}
