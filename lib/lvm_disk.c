// SPDX-License-Identifier: GPL-2.0-or-later
/* A physical volume's label, and the header of a metadata area. */
#include <errno.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/lvm.h"
#include "lib/util.h"

#define SECTOR 512u

/* struct label_header: id[8], sector_xl, crc_xl, offset_xl, type[8] */
#define LABEL_SECTOR 8
#define LABEL_CRC    16
#define LABEL_OFFSET 20
#define LABEL_TYPE   24
#define LABEL_END    32

/* struct pv_header: pv_uuid[32], device_size_xl, lists of disk_locn { offset, size } of the
 * data areas and of the metadata areas, each ended by an offset of 0 */
#define PV_LISTS 40
#define LOCN	 16

/* struct mda_header: checksum_xl, magic[16], version, start, size, raw_locns[]: { offset,
 * size, checksum, flags }, the first of which is the committed text */
#define MDA_MAGIC    4
#define MDA_VERSION  20
#define MDA_START    24
#define MDA_SIZE     32
#define MDA_LOCN     40
#define LOCN_IGNORED 1u

uint32_t lvm_crc(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t crc = 0xf597a6cf; /* INITIAL_CRC */

	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return crc;
}

/* Steps over one list of areas. @label: takes them, where it is not NULL.
 * Return: where the next one begins; 0 where the list does not end in the sector. */
static uint32_t read_list(const uint8_t *sector, uint32_t at, struct lvm_label *label)
{
	for (; range_within(at, LOCN, SECTOR); at += LOCN) {
		const struct lvm_area area = { get_le64(sector + at), get_le64(sector + at + 8) };

		if (!area.start)
			return at + LOCN;
		if (!label)
			continue;
		if (label->nr_areas == LVM_MAX_AREAS)
			return 0;
		label->areas[label->nr_areas++] = area;
	}
	return 0;
}

static int read_sector(const uint8_t *sector, uint64_t nr, struct lvm_label *label_ret)
{
	struct lvm_label label = { .nr_areas = 0 };
	uint32_t at = get_le32(sector + LABEL_OFFSET);

	if (get_le64(sector + LABEL_SECTOR) != nr || memcmp(sector + LABEL_TYPE, "LVM2 001", 8) ||
	    get_le32(sector + LABEL_CRC) != lvm_crc(sector + LABEL_OFFSET, SECTOR - LABEL_OFFSET) ||
	    at < LABEL_END || !range_within(at, PV_LISTS, SECTOR))
		return -EBADMSG;
	memcpy(label.id, sector + at, LVM_ID_SIZE - 1);
	at = read_list(sector, at + PV_LISTS, NULL);
	if (!at || !read_list(sector, at, &label))
		return -EBADMSG;
	*label_ret = label;
	return 0;
}

int lvm_label_read(const uint8_t *start, struct lvm_label *label_ret)
{
	for (unsigned nr = 0; nr < LVM_LABEL_BYTES / SECTOR; nr++)
		if (!memcmp(start + nr * SECTOR, "LABELONE", 8))
			return read_sector(start + nr * SECTOR, nr, label_ret);
	return -ENODATA;
}

int lvm_header_read(const uint8_t *header, const struct lvm_area *area, struct lvm_place *place_ret)
{
	const uint8_t *locn = header + MDA_LOCN;
	uint64_t offset = get_le64(locn), size = get_le64(locn + 8), first;
	struct lvm_place place = { .nr = 1, .crc = get_le32(locn + 16) };

	if (get_le32(header) != lvm_crc(header + MDA_MAGIC, LVM_HEADER_BYTES - MDA_MAGIC) ||
	    memcmp(header + MDA_MAGIC, " LVM2 x[5A%r0N*>", 16) ||
	    get_le32(header + MDA_VERSION) != 1 || get_le64(header + MDA_START) != area->start ||
	    get_le64(header + MDA_SIZE) != area->size ||
	    !range_within(area->start, area->size, INT64_MAX) || area->size <= LVM_HEADER_BYTES)
		return -EBADMSG;
	if (get_le32(locn + 20) & LOCN_IGNORED)
		return -ESTALE;
	if (!offset)
		return -ENODATA;
	/* The ring begins behind the header. */
	if (offset < LVM_HEADER_BYTES || offset >= area->size || !size ||
	    size > LVM_TEXT_MAX_BYTES || size > area->size - LVM_HEADER_BYTES)
		return -EBADMSG;
	first = MIN(size, area->size - offset);
	place.pieces[0] = (struct lvm_area){ area->start + offset, first };
	if (first < size) {
		place.nr = 2;
		place.pieces[1] = (struct lvm_area){ area->start + LVM_HEADER_BYTES, size - first };
	}
	*place_ret = place;
	return 0;
}
