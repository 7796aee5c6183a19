// SPDX-License-Identifier: GPL-2.0-or-later
#include "loader/place.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/util.h"
#include "loader/loader.h"

/* The part of range @i that lies within the limits. Return: whether there is any. */
static bool clip(const struct place *place, size_t i, uint64_t min, uint64_t max,
		 uint64_t *start_ret, uint64_t *end_ret)
{
	const struct iomem_range *r = &place->free.ranges[i];

	*start_ret = MAX(r->start, place->min);
	*start_ret = MAX(*start_ret, min);
	*end_ret = MIN(r->end, place->max);
	if (max)
		*end_ret = MIN(*end_ret, max);
	return *start_ret < *end_ret;
}

uint64_t place_largest(const struct place *place)
{
	uint64_t largest = 0, start, end;

	for (size_t i = 0; i < place->free.nr; i++)
		if (clip(place, i, 0, 0, &start, &end))
			largest = MAX(largest, end - start);
	return largest;
}

/* Within [start, end). Return: whether it fits. */
static bool fit(uint64_t start, uint64_t end, uint64_t len, const struct place_want *want,
		uint64_t align, uint64_t *addr_ret)
{
	uint64_t addr;

	if (want->top) {
		if (len > end)
			return false;
		addr = (end - len) & ~(align - 1);
		if (addr < start)
			return false;
	} else {
		if (__builtin_add_overflow(start, align - 1, &addr))
			return false;
		addr &= ~(align - 1);
		if (addr > end || len > end - addr)
			return false;
	}
	*addr_ret = addr;
	return true;
}

static int explain(const struct place *place, const struct place_want *want, char *why)
{
	char need[32], have[32];
	int n;

	errors_format_size(want->len, need, sizeof(need));
	errors_format_size(place_largest(place), have, sizeof(have));
	n = snprintf(why, WHY_SIZE,
		     "%s takes %s and finds no place in %s, whose largest free piece has %s",
		     want->name, need, place->what, have);
	if (want->min || (want->max && want->max < place->max) || place->min ||
	    place->max != UINT64_MAX)
		snprintf(why + n, WHY_SIZE - n,
			 " (it must lie between 0x%" PRIx64 " and 0x%" PRIx64 ")",
			 MAX(want->min, place->min),
			 want->max ? MIN(want->max, place->max) : place->max);
	return -EADDRNOTAVAIL;
}

static int round_len(const struct place_want *want, uint64_t *len_ret)
{
	if (!want->len || want->len > UINT64_MAX - PLACE_PAGE)
		return -EINVAL;
	*len_ret = ROUND_UP(want->len, PLACE_PAGE);
	return 0;
}

int place_take(struct place *place, const struct place_want *want, uint64_t *addr_ret, char *why)
{
	uint64_t align = MAX(want->align, PLACE_PAGE), len, start, end, addr;
	size_t nr = place->free.nr;
	int err = round_len(want, &len);

	if (err || (align & (align - 1))) {
		snprintf(why, WHY_SIZE, "%s has an impossible size or alignment", want->name);
		return -EINVAL;
	}
	for (size_t n = 0; n < nr; n++) {
		size_t i = want->top ? nr - 1 - n : n;

		if (!clip(place, i, want->min, want->max, &start, &end) ||
		    !fit(start, end, len, want, align, &addr))
			continue;
		err = iomem_exclude(&place->free, addr, addr + len);
		if (err)
			snprintf(why, WHY_SIZE, "no memory to plan with");
		else
			*addr_ret = addr;
		return err;
	}
	return explain(place, want, why);
}

int place_take_at(struct place *place, const struct place_want *want, uint64_t addr, char *why)
{
	struct place_want at = *want;
	uint64_t len, got;

	at.align = 0;
	at.top = false;
	at.min = addr;
	if (addr % PLACE_PAGE || round_len(want, &len) ||
	    __builtin_add_overflow(addr, len, &at.max)) {
		snprintf(why, WHY_SIZE, "%s cannot lie at 0x%" PRIx64, want->name, addr);
		return -EINVAL;
	}
	return place_take(place, &at, &got, why);
}
