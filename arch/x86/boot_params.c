// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86/boot_params.h"

#include <errno.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/util.h"

/* struct boot_params */
#define BP_SCREEN_INFO	   0x000
#define BP_SCREEN_INFO_LEN 0x40
#define BP_ACPI_RSDP	   0x070
#define BP_EXT_RAMDISK	   0x0c0
#define BP_EXT_RAMDISK_LEN 0x0c4
#define BP_EXT_CMD_LINE	   0x0c8
#define BP_EFI_INFO	   0x1c0
#define BP_E820_ENTRIES	   0x1e8
#define BP_SECURE_BOOT	   0x1ec
#define BP_HEADER	   0x1f1
#define BP_HEADER_END	   0x290
#define BP_E820_TABLE	   0x2d0
#define E820_ENTRY	   20
#define E820_TABLE_MAX	   128

/* struct efi_info, from BP_EFI_INFO on */
#define EFI_SIGNATURE	 0
#define EFI_SYSTAB	 4
#define EFI_DESC_SIZE	 8
#define EFI_DESC_VERSION 12
#define EFI_MAP		 16
#define EFI_MAP_LEN	 20
#define EFI_SYSTAB_HI	 24
#define EFI_MAP_HI	 28

/* struct setup_header; its offsets in the zero page are those in the image */
#define HDR_SETUP_SECTS	   0x1f1
#define HDR_SYSSIZE	   0x1f4
#define HDR_BOOT_FLAG	   0x1fe
#define HDR_JUMP	   0x201
#define HDR_MAGIC	   0x202
#define HDR_VERSION	   0x206
#define HDR_LOADER	   0x210
#define HDR_LOADFLAGS	   0x211
#define HDR_CODE32	   0x214
#define HDR_RAMDISK	   0x218
#define HDR_RAMDISK_LEN	   0x21c
#define HDR_CMD_LINE	   0x228
#define HDR_INITRD_MAX	   0x22c
#define HDR_ALIGNMENT	   0x230
#define HDR_RELOCATABLE	   0x234
#define HDR_XLOADFLAGS	   0x236
#define HDR_CMDLINE_SIZE   0x238
#define HDR_SETUP_DATA	   0x250
#define HDR_PREF_ADDRESS   0x258
#define HDR_INIT_SIZE	   0x260
#define HDR_MIN_LEN	   0x264
#define HDR_LOADER_KEXEC   0xd0
#define HDR_LOADED_HIGH	   0x01
#define HDR_BOOT_FLAG_IS   0xaa55
#define HDR_DEFAULT_SECTS  4
#define SECTOR		   512
#define PROTOCOL_CMDLINE   0x0206
#define PROTOCOL_INIT_SIZE 0x020a
#define PROTOCOL_64	   0x020c
#define PROTOCOL_OWN	   0x020f /* what is said of a kernel that has no header */
#define DEFAULT_LOAD	   0x100000
#define INIT_SIZE_FACTOR   4 /* of a kernel that does not say: as kexec-bzimage64.c's elders */

/* struct setup_data */
#define SD_NEXT	     0
#define SD_TYPE	     8
#define SD_LEN	     12
#define SD_DATA	     16
#define SD_E820_EXT  1
#define SD_EFI	     4
#define SD_RNG_SEED  9
#define EFI_SD_LEN   96
#define EFI_DESC_MIN 40
#define EFI_DESC_MAX 256

int bzimage_read(const uint8_t *image, size_t len, struct bzimage *ret)
{
	struct bzimage b = { 0 };
	uint64_t start, code_len;

	if (len < HDR_MIN_LEN || memcmp(image + HDR_MAGIC, "HdrS", 4))
		return -ENOEXEC;
	b.protocol = get_le16(image + HDR_VERSION);
	if (b.protocol < PROTOCOL_CMDLINE || !(image[HDR_LOADFLAGS] & HDR_LOADED_HIGH))
		return -ENOEXEC;
	start = ((image[HDR_SETUP_SECTS] ?: HDR_DEFAULT_SECTS) + 1) * SECTOR;
	code_len = get_le32(image + HDR_SYSSIZE) * 16ULL;
	if (get_le16(image + HDR_BOOT_FLAG) != HDR_BOOT_FLAG_IS || !code_len ||
	    !range_within(start, code_len, len))
		return -EBADMSG;
	b.header = image + BP_HEADER;
	b.header_len = MIN(HDR_MAGIC + (size_t)image[HDR_JUMP], (size_t)BP_HEADER_END) - BP_HEADER;
	b.code = image + start;
	b.code_len = code_len;
	b.relocatable = image[HDR_RELOCATABLE];
	b.align = get_le32(image + HDR_ALIGNMENT);
	b.initrd_max = get_le32(image + HDR_INITRD_MAX);
	b.cmdline_size = get_le32(image + HDR_CMDLINE_SIZE);
	b.pref_address = DEFAULT_LOAD;
	b.init_size = code_len * INIT_SIZE_FACTOR;
	if (b.protocol >= PROTOCOL_INIT_SIZE) {
		b.pref_address = get_le64(image + HDR_PREF_ADDRESS);
		b.init_size = MAX(get_le32(image + HDR_INIT_SIZE), code_len);
	}
	if (b.protocol >= PROTOCOL_64)
		b.xloadflags = get_le16(image + HDR_XLOADFLAGS);
	if (b.relocatable && (!b.align || (b.align & (b.align - 1))))
		return -EBADMSG;
	*ret = b;
	return 0;
}

