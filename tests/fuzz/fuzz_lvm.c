// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as a label, the header of a metadata area and a text; the checksums are made good. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/lvm.h"
#include "lib/util.h"

#define LV_ID "abcdefghijklmnopqrstuvwxyz012345"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void label(const uint8_t *data, size_t size)
{
	uint8_t start[LVM_LABEL_BYTES] = { 0 };
	struct lvm_label label;

	memcpy(start, data, MIN(size, sizeof(start)));
	memcpy(start, "LABELONE\0\0\0\0\0\0\0\0", 16);
	memcpy(start + 24, "LVM2 001", 8);
	put_le32(start + 16, lvm_crc(start + 20, 512 - 20));
	if (!lvm_label_read(start, &label) && label.nr_areas > LVM_MAX_AREAS)
		abort();
}

static void header(const uint8_t *data, size_t size)
{
	uint8_t header[LVM_HEADER_BYTES] = { 0 };
	struct lvm_area area;
	struct lvm_place place;
	uint64_t sum = 0;

	memcpy(header, data, MIN(size, sizeof(header)));
	memcpy(header + 4, " LVM2 x[5A%r0N*>\1\0\0\0", 20);
	put_le32(header, lvm_crc(header + 4, sizeof(header) - 4));
	area = (struct lvm_area){ get_le64(header + 24), get_le64(header + 32) };
	if (lvm_header_read(header, &area, &place))
		return;
	for (unsigned i = 0; i < place.nr; i++) {
		sum += place.pieces[i].size;
		if (place.pieces[i].start < area.start + LVM_HEADER_BYTES ||
		    !range_within(place.pieces[i].start - area.start, place.pieces[i].size,
				  area.size))
			abort();
	}
	if (!sum || sum > LVM_TEXT_MAX_BYTES)
		abort();
}

/* What passed must be a map without holes on physical volumes that are named. */
static void text(const uint8_t *data, size_t size)
{
	struct lvm_map *map;
	const char *why = NULL;
	uint64_t end = 0;

	if (lvm_map_read((const char *)data, size, LV_ID, &map, &why)) {
		if (!why)
			abort();
		return;
	}
	for (unsigned i = 0; i < map->nr_segments; i++) {
		const struct lvm_segment *segment = &map->segments[i];

		if (segment->start != end || !segment->sectors || !segment->nr_stripes ||
		    !segment->chunk != (segment->nr_stripes == 1) ||
		    !range_within(segment->first_stripe, segment->nr_stripes, map->nr_stripes))
			abort();
		end += segment->sectors;
	}
	for (unsigned i = 0; i < map->nr_stripes; i++)
		if (map->stripes[i].pv >= map->nr_pvs || strlen(map->pvs[map->stripes[i].pv]) != 32)
			abort();
	free(map);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	label(data, size);
	header(data, size);
	text(data, size);
	return 0;
}
