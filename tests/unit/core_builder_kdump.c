// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/core_builder_kdump.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#if defined(HAVE_LZO) && HAVE_LZO + 0
#include <lzo/lzo1x.h>
#endif

#include "capture/core/flattened.h"
#include "capture/core/kdump_layout.h"
#include "lib/bytes.h"
#include "lib/io.h"
#include "lib/util.h"

#define PACKED_MAX (128 * 1024)

static void must(bool ok)
{
	if (!ok)
		abort();
}

static uint32_t version_of(const struct kdump_recipe *r)
{
	return r->version ? r->version : KDUMP_HEADER_VERSION;
}

static uint32_t block_of(const struct kdump_recipe *r)
{
	return r->block_size ? r->block_size : 4096;
}

static uint64_t max_pfn_of(const struct kdump_recipe *r)
{
	return r->base + strlen(r->pages);
}

/* Of one bitmap. */
static uint64_t bitmap_blocks_of(const struct kdump_recipe *r)
{
	return DIV_ROUND_UP(DIV_ROUND_UP(max_pfn_of(r), 8), block_of(r));
}

/* A sub header of two blocks: the header itself, then vmcoreinfo and notes. */
static uint64_t bitmaps_of(const struct kdump_recipe *r)
{
	return 3 * (uint64_t)block_of(r);
}

uint64_t kdump_build_descs(const struct kdump_recipe *recipe)
{
	return bitmaps_of(recipe) +
	       (recipe->one_bitmap ? 1 : 2) * bitmap_blocks_of(recipe) * block_of(recipe);
}

/* A sequence that repeats after 64 bytes, so that every codec makes it smaller. */
void kdump_build_page(uint64_t pfn, uint8_t *page, size_t page_size)
{
	for (size_t i = 0; i < page_size; i += 8)
		put_le64(page + i, (pfn + 1) * 0x9e3779b97f4a7c15ull * (i % 64 + 8));
}

/* A literal of 64 bytes, then copies of them. */
static size_t pack_snappy(const uint8_t *page, size_t page_size, uint8_t *out)
{
	size_t n = 0, left = page_size;

	for (; left > 127; left >>= 7)
		out[n++] = (uint8_t)(left | 0x80);
	out[n++] = (uint8_t)left;
	out[n++] = 60 << 2;
	out[n++] = 63;
	memcpy(out + n, page, 64);
	n += 64;
	for (left = page_size - 64; left; left -= 64) {
		out[n++] = 63 << 2 | 2;
		out[n++] = 64;
		out[n++] = 0;
	}
	return n;
}

/* Built without lzo, it leaves the page as it is. */
static size_t pack_lzo(const uint8_t *page, size_t page_size, uint8_t *out, uint32_t *flags_ret)
{
#if defined(HAVE_LZO) && HAVE_LZO + 0
	static uint8_t work[LZO1X_1_MEM_COMPRESS];
	lzo_uint len = PACKED_MAX;

	*flags_ret = DUMP_DH_COMPRESSED_LZO;
	must(lzo1x_1_compress(page, page_size, out, &len, work) == LZO_E_OK);
	return len;
#else
	*flags_ret = 0;
	memcpy(out, page, page_size);
	return page_size;
#endif
}

static size_t pack(char how, const uint8_t *page, size_t page_size, uint8_t *out,
		   uint32_t *flags_ret)
{
	uLongf zlib_len = PACKED_MAX;

	switch (how) {
	case 'c':
		*flags_ret = DUMP_DH_COMPRESSED_ZLIB;
		must(compress2(out, &zlib_len, page, page_size, 1) == Z_OK);
		return zlib_len;
	case 'l':
		return pack_lzo(page, page_size, out, flags_ret);
	case 'p':
		*flags_ret = DUMP_DH_COMPRESSED_SNAPPY;
		return pack_snappy(page, page_size, out);
	case 'z':
		*flags_ret = DUMP_DH_COMPRESSED_ZSTD;
		return ZSTD_compress(out, PACKED_MAX, page, page_size, 1);
	default:
		must(how == 'r');
		*flags_ret = 0;
		memcpy(out, page, page_size);
		return page_size;
	}
}

static void set_bit(int fd, uint64_t bitmap, uint64_t pfn)
{
	uint8_t byte = 0;

	must(io_pread_full(fd, &byte, 1, bitmap + pfn / 8) >= 0);
	byte |= (uint8_t)(1 << pfn % 8);
	must(!io_pwrite_full(fd, &byte, 1, bitmap + pfn / 8));
}

