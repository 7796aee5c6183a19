/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What LVM2 writes on a physical volume, as far as it takes to know where a logical volume
 * lies. Pure functions over bytes that may hold anything; the caller reads the device.
 *
 * The format as lvm2 has it: lib/label/label.h (label), lib/format_text/layout.h (physical
 * volume, metadata area), lib/misc/crc.c (checksums), lib/format_text/import_vsn1.c (the
 * text) and libdm/libdm-config.c (its syntax). Sectors have 512 bytes.
 */
#ifndef LIB_LVM_H
#define LIB_LVM_H

#include <stddef.h>
#include <stdint.h>

#define LVM_LABEL_BYTES	   2048u /* the label is in one of the first four sectors */
#define LVM_HEADER_BYTES   512u
#define LVM_TEXT_MAX_BYTES (1u << 20)
#define LVM_MAX_AREAS	   4u
#define LVM_MAX_PVS	   128u
#define LVM_MAX_SEGMENTS   256u
#define LVM_MAX_STRIPES	   1024u
#define LVM_ID_SIZE	   33 /* 32 characters and a NUL, without the dashes that people see */

/** struct lvm_area - A metadata area, in bytes of the device. */
struct lvm_area {
	uint64_t start, size;
};

/** struct lvm_label - A physical volume. @areas: where its metadata are; maybe nowhere */
struct lvm_label {
	char id[LVM_ID_SIZE];
	unsigned nr_areas;
	struct lvm_area areas[LVM_MAX_AREAS];
};

/** struct lvm_place - Where the committed text is: in @nr pieces, for an area is a ring.
 * @crc: of all of it */
struct lvm_place {
	unsigned nr;
	struct lvm_area pieces[2];
	uint32_t crc;
};

/** lvm_crc() - LVM2's checksum: CRC-32 from a start value of its own, without a last XOR. */
uint32_t lvm_crc(const void *data, size_t len);

/** lvm_label_read() - Find the label in a device's first LVM_LABEL_BYTES.
 * Return: 0; -ENODATA there is none; -EBADMSG it is damaged. */
int lvm_label_read(const uint8_t *start, struct lvm_label *label_ret);

/** lvm_header_read() - Read an area's first LVM_HEADER_BYTES; the pieces that it tells lie in
 * the area and have at most LVM_TEXT_MAX_BYTES together.
 * Return: 0; -ENODATA it holds no metadata: the volume is in no group; -ESTALE such as LVM has
 * set aside (pvchange --metadataignore); -EBADMSG. */
int lvm_header_read(const uint8_t *header, const struct lvm_area *area,
		    struct lvm_place *place_ret);

/** struct lvm_vg - What tells one metadata text from another. @seqno: grows at each change */
struct lvm_vg {
	char id[LVM_ID_SIZE];
	uint64_t seqno;
};

/** lvm_vg_read() - Return: 0; -EBADMSG it is not the text of a volume group. */
int lvm_vg_read(const char *text, size_t len, struct lvm_vg *vg_ret);

/** struct lvm_stripe - A stretch of a physical volume. @pv: index into struct lvm_map.pvs;
 * @offset: in sectors of the device */
struct lvm_stripe {
	unsigned pv;
	uint64_t offset;
};

/** struct lvm_segment - A row of the volume's mapper table, in sectors. @chunk: of striped; 0
 * for linear */
struct lvm_segment {
	uint64_t start, sectors, chunk;
	unsigned first_stripe, nr_stripes;
};

/** struct lvm_map - Where a logical volume lies, without a hole, in order. No pointers in it,
 * freed by free(). @pvs: the IDs of the physical volumes that it is on */
struct lvm_map {
	unsigned nr_pvs, nr_segments, nr_stripes;
	char pvs[LVM_MAX_PVS][LVM_ID_SIZE];
	struct lvm_segment segments[LVM_MAX_SEGMENTS];
	struct lvm_stripe stripes[LVM_MAX_STRIPES];
};

/**
 * lvm_map_read() - Where a volume lies by its group's text.
 * @lv_id: 32 characters
 * @map_ret: owned by the caller
 * @why_ret: on failure what is the matter, static; said of the volume
 *
 * Only a volume that nothing else builds on and that is not being changed: writing below a
 * snapshot or a pvmove would destroy what these keep.
 * Return: 0; -ENOENT there is no such volume; -EOPNOTSUPP it is not linear or striped, or
 * something is under way with it; -EBADMSG; -ENOMEM.
 */
int lvm_map_read(const char *text, size_t len, const char *lv_id, struct lvm_map **map_ret,
		 const char **why_ret);

#endif
