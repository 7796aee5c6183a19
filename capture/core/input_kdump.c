// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kdump-compressed dumps of header versions 1 to 6, of little-endian kernels, as
 * makedumpfile and QEMU write them. What came with which version: makedumpfile
 * diskdump_mod.h, struct kdump_sub_header.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/core/kdump.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"

#define VERSION_64BIT 6

static bool kdump_matches(const uint8_t *head)
{
	return !memcmp(head, KDUMP_SIGNATURE, 8);
}

static const struct arch_ops *find_arch(const char machine[KDUMP_UTS_LEN])
{
	return memchr(machine, '\0', KDUMP_UTS_LEN) ? arch_find_uname(machine) : NULL;
}

static int read_header(struct core *core, struct file_view *view, struct kdump_header *h)
{
	uint8_t raw[sizeof(*h)] = { 0 };
	uint32_t version, block_size;
	bool wide;

	if (file_view_read(view, 0, raw, KDUMP_HEAD_BYTES)) {
		log_error("%s: ends within its header", core->name);
		return -EBADMSG;
	}
	wide = kdump_is_wide(raw);
	if (file_view_read(view, 0, raw, kdump_header_bytes(wide))) {
		log_error("%s: ends within its header", core->name);
		return -EBADMSG;
	}
	kdump_header_unpack(raw, wide, h);
	version = le32toh(h->header_version);
	block_size = le32toh(h->block_size);
	if (!version || version > KDUMP_HEADER_VERSION) {
		log_error("%s: a kdump-compressed dump of header version %u%s", core->name, version,
			  version > UINT16_MAX ? ", or of a big-endian kernel" :
						 ", which is not known here");
		return -EOPNOTSUPP;
	}
	if (block_size < CORE_PAGE_MIN || block_size > CORE_PAGE_MAX ||
	    (block_size & (block_size - 1))) {
		log_error("%s: a block size of %u cannot be", core->name, block_size);
		return -EBADMSG;
	}
	core->arch = find_arch(h->utsname.machine);
	if (!core->arch) {
		log_error("%s: unknown architecture \"%.*s\"", core->name, KDUMP_UTS_LEN,
			  h->utsname.machine);
		return -EOPNOTSUPP;
	}
	core->page_size = block_size;
	core->page_size_given = true;
	return 0;
}

/* The sub header, with zeros for what the header's version does not have. */
static int read_sub_header(struct core *core, struct file_view *view, uint32_t version,
			   struct kdump_sub_header *sh)
{
	const bool wide = core->arch->elf_class == ELFCLASS64;
	uint8_t raw[sizeof(*sh)] = { 0 };

	if (file_view_read_padded(view, core->page_size, raw,
				  kdump_sub_header_bytes(wide, version))) {
		log_error("%s: its sub header cannot be read", core->name);
		return -EIO;
	}
	kdump_sub_header_unpack(raw, wide, sh);
	return 0;
}

/* Where the bitmaps and descriptors are. */
static int find_parts(struct kdump *k, const struct kdump_header *h)
{
	uint64_t block = k->core->page_size, blocks = le32toh(h->bitmap_blocks);
	uint64_t need = DIV_ROUND_UP(DIV_ROUND_UP(k->max_pfn, 8), block);

	/* 32-bit counts of blocks of at most 64 KiB: nothing overflows. */
	k->bitmap1 = (1 + (uint64_t)le32toh(h->sub_hdr_size)) * block;
	k->descs = k->bitmap1 + blocks * block;
	/* One bitmap, of the pages in the dump, is how it was before there were partial dumps. */
	k->bitmap2 = blocks >= 2 * need ? k->bitmap1 + blocks / 2 * block : k->bitmap1;
	if (blocks < need || k->bitmap1 >= k->core->file->size) {
		log_error("%s: %s for 0x%llx pages", k->core->name,
			  blocks < need ? "its bitmaps are too small" : "ends before its bitmaps",
			  (unsigned long long)k->max_pfn);
		return -EBADMSG;
	}
	return 0;
}

