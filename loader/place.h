/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the segments of a kexec_load(2) go. Pure: it knows a list of free ranges, no machine. */
#ifndef LOADER_PLACE_H
#define LOADER_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/iomem.h"

/* The kernel wants every segment to begin and end at a page (sanity_check_segment_list()). */
#define PLACE_PAGE 4096ULL

/* A sentence that says what did not work is at most this long, its NUL included. */
#define WHY_SIZE 512

/**
 * struct place - What is still free. place_take() makes it smaller.
 * @free: sorted ranges that do not overlap; owned
 * @what: what the ranges are, for sentences: "the memory reserved by crashkernel="
 * @min: no segment begins below
 * @max: no segment's end is above, exclusive
 */
struct place {
	struct iomem free;
	const char *what;
	uint64_t min, max;
};

/**
 * struct place_want - One segment to be.
 * @name: for sentences: "the kernel"
 * @len: bytes, rounded up to whole pages
 * @align: a power of two, at least a page; 0 is a page
 * @min: lowest first byte
 * @max: highest end, exclusive; 0 is no limit
 * @top: take the highest place that fits, not the lowest
 */
struct place_want {
	const char *name;
	uint64_t len;
	uint64_t align;
	uint64_t min, max;
	bool top;
};

/**
 * place_take() - Find room and take it out of what is free.
 * @why: WHY_SIZE bytes, gets a sentence with the numbers where nothing fits
 *
 * Return: 0; -EADDRNOTAVAIL; -EINVAL @want makes no sense; -ENOMEM.
 */
int place_take(struct place *place, const struct place_want *want, uint64_t *addr_ret, char *why);

/** place_take_at() - Take exactly [@addr, @addr + @len), which was chosen by something else.
 * Return: as place_take(). */
int place_take_at(struct place *place, const struct place_want *want, uint64_t addr, char *why);

/** place_largest() - The longest stretch that is free within the limits, bytes. */
uint64_t place_largest(const struct place *place);

#endif
