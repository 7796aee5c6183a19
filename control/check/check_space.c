// SPDX-License-Identifier: GPL-2.0-or-later
/* check: whether a dump of the memory as it is now has room. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "control/check/check.h"
#include "control/check/kept.h"
#include "lib/cleanup.h"
#include "lib/io.h"

#define LEAST_MIB	64u
#define ASSUMED_PERCENT 50u /* on the safe side: a kernel's own memory mostly packs better */

static uint64_t memory_total(const struct check *c)
{
	_free_ char *path = ctl_path(c->sys.in, "/proc/meminfo"), *text = NULL;
	const char *total;

	if (!path || io_read_file(path, 64u << 10, &text, NULL))
		return 0;
	total = strstr(text, "MemTotal:");
	return total ? strtoull(total + strlen("MemTotal:"), NULL, 10) << 10 : 0;
}

/* Once for all targets: it takes seconds. */
static void find_need(struct check *c)
{
	struct check_need *n = &c->need;
	const struct history *h = &c->history;

	if (n->tried)
		return;
	n->tried = true;
	n->total = memory_total(c);
	n->level = kept_level(c->config.core_collector);
	n->err = kept_count(c->sys.in, n->level, &n->kept);
	n->measured = h->file_bytes && h->memory_bytes;
	n->percent = n->measured ?
			     (unsigned)((double)h->file_bytes * 100 / (double)h->memory_bytes + 1) :
			     ASSUMED_PERCENT;
	n->bytes = (uint64_t)((double)n->kept * n->percent / 100);
}

/* All memory is the most that a dump can need. */
static void tell_most(struct check *c, const struct check_target *s, uint64_t free_mib)
{
	const struct check_need *n = &c->need;
	const char *why = n->err == -ETIMEDOUT ? "counting took too long" :
			  n->err == -ENOENT    ? "there is no vmcore-save or /proc/kcore" :
						 "vmcore-save cannot read /proc/kcore";

	if (free_mib < LEAST_MIB)
		check_tell(c, s->bad, "space", "make room", "%" PRIu64 " MiB are free in %s",
			   free_mib, s->where);
	else if (n->total && s->free_bytes < n->total)
		check_tell(c, CHECK_WARN, "space", "see \"vmcore-save --mem-usage /proc/kcore\"",
			   "%" PRIu64 " MiB are free in %s, of memory there are %" PRIu64
			   ", so a dump may not fit; what it would hold is not known, for %s",
			   free_mib, s->where, n->total >> 20, why);
	else if (n->total)
		check_tell(c, CHECK_OK, "space", "",
			   "%" PRIu64 " MiB are free in %s, more than all "
			   "memory",
			   free_mib, s->where);
}

void check_room(struct check *c, const struct check_target *s)
{
	const uint64_t free_mib = s->free_bytes >> 20;
	const struct check_need *n = &c->need;
	enum check_verdict verdict;
	const char *hint;

	if (!s->has_room)
		return;
	find_need(c);
	if (n->err || free_mib < LEAST_MIB) {
		tell_most(c, s, free_mib);
		return;
	}
	verdict = s->free_bytes < n->bytes     ? s->bad :
		  s->free_bytes / 2 < n->bytes ? CHECK_WARN :
						 CHECK_OK;
	hint = verdict == CHECK_OK ? "" :
	       n->level != KEPT_ALL_LEVELS ?
				     "make room, or keep less: core_collector vmcore-save -d 31" :
				     "make room, or name another target";
	check_tell(c, verdict, "space", hint,
		   "%" PRIu64 " MiB are free in %s; a dump now would take about %" PRIu64
		   " (%" PRIu64 " of %" PRIu64 " MiB kept at level %u, packed to %u %%, %s)",
		   free_mib, s->where, n->bytes >> 20, n->kept >> 20, n->total >> 20, n->level,
		   n->percent, n->measured ? "as the last dump was" : "which is assumed");
}