static void put_pages(const struct kdump_recipe *r, int fd)
{
	static uint8_t page[65536], packed[PACKED_MAX];
	uint64_t bitmap1 = bitmaps_of(r), desc_at = kdump_build_descs(r);
	uint64_t bitmap2 = bitmap1 + bitmap_blocks_of(r) * block_of(r);
	uint64_t data = desc_at + strlen(r->pages) * sizeof(struct kdump_page_desc);

	for (size_t i = 0; r->pages[i]; i++) {
		struct kdump_page_desc desc = { 0 };
		uint64_t pfn = r->base + i;
		bool in_dump = r->pages[i] != ' ' && r->pages[i] != '.';

		if (r->pages[i] != ' ' && (in_dump || !r->one_bitmap))
			set_bit(fd, bitmap1, pfn);
		if (in_dump && !r->one_bitmap)
			set_bit(fd, bitmap2, pfn);
		if (!in_dump || (r->end_pfn && (pfn < r->first_pfn || pfn >= r->end_pfn)))
			continue;
		if (r->pages[i] != '0') {
			kdump_build_page(pfn, page, block_of(r));
			desc.size =
				(uint32_t)pack(r->pages[i], page, block_of(r), packed, &desc.flags);
			must(!io_pwrite_full(fd, packed, desc.size, data));
			desc = (struct kdump_page_desc){ htole64(data), htole32(desc.size),
							 htole32(desc.flags), 0 };
			data += le32toh(desc.size);
		}
		must(!io_pwrite_full(fd, &desc, sizeof(desc), desc_at));
		desc_at += sizeof(desc);
	}
}

/* vmcoreinfo's text, and around it a note; before version 4 nothing says where notes are. */
static void put_vmcoreinfo(const struct kdump_recipe *r, int fd, struct kdump_sub_header *sh)
{
	uint64_t at = 2 * (uint64_t)block_of(r);
	size_t len = strlen(r->vmcoreinfo);
	uint8_t note[24] = { 0 };

	put_le32(note, sizeof("VMCOREINFO"));
	put_le32(note + 4, (uint32_t)len);
	memcpy(note + 12, "VMCOREINFO", sizeof("VMCOREINFO"));
	must(!io_pwrite_full(fd, note, sizeof(note), at));
	must(!io_pwrite_full(fd, r->vmcoreinfo, len, at + sizeof(note)));
	if (version_of(r) >= 3) {
		sh->offset_vmcoreinfo = htole64(at + sizeof(note));
		sh->size_vmcoreinfo = htole64(len);
	}
	if (version_of(r) >= 4 && !r->no_notes) {
		sh->offset_note = htole64(at);
		sh->size_note = htole64(sizeof(note) + ROUND_UP(len, 4));
	}
}

int kdump_build(const struct kdump_recipe *r)
{
	int fd = memfd_create("kdump", MFD_CLOEXEC);
	struct kdump_header h = {
		.signature = KDUMP_SIGNATURE,
		.header_version = htole32(version_of(r)),
		.utsname.machine = "x86_64",
		.status = htole32(r->status),
		.block_size = htole32(block_of(r)),
		.sub_hdr_size = htole32(2),
		.bitmap_blocks = htole32((r->one_bitmap ? 1 : 2) * bitmap_blocks_of(r)),
		.max_mapnr = htole32((uint32_t)max_pfn_of(r)),
		.nr_cpus = htole32(1),
	};
	struct kdump_sub_header sh = {
		.split = htole32(r->end_pfn != 0),
		.start_pfn = htole64(r->first_pfn),
		.end_pfn = htole64(r->end_pfn),
	};

	must(fd >= 0);
	if (version_of(r) >= 6) {
		sh.start_pfn_64 = sh.start_pfn;
		sh.end_pfn_64 = sh.end_pfn;
		sh.max_mapnr_64 = htole64(max_pfn_of(r));
	} else { /* what the version does not have may be anything */
		memset(&sh.start_pfn_64, 0xee, 24);
	}
	if (r->vmcoreinfo)
		put_vmcoreinfo(r, fd, &sh);
	must(!io_pwrite_full(fd, &h, sizeof(h), 0));
	must(!io_pwrite_full(fd, &sh, sizeof(sh), block_of(r)));
	must(!ftruncate(fd, (off_t)kdump_build_descs(r)));
	put_pages(r, fd);
	return fd;
}

static void put_record(int fd, uint64_t *at, uint64_t offset, uint64_t size)
{
	uint8_t head[FLAT_RECORD_BYTES];

	put_be64(head, offset);
	put_be64(head + 8, size);
	must(!io_pwrite_full(fd, head, sizeof(head), *at));
	*at += sizeof(head);
}

static void copy_piece(int from, uint64_t offset, uint64_t size, int to, uint64_t *at)
{
	uint8_t *data = calloc(1, size);

	must(data && io_pread_full(from, data, size, offset) >= 0);
	put_record(to, at, offset, size);
	must(!io_pwrite_full(to, data, size, *at));
	*at += size;
	free(data);
}

int flatten(int fd, const struct flat_piece *pieces, size_t nr)
{
	int flat = memfd_create("flattened", MFD_CLOEXEC);
	uint8_t head[FLAT_HEADER_BYTES] = FLAT_SIGNATURE;
	uint64_t at = sizeof(head);
	struct stat st;

	put_be64(head + 16, 1);
	put_be64(head + 24, 1);
	must(flat >= 0 && !fstat(fd, &st));
	must(!io_pwrite_full(flat, head, sizeof(head), 0));
	for (size_t i = 0; pieces && i < nr; i++)
		copy_piece(fd, pieces[i].offset, pieces[i].size, flat, &at);
	for (uint64_t done = 0; !pieces && done < (uint64_t)st.st_size; done += nr)
		copy_piece(fd, done, MIN((uint64_t)st.st_size - done, (uint64_t)nr), flat, &at);
	put_record(flat, &at, UINT64_MAX, UINT64_MAX);
	close(fd);
	return flat;
}
