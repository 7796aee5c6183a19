// SPDX-License-Identifier: GPL-2.0-or-later
/* check: whether a dump has room. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "control/check.h"
#include "lib/cleanup.h"
#include "lib/io.h"

/* All memory is the most that a dump can need. */
void check_room(struct check *c, const struct check_target *s)
{
	_free_ char *info = ctl_path(c->sys.in, "/proc/meminfo"), *text = NULL;
	const char *total, *where = s->target ? s->where : c->config.path;
	const uint64_t free_mb = s->free_bytes >> 20;
	uint64_t memory_mb;

	if (!s->has_room || !info || io_read_file(info, 64u << 10, &text, NULL))
		return;
	total = strstr(text, "MemTotal:");
	if (!total)
		return;
	memory_mb = strtoull(total + strlen("MemTotal:"), NULL, 10) >> 10;
	if (free_mb < 64)
		check_tell(c, s->bad, "space", "make room", "%" PRIu64 " MiB are free in %s",
			   free_mb, where);
	else if (free_mb < memory_mb)
		check_tell(c, CHECK_WARN, "space", "see \"vmcore-save --mem-usage /proc/kcore\"",
			   "%" PRIu64 " MiB are free in %s, of memory there are %" PRIu64
			   ", so a dump may not fit",
			   free_mb, where, memory_mb);
	else
		check_tell(c, CHECK_OK, "space", "", "%" PRIu64 " MiB are free in %s", free_mb,
			   where);
}