uint64_t boot_params_rsdp(const uint8_t *running)
{
	return get_le64(running + BP_ACPI_RSDP);
}

/* ---- what stands behind the zero page ---- */

/* struct layout - Offsets of the parts from the start; a length of 0 is a part that is not there.
 */
struct layout {
	size_t cmdline;
	size_t e820, e820_len;
	size_t efi, efi_map, efi_map_len;
	size_t seed;
	size_t size;
};

static size_t efi_desc_size(const struct boot_params *bp)
{
	uint32_t size = bp->running ? get_le32(bp->running + BP_EFI_INFO + EFI_DESC_SIZE) : 0;

	return size >= EFI_DESC_MIN && size <= EFI_DESC_MAX ? size : EFI_DESC_MIN;
}

static bool has_efi(const struct boot_params *bp)
{
	return bp->efi && bp->efi->nr_map && bp->running &&
	       get_le32(bp->running + BP_EFI_INFO + EFI_SIGNATURE);
}

static struct layout lay_out(const struct boot_params *bp)
{
	struct layout l = { .cmdline = BOOT_PARAMS_SIZE };
	size_t at = ROUND_UP(l.cmdline + strlen(bp->cmdline) + 1, 16);

	if (bp->map->nr > E820_TABLE_MAX) {
		l.e820 = at;
		l.e820_len = (bp->map->nr - E820_TABLE_MAX) * E820_ENTRY;
		at = ROUND_UP(at + SD_DATA + l.e820_len, 16);
	}
	if (has_efi(bp)) {
		l.efi = at;
		at += ROUND_UP(SD_DATA + EFI_SD_LEN, 16);
		l.efi_map = at;
		l.efi_map_len = bp->efi->nr_map * efi_desc_size(bp);
		at = ROUND_UP(at + l.efi_map_len, 16);
	}
	if (bp->seed) {
		l.seed = at;
		at += SD_DATA + BOOT_PARAMS_SEED_SIZE;
	}
	l.size = at;
	return l;
}

size_t boot_params_size(const struct boot_params *bp)
{
	return lay_out(bp).size;
}

/* Puts a setup_data with room for @len bytes at @at into the list. Return: where its data goes. */
static uint8_t *add_setup_data(const struct boot_params *bp, uint8_t *out, size_t at, uint32_t type,
			       uint32_t len)
{
	put_le64(out + at + SD_NEXT, get_le64(out + HDR_SETUP_DATA));
	put_le32(out + at + SD_TYPE, type);
	put_le32(out + at + SD_LEN, len);
	put_le64(out + HDR_SETUP_DATA, bp->self + at);
	return out + at + SD_DATA;
}

/* ---- memory ---- */

static uint32_t e820_type(enum iomem_type type)
{
	switch (type) {
	case IOMEM_RAM:
	case IOMEM_RAM_DRIVER:
	case IOMEM_CRASH:
		return 1;
	case IOMEM_ACPI_TABLES:
		return 3;
	case IOMEM_ACPI_NVS:
		return 4;
	case IOMEM_UNUSABLE:
		return 5;
	case IOMEM_PMEM:
		return 7;
	case IOMEM_PMEM_LEGACY:
		return 12;
	case IOMEM_SOFT_RESERVED:
		return 0xefffffff;
	default:
		return 2;
	}
}

