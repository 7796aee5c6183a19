/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How --fetch takes what a raw partition holds. */
#ifndef CAPTURE_FETCH_H
#define CAPTURE_FETCH_H

#include "capture/target/raw_layout.h"

/** struct fetch - A device. @fd, @name: borrowed. */
struct fetch {
	int fd;
	const char *name;
	struct raw_dir dir;
};

/**
 * fetch_save() - Write the capture to a new directory below @parent, named as the capture
 * named it. Every digest that is known is checked; a file that fails keeps a name that says
 * that it is incomplete. Return: 0 all of it is there and right; -errno, logged.
 */
int fetch_save(struct fetch *f, const char *parent);

/** fetch_flattened() - The same with a dump that makedumpfile wrote flattened, from offset 0.
 * Return: 0; -ENODATA no such dump is there, not logged; -errno, logged. */
int fetch_flattened(const struct fetch *f, const char *parent);

/** fetch_dump_end() - Where a dump ends that was not finished: behind the last page that a
 * reader finds in it; @limit where that cannot be told. */
uint64_t fetch_dump_end(int fd, uint64_t limit);

#endif
