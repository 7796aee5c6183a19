// SPDX-License-Identifier: GPL-2.0-or-later
/* /proc/iomem and /proc/kcore: whatever they hold, what is made of them holds together. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/iomem.h"
#include "loader/machine.h"
#include "loader/place.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Sorted, none empty, none overlapping one of its own type. */
static void check(const struct iomem *m)
{
	for (size_t i = 0; i < m->nr; i++) {
		if (m->ranges[i].start >= m->ranges[i].end)
			abort();
		if (i && m->ranges[i].start < m->ranges[i - 1].start)
			abort();
	}
}

static void take_all(const struct iomem *m)
{
	struct place place = { .what = "it", .min = 0, .max = UINT64_MAX };
	struct place_want want = { .name = "a piece", .len = 0x12345, .align = 0x10000 };
	uint64_t addr, last = UINT64_MAX;
	char why[WHY_SIZE];

	if (iomem_select(&place.free, m, IOMEM_RAM))
		abort();
	iomem_sort(&place.free);
	for (int i = 0; i < 64 && !place_take(&place, &want, &addr, why); i++) {
		if (addr % 0x10000 || addr == last)
			abort();
		last = addr;
		want.top = !want.top;
		check(&place.free);
	}
	iomem_free(&place.free);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct machine machine = { 0 };
	struct iomem m = { 0 };

	machine_kcore(&machine, data, size);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (!iomem_parse(text, &m)) {
		take_all(&m);
		if (iomem_exclude(&m, 0x9f000, 0x100000000))
			abort();
		check(&m);
		for (size_t i = 0; i < m.nr; i++)
			if (m.ranges[i].start < 0x100000000 && m.ranges[i].end > 0x9f000)
				abort();
	}
	iomem_free(&m);
	free(text);
	return 0;
}
