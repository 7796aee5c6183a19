// SPDX-License-Identifier: GPL-2.0-or-later
/* Pages of a kdump-compressed dump: by rank in bitmap 2, the descriptor, the data. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/core/kdump.h"
#include "capture/core/unpack.h"
#include "lib/bytes.h"
#include "lib/util.h"

#define BITMAP_AHEAD KDUMP_WINDOW_BYTES
#define DESC_AHEAD   (64u * 1024)
#define DATA_AHEAD   (256u * 1024)

/* Pages kept for who reads a few bytes here and there: page tables, structs, strings. */
#define CACHE_SLOTS 8u

/*
 * Views of their own for what is read in sequences of its own: bitmap, descriptors, data.
 * @cached: pfns in @cache; all ones for none
 */
struct kdump_reader {
	const struct kdump *kdump;
	struct file_view *bitmap_view, *desc_view, *data_view;
	struct kdump_bits bits;
	struct unpacker unpacker;
	uint8_t *packed;
	uint64_t cached[CACHE_SLOTS];
	uint8_t *cache; /* made when first needed */
};

int kdump_reader_create(struct core *core, void **state_ret)
{
	struct kdump_reader *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->kdump = core->input;
	r->packed = malloc(core->page_size);
	memset(r->cached, 0xff, sizeof(r->cached));
	err = r->packed ? file_view_create(core->file, BITMAP_AHEAD, &r->bitmap_view) : -ENOMEM;
	if (!err)
		err = file_view_create(core->file, DESC_AHEAD, &r->desc_view);
	if (!err)
		err = file_view_create(core->file, DATA_AHEAD, &r->data_view);
	if (err) {
		kdump_reader_destroy(r);
		return err;
	}
	kdump_bits_init(&r->bits, r->kdump, r->kdump->bitmap2, r->bitmap_view);
	*state_ret = r;
	return 0;
}

void kdump_reader_destroy(void *state)
{
	struct kdump_reader *r = state;

	if (!r)
		return;
	file_view_destroy(r->bitmap_view);
	file_view_destroy(r->desc_view);
	file_view_destroy(r->data_view);
	unpacker_deinit(&r->unpacker);
	free(r->packed);
	free(r->cache);
	free(r);
}

static bool in_file(const struct kdump *k, uint64_t pfn)
{
	return pfn >= k->first_pfn && pfn < k->end_pfn;
}

/* Return: 0; -ENODATA the dump does not hold the page; -errno. */
static int find_desc(struct kdump_reader *r, uint64_t pfn, struct kdump_page_desc *desc_ret)
{
	const struct kdump *k = r->kdump;
	uint64_t rank, run;
	bool held;
	int err;

	if (!in_file(k, pfn))
		return -ENODATA;
	err = kdump_bits_run(&r->bits, pfn, 1, &held, &run);
	if (err)
		return err;
	if (!held)
		return -ENODATA;
	err = kdump_bits_rank(&r->bits, pfn, &rank);
	if (err)
		return err;
	err = file_view_read(r->desc_view, k->descs + rank * sizeof(*desc_ret), desc_ret,
			     sizeof(*desc_ret));
	if (err)
		return err;
	/* All zero: the page did not make it into an incomplete dump. */
	return desc_ret->offset ? 0 : -ENODATA;
}

static int read_page(struct kdump_reader *r, uint64_t pfn, void *page)
{
	const size_t page_size = r->kdump->core->page_size;
	struct kdump_page_desc desc;
	uint32_t size;
	int err = find_desc(r, pfn, &desc);

	if (err)
		return err;
	size = le32toh(desc.size);
	if (!size || size > page_size)
		return -EBADMSG;
	err = file_view_read(r->data_view, le64toh(desc.offset), r->packed, size);
	if (err)
		return err;
	return unpack_page(&r->unpacker, le32toh(desc.flags), r->packed, size, page, page_size);
}

static int read_part(struct kdump_reader *r, uint64_t pfn, size_t in, void *buf, size_t len)
{
	const size_t page_size = r->kdump->core->page_size;
	unsigned slot = pfn % CACHE_SLOTS;
	uint8_t *page;

	if (!r->cache)
		r->cache = malloc(CACHE_SLOTS * page_size);
	if (!r->cache)
		return -ENOMEM;
	page = r->cache + slot * page_size;
	if (r->cached[slot] != pfn) {
		int err = read_page(r, pfn, page);

		r->cached[slot] = err ? UINT64_MAX : pfn;
		if (err)
			return err;
	}
	memcpy(buf, page + in, len);
	return 0;
}

int kdump_read(void *state, const struct core_segment *seg, uint64_t paddr, void *buf, size_t len)
{
	struct kdump_reader *r = state;
	const size_t page_size = r->kdump->core->page_size;

	(void)seg;
	while (len) {
		size_t in = paddr % page_size, n = MIN(page_size - in, len);
		int err = n == page_size ? read_page(r, paddr / page_size, buf) :
					   read_part(r, paddr / page_size, in, buf, n);

		if (err)
			return err;
		buf = (char *)buf + n;
		paddr += n;
		len -= n;
	}
	return 0;
}

uint64_t kdump_held_run(void *state, uint64_t pfn, uint64_t max, bool *held_ret)
{
	struct kdump_reader *r = state;
	const struct kdump *k = r->kdump;
	uint64_t run;

	*held_ret = false;
	if (pfn < k->first_pfn)
		return MIN(max, k->first_pfn - pfn);
	if (pfn >= k->end_pfn)
		return max;
	/* Should the bitmap not be readable, reading the pages will tell. */
	if (kdump_bits_run(&r->bits, pfn, MIN(max, k->end_pfn - pfn), held_ret, &run)) {
		*held_ret = true;
		return 1;
	}
	return run;
}
