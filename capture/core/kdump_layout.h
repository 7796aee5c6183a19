/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On-disk layout of a kdump-compressed dump, header version 6, of a little-endian
 * kernel. All fields little-endian. The two headers were C structs of makedumpfile on the
 * crashed machine, so that those of a 32-bit kernel are shorter: they are packed and
 * unpacked below, and are in 64-bit form in memory.
 *
 *	block 0			struct kdump_header
 *	block 1			struct kdump_sub_header, then the core's notes
 *	1 + sub_hdr_size	bitmap 1: pages that the machine had
 *	+ bitmap_blocks / 2	bitmap 2: pages that the dump holds
 *	+ bitmap_blocks / 2	struct kdump_page_desc for each bit of bitmap 2, in order
 *	then			page data, anywhere
 *
 * How vmcore-save makes use of it: docs/formats.md. Sources: makedumpfile diskdump_mod.h
 * and IMPLEMENTATION, crash diskdump.h, libkdumpfile diskdump.c.
 */
#ifndef CAPTURE_CORE_KDUMP_LAYOUT_H
#define CAPTURE_CORE_KDUMP_LAYOUT_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KDUMP_SIGNATURE	     "KDUMP   "
#define KDUMP_HEADER_VERSION 6
#define KDUMP_UTS_LEN	     65

/* What a page_desc's flags and a header's status say (makedumpfile: diskdump_mod.h). */
#define DUMP_DH_COMPRESSED_ZLIB	      0x1u
#define DUMP_DH_COMPRESSED_LZO	      0x2u
#define DUMP_DH_COMPRESSED_SNAPPY     0x4u
#define DUMP_DH_COMPRESSED_INCOMPLETE 0x8u
#define DUMP_DH_EXCLUDED_VMEMMAP      0x10u
#define DUMP_DH_COMPRESSED_ZSTD	      0x20u

/* An ELF dump's e_flags: makedumpfile marks one that was cut short so (its elf_info.h). */
#define DUMP_ELF_INCOMPLETE 1u

struct kdump_utsname {
	char sysname[KDUMP_UTS_LEN];
	char nodename[KDUMP_UTS_LEN];
	char release[KDUMP_UTS_LEN];
	char version[KDUMP_UTS_LEN];
	char machine[KDUMP_UTS_LEN];
	char domainname[KDUMP_UTS_LEN];
};

struct kdump_header {
	char signature[8];
	uint32_t header_version;
	struct kdump_utsname utsname;
	uint8_t pad[6];
	uint64_t tv_sec;
	uint64_t tv_usec;
	uint32_t status; /* DUMP_DH_COMPRESSED_* */
	uint32_t block_size;
	uint32_t sub_hdr_size;	/* blocks */
	uint32_t bitmap_blocks; /* of both bitmaps */
	uint32_t max_mapnr;	/* cut to 32 bits */
	uint32_t total_ram_blocks;
	uint32_t device_blocks;
	uint32_t written_blocks;
	uint32_t current_cpu;
	uint32_t nr_cpus;
};

/* Fields were added at the end; the number is the header version that brought them. */
struct kdump_sub_header {
	uint64_t phys_base;
	uint32_t dump_level; /* 1 */
	uint32_t split;	     /* 2 */
	uint64_t start_pfn;
	uint64_t end_pfn;
	uint64_t offset_vmcoreinfo; /* 3 */
	uint64_t size_vmcoreinfo;
	uint64_t offset_note; /* 4 */
	uint64_t size_note;
	uint64_t offset_eraseinfo; /* 5 */
	uint64_t size_eraseinfo;
	uint64_t start_pfn_64; /* 6 */
	uint64_t end_pfn_64;
	uint64_t max_mapnr_64;
};

struct kdump_page_desc {
	uint64_t offset;
	uint32_t size;
	uint32_t flags;
	uint64_t page_flags;
};

/**
 * kdump_is_wide() - Whether the dump that begins with @head is of a 64-bit kernel, by what its
 * utsname says of the machine; one that is not known is.
 * @head: at least KDUMP_HEAD_BYTES
 */
#define KDUMP_HEAD_BYTES 402u /* signature, version, utsname: the same in both */
bool kdump_is_wide(const void *head);

/** kdump_header_bytes() - On the disk. */
size_t kdump_header_bytes(bool wide);

/** kdump_sub_header_bytes() - On the disk, as far as header version @version has it, 1 to
 * KDUMP_HEADER_VERSION. */
size_t kdump_sub_header_bytes(bool wide, uint32_t version);

/** kdump_status_offset() - Where struct kdump_header's status is on the disk. */
size_t kdump_status_offset(bool wide);

/* Between the disk's form, of kdump_header_bytes() or, at the most, kdump_sub_header_bytes()
 * of the latest version, and memory's. @raw has room for the 64-bit form. */
void kdump_header_pack(const struct kdump_header *h, bool wide, void *raw);
void kdump_header_unpack(const void *raw, bool wide, struct kdump_header *h_ret);
void kdump_sub_header_pack(const struct kdump_sub_header *sh, bool wide, void *raw);
void kdump_sub_header_unpack(const void *raw, bool wide, struct kdump_sub_header *sh_ret);

static_assert(sizeof(struct kdump_header) == 464, "kdump_header");
static_assert(sizeof(struct kdump_sub_header) == 104, "kdump_sub_header");
static_assert(sizeof(struct kdump_page_desc) == 24, "kdump_page_desc");

#endif
