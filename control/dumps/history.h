/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What earlier captures tell about the next one: how much memory they took, how well they packed.
 */
#ifndef CONTROL_DUMPS_HISTORY_H
#define CONTROL_DUMPS_HISTORY_H

#include <stdint.h>

#include "control/dumps/records.h"

#define HISTORY_CAPTURES 8u /* of a kernel; older ones were made by another image */

/**
 * struct history - By the manifests of dumps that can be found from here.
 * @captures: how many of the kernel have told of their memory, of its newest HISTORY_CAPTURES
 * @peak_kib: the most that one of these had in use at once, of what the kernel had left it
 * @total_kib: what it had left that one
 * @spare_kib: what the newest of these had left at its tightest
 * @file_bytes, @memory_bytes: the newest complete dump of any kernel, as it was written and as its
 *	pages were in memory, without those of zeros; 0 where there is none
 */
struct history {
	unsigned captures;
	uint64_t peak_kib, total_kib, spare_kib;
	uint64_t file_bytes, memory_bytes;
};

/** history_of() - @release: of the kernel; @page_size: of dumps that do not tell theirs */
void history_of(const struct dumps *dumps, const char *release, uint64_t page_size,
		struct history *ret);

/**
 * history_read() - Look for dumps and read them, in limited time.
 * Return: 0; -ETIMEDOUT, -errno, not logged: then *@ret is empty.
 */
int history_read(const struct invocation *in, const char *release, struct history *ret);

#endif
