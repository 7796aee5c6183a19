/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One kdump-compressed dump made of the files of a split one. */
#ifndef CAPTURE_DUMP_REASSEMBLE_H
#define CAPTURE_DUMP_REASSEMBLE_H

#include "capture/dump/dump.h"

/** struct reassemble_input - One file, in any order. @fd is borrowed; @name is for messages. */
struct reassemble_input {
	int fd;
	const char *name;
};

/**
 * reassemble() - Copy all pages of @inputs, as they are packed, into one dump.
 * @nr: 1 to DUMP_SPLITS_MAX
 * @incomplete_ret: whether one of them is marked incomplete, and so the result
 * @stats_ret: planned_pages, kept_pages, zero_pages, unreadable_pages, first_read_errno,
 *	bytes_out and file_size
 *
 * Files that makedumpfile split are taken as well as our own. A page whose descriptor is
 * impossible or whose data cannot be read is left out and counted as unreadable.
 *
 * Return: 0; -EBADMSG a file is no part of a split dump, or of another one than the others,
 * or one is missing; -ENOMEM; -EIO …; the sink's -errno. All but the sink's are logged.
 */
int reassemble(struct reassemble_input *inputs, unsigned nr, const struct dump_sink *sink,
	       bool *incomplete_ret, struct dump_stats *stats_ret);

#endif