static int find_pfns(struct kdump *k, const struct kdump_header *h,
		     const struct kdump_sub_header *sh)
{
	const struct core *core = k->core;
	bool wide = le32toh(h->header_version) >= VERSION_64BIT;

	k->max_pfn = wide ? le64toh(sh->max_mapnr_64) : le32toh(h->max_mapnr);
	if (wide && !k->max_pfn)
		k->max_pfn = le32toh(h->max_mapnr);
	if (!k->max_pfn || k->max_pfn > (1ull << core->arch->paddr_bits) / core->page_size) {
		log_error("%s: 0x%llx pages cannot be", core->name, (unsigned long long)k->max_pfn);
		return -EBADMSG;
	}
	k->nr_windows = DIV_ROUND_UP(k->max_pfn, KDUMP_WINDOW_BITS);
	k->end_pfn = k->max_pfn;
	if (!le32toh(sh->split))
		return 0;
	k->first_pfn = le64toh(wide ? sh->start_pfn_64 : sh->start_pfn);
	k->end_pfn = MIN(k->max_pfn, le64toh(wide ? sh->end_pfn_64 : sh->end_pfn));
	/* makedumpfile writes parts of no page, too. */
	if (k->first_pfn > k->end_pfn) {
		log_error("%s: a part of a dump, from page 0x%llx to 0x%llx, that cannot be",
			  core->name, (unsigned long long)k->first_pfn,
			  (unsigned long long)k->end_pfn);
		return -EBADMSG;
	}
	log_warn("%s: one part of a split dump, with the pages from 0x%llx to below 0x%llx",
		 core->name, (unsigned long long)k->first_pfn, (unsigned long long)k->end_pfn);
	return 0;
}

static int read_notes(struct core *core, struct file_view *view, const struct kdump_sub_header *sh)
{
	uint64_t len = le64toh(sh->size_vmcoreinfo);
	_free_ char *text = NULL;
	int err = core_read_note_segment(core, view, le64toh(sh->offset_note),
					 le64toh(sh->size_note));

	if (!err)
		err = core_find_vmcoreinfo(core);
	if (err != -ENODATA || !len || len > VMCOREINFO_MAX_BYTES)
		return err == -ENOMEM ? err : 0;
	text = malloc(len);
	if (!text)
		return -ENOMEM;
	if (file_view_read(view, le64toh(sh->offset_vmcoreinfo), text, len) == 0)
		err = core_take_vmcoreinfo(core, text, len);
	return err == -ENOMEM ? err : 0;
}

static int read_bitmaps(struct kdump *k, struct core *core, struct file_view *view)
{
	int err = kdump_build_segments(k, core, view);

	if (!err)
		err = kdump_build_ranks(k, view);
	if (err && err != -ENOMEM)
		log_error("%s: its bitmaps cannot be read: %s", core->name, strerror(-err));
	if (!err && !core->nr_segments) {
		log_error("%s: no memory in it (bitmap 1 is empty)", core->name);
		err = -ENODATA;
	}
	return err;
}

static int kdump_open(struct core *core, struct file_view *view)
{
	struct kdump *k = calloc(1, sizeof(*k));
	struct kdump_sub_header sh;
	struct kdump_header h;
	int err;

	if (!k)
		return -ENOMEM;
	core->input = k;
	k->core = core;
	err = read_header(core, view, &h);
	if (!err)
		err = read_sub_header(core, view, le32toh(h.header_version), &sh);
	if (!err)
		err = find_pfns(k, &h, &sh);
	if (!err)
		err = find_parts(k, &h);
	if (!err)
		err = read_notes(core, view, &sh);
	if (!err)
		err = read_bitmaps(k, core, view);
	core->header_time = err ? 0 : le64toh(h.tv_sec);
	core->incomplete = !err && le32toh(h.status) & DUMP_DH_COMPRESSED_INCOMPLETE;
	return err;
}

static void kdump_close(void *input)
{
	struct kdump *k = input;

	if (k)
		free(k->ranks);
	free(k);
}

const struct input_ops input_kdump = {
	.name = "kdump-compressed dump",
	.matches = kdump_matches,
	.open = kdump_open,
	.close = kdump_close,
	.reader_create = kdump_reader_create,
	.reader_destroy = kdump_reader_destroy,
	.read = kdump_read,
	.held_run = kdump_held_run,
};