static void write_e820(const struct boot_params *bp, const struct layout *l, uint8_t *out)
{
	uint8_t *at = out + BP_E820_TABLE;

	out[BP_E820_ENTRIES] = MIN(bp->map->nr, (size_t)E820_TABLE_MAX);
	for (size_t i = 0; i < bp->map->nr; i++, at += E820_ENTRY) {
		const struct iomem_range *r = &bp->map->ranges[i];

		if (i == E820_TABLE_MAX)
			at = add_setup_data(bp, out, l->e820, SD_E820_EXT, l->e820_len);
		put_le64(at, r->start);
		put_le64(at + 8, r->end - r->start);
		put_le32(at + 16, e820_type(r->type));
	}
}

/* ---- EFI ---- */

static void write_efi(const struct boot_params *bp, const struct layout *l, uint8_t *out)
{
	const uint8_t *was = bp->running + BP_EFI_INFO;
	uint8_t *info = out + BP_EFI_INFO, *data = out + l->efi_map;
	uint64_t map = bp->self + l->efi_map;
	size_t size = efi_desc_size(bp);

	for (size_t i = 0; i < bp->efi->nr_map; i++, data += size) {
		const struct boot_efi_range *r = &bp->efi->map[i];

		put_le32(data, r->type);
		put_le64(data + 8, r->phys);
		put_le64(data + 16, r->virt);
		put_le64(data + 24, r->pages);
		put_le64(data + 32, r->attribute);
	}
	memcpy(info + EFI_SIGNATURE, was + EFI_SIGNATURE, 4);
	memcpy(info + EFI_SYSTAB, was + EFI_SYSTAB, 4);
	memcpy(info + EFI_SYSTAB_HI, was + EFI_SYSTAB_HI, 4);
	memcpy(info + EFI_DESC_VERSION, was + EFI_DESC_VERSION, 4);
	put_le32(info + EFI_DESC_SIZE, size);
	put_le32(info + EFI_MAP, map);
	put_le32(info + EFI_MAP_HI, map >> 32);
	put_le32(info + EFI_MAP_LEN, l->efi_map_len);
	out[BP_SECURE_BOOT] = bp->running[BP_SECURE_BOOT];

	data = add_setup_data(bp, out, l->efi, SD_EFI, EFI_SD_LEN);
	put_le64(data, bp->efi->fw_vendor);
	put_le64(data + 16, bp->efi->config_table);
	put_le64(data + 24, bp->efi->smbios);
}

/* ---- the whole ---- */

static void write_header(const struct boot_params *bp, uint8_t *out)
{
	if (bp->image) {
		memcpy(out + BP_HEADER, bp->image->header, bp->image->header_len);
		put_le64(out + HDR_SETUP_DATA, 0);
	} else {
		put_le16(out + HDR_BOOT_FLAG, HDR_BOOT_FLAG_IS);
		memcpy(out + HDR_MAGIC, "HdrS", 4);
		put_le16(out + HDR_VERSION, PROTOCOL_OWN);
		out[HDR_LOADFLAGS] = HDR_LOADED_HIGH;
	}
	out[HDR_LOADER] = HDR_LOADER_KEXEC;
	put_le32(out + HDR_CODE32, bp->kernel);
}

void boot_params_write(const struct boot_params *bp, uint8_t *out)
{
	struct layout l = lay_out(bp);
	uint64_t cmdline = bp->self + l.cmdline;

	memset(out, 0, l.size);
	write_header(bp, out);
	/* The screen as it is, which is what kexec_file_load() hands on, too. */
	if (bp->running)
		memcpy(out + BP_SCREEN_INFO, bp->running + BP_SCREEN_INFO, BP_SCREEN_INFO_LEN);
	put_le64(out + BP_ACPI_RSDP, bp->rsdp);
	put_le32(out + HDR_RAMDISK, bp->initrd);
	put_le32(out + BP_EXT_RAMDISK, bp->initrd >> 32);
	put_le32(out + HDR_RAMDISK_LEN, bp->initrd_len);
	put_le32(out + BP_EXT_RAMDISK_LEN, bp->initrd_len >> 32);
	put_le32(out + HDR_CMD_LINE, cmdline);
	put_le32(out + BP_EXT_CMD_LINE, cmdline >> 32);
	memcpy(out + l.cmdline, bp->cmdline, strlen(bp->cmdline) + 1);
	write_e820(bp, &l, out);
	if (l.efi)
		write_efi(bp, &l, out);
	if (l.seed)
		memcpy(add_setup_data(bp, out, l.seed, SD_RNG_SEED, BOOT_PARAMS_SEED_SIZE),
		       bp->seed, BOOT_PARAMS_SEED_SIZE);
}
