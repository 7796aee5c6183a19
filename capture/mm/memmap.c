// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/mm/memmap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/bytes.h"
#include "lib/util.h"

#define SECTION_PRESENT	    1u /* SECTION_MARKED_PRESENT */
#define SECTION_HAS_MEM_MAP 2u
/*
 * section_mem_map holds flags in its low bits: three in old kernels, more in newer ones,
 * up to SECTION_MAP_LAST_BIT. What they leave is the array's address less a multiple of
 * the section's size, and is a multiple of the page size whether the array was taken from
 * vmemmap, memblock or vmalloc. So all bits below that are flags, whichever are in use.
 */
#define SECTION_FLAG_BITS 12
#define PROBE_SECTIONS	  256 /* tried, or segments in FLATMEM, before giving a layout up */

/* How the table can be laid out. */
enum table_layout {
	TABLE_EXTREME,	   /* mem_section is an array of pointers to pages of sections */
	TABLE_EXTREME_PTR, /* mem_section points to that array */
	TABLE_STATIC,	   /* mem_section is an array of sections */
	TABLE_NR_LAYOUTS,
	TABLE_NONE = TABLE_NR_LAYOUTS, /* FLATMEM: one section has all of memory */
};

/*
 * @table: address of the table's first entry; in FLATMEM, of the struct page of pfn 0
 * @flat_start, @flat_end: pfns that FLATMEM's array has
 * @last_*: the mapping of the last translation
 * @hole: where the last translation failed, how many bytes fail alike; else 0
 * @section, @section_pages: the section last looked up; section_pages 0 where it has none
 */
struct memmap {
	struct core *core;
	const struct mm_facts *facts;
	enum table_layout layout;
	uint64_t table;
	uint64_t flat_start, flat_end;
	uint64_t per_root;
	uint64_t run_pages;

	bool section_valid;
	uint64_t section;
	uint64_t section_pages;

	uint64_t last_vaddr;
	uint64_t last_paddr;
	uint64_t last_len;
	uint64_t hole;

	uint8_t *buf;
};

static int read_long(struct memmap *map, uint64_t vaddr, uint64_t *value_ret)
{
	bool big = map->facts->page.big_endian;
	uint8_t raw[8];
	int err = core_read_vaddr(map->core, vaddr, raw, map->facts->page.word);

	if (err)
		return err;
	if (map->facts->page.word == 4)
		*value_ret = big ? get_be32(raw) : get_le32(raw);
	else
		*value_ret = big ? get_be64(raw) : get_le64(raw);
	return 0;
}

/* An address as the crashed kernel's own arithmetic has it. */
static uint64_t wrap(const struct memmap *map, uint64_t vaddr)
{
	return map->facts->page.word == 4 ? (uint32_t)vaddr : vaddr;
}

/* Address of the struct mem_section of section @nr. */
static int find_section(struct memmap *map, uint64_t nr, uint64_t *vaddr_ret)
{
	const struct mm_facts *f = map->facts;
	uint64_t root;
	int err;

	if (map->layout == TABLE_STATIC) {
		if (nr >= f->nr_roots)
			return -ENODATA;
		*vaddr_ret = map->table + nr * f->section_size;
		return 0;
	}
	if (nr / map->per_root >= f->nr_roots)
		return -ENODATA;
	err = read_long(map, map->table + nr / map->per_root * f->page.word, &root);
	if (err)
		return err;
	if (!root)
		return -ENODATA;
	*vaddr_ret = root + nr % map->per_root * f->section_size;
	return 0;
}

/* Address of the struct page of the section's first pfn. */
static int find_section_pages(struct memmap *map, uint64_t nr, uint64_t *vaddr_ret)
{
	const struct mm_facts *f = map->facts;
	const uint64_t want = SECTION_PRESENT | SECTION_HAS_MEM_MAP;
	uint64_t vaddr = 0, coded;
	int err;

	if (map->layout == TABLE_NONE) {
		*vaddr_ret = map->table;
		return nr ? -ENODATA : 0;
	}
	err = find_section(map, nr, &vaddr);
	if (!err)
		err = read_long(map, vaddr + f->section_map, &coded);
	if (err)
		return err;
	if ((coded & want) != want)
		return -ENODATA;
	coded &= ~((1ull << SECTION_FLAG_BITS) - 1);
	/* Meant to wrap: what is coded is the address that pfn 0 would have. */
	*vaddr_ret = wrap(map, coded + (nr << f->section_shift) * f->page.size);
	return *vaddr_ret ? 0 : -EBADMSG;
}

static uint64_t section_pages(struct memmap *map, uint64_t nr)
{
	if (!map->section_valid || map->section != nr) {
		map->section_valid = true;
		map->section = nr;
		if (find_section_pages(map, nr, &map->section_pages))
			map->section_pages = 0;
	}
	return map->section_pages;
}

static int translate(struct memmap *map, uint64_t vaddr, uint64_t *paddr_ret, uint64_t *len_ret)
{
	uint64_t in = vaddr - map->last_vaddr;

	map->hole = 0;
	if (in >= map->last_len) {
		int err = core_vaddr_to_range(map->core, vaddr, &map->last_paddr, &map->last_len);

		if (err) {
			map->hole = map->last_len;
			map->last_len = 0;
			return err;
		}
		map->last_vaddr = vaddr;
		in = 0;
	}
	*paddr_ret = map->last_paddr + in;
	*len_ret = map->last_len - in;
	return 0;
}

/* Translate as much of @len bytes as is physically contiguous. */
static int translate_run(struct memmap *map, uint64_t vaddr, size_t len, uint64_t *paddr_ret,
			 size_t *len_ret)
{
	uint64_t paddr, mapped;
	size_t done;
	int err = translate(map, vaddr, paddr_ret, &mapped);

	if (err)
		return err;
	for (done = MIN(mapped, len); done < len; done += MIN(mapped, len - done))
		if (translate(map, vaddr + done, &paddr, &mapped) || paddr != *paddr_ret + done)
			break;
	*len_ret = done;
	return 0;
}

static size_t page_rest(const struct memmap *map, uint64_t vaddr)
{
	return core_page_size(map->core) - (vaddr & (core_page_size(map->core) - 1));
}

/* Read up to @len bytes into the buffer. Return: how many could be read from @vaddr on. */
static size_t read_bytes(struct memmap *map, uint64_t vaddr, size_t len)
{
	size_t done = 0;

	while (done < len) {
		uint64_t paddr;
		size_t n;

		if (translate_run(map, vaddr + done, len - done, &paddr, &n))
			break;
		if (core_read_paddr(map->core, paddr, map->buf + done, n)) {
			/* Something in it is missing: go on as far as whole pages will. */
			n = MIN(n, page_rest(map, vaddr + done));
			if (core_read_paddr(map->core, paddr, map->buf + done, n))
				break;
		}
		done += n;
	}
	return done;
}

/* Of @left pages, how many are alike in that the array has them, or has them not. */
static uint64_t pages_left(const struct memmap *map, uint64_t pfn, uint64_t left)
{
	if (map->layout != TABLE_NONE || pfn >= map->flat_end)
		return left;
	return (pfn < map->flat_start ? map->flat_start : map->flat_end) - pfn;
}

void memmap_read(struct memmap *map, uint64_t pfn, uint64_t max, struct memmap_run *run_ret)
{
	uint32_t size = map->facts->page.size;
	uint64_t shift = map->facts->section_shift;
	uint64_t in_section = pfn & ((1ull << shift) - 1);
	uint64_t base = section_pages(map, pfn >> shift);
	uint64_t left = pages_left(map, pfn, (1ull << shift) - in_section);
	uint64_t limit = MIN(max, left), vaddr, want, got;

	run_ret->pages = NULL;
	run_ret->have = 0;
	run_ret->nr = limit;
	if (!base || (map->layout == TABLE_NONE && (pfn < map->flat_start || pfn >= map->flat_end)))
		return;
	vaddr = wrap(map, base + in_section * size);
	run_ret->nr = MIN(limit, map->run_pages - pfn % map->run_pages);
	want = MIN(run_ret->nr + 1, left);
	got = read_bytes(map, vaddr, want * size) / size;
	if (got) {
		run_ret->pages = map->buf;
		run_ret->nr = MIN(run_ret->nr, got);
		run_ret->have = got;
		return;
	}
	/* Nothing is at the first one: all that shares its page of memory is lost, and all that
	 * the entry of the page tables that says so stands for. */
	want = MAX(page_rest(map, vaddr), map->hole) / size;
	want = MAX(want, 1u);
	run_ret->nr = MIN(limit, want);
}

/* Does section @nr lead to a struct page that can be read? */
static bool probe_section(struct memmap *map, uint64_t nr, uint64_t pfn)
{
	uint64_t vaddr, in_section = pfn & ((1ull << map->facts->section_shift) - 1);

	return !find_section_pages(map, nr, &vaddr) &&
	       read_bytes(map, wrap(map, vaddr + in_section * map->facts->page.size),
			  map->facts->page.size) == map->facts->page.size;
}

static bool probe_layout(struct memmap *map)
{
	unsigned shift = map->facts->section_shift, tried = 0;
	uint64_t page_size = core_page_size(map->core), next = 0;
	const struct core_segment *seg;
	size_t nr;

	seg = core_segments(map->core, &nr);
	for (size_t i = 0; i < nr; i++) {
		uint64_t pfn = seg[i].paddr / page_size;
		uint64_t end = DIV_ROUND_UP(seg[i].paddr + seg[i].memsz, page_size);

		for (; pfn < end; pfn = ((pfn >> shift) + 1) << shift) {
			if (pfn >> shift < next)
				continue;
			if (probe_section(map, pfn >> shift, pfn))
				return true;
			next = (pfn >> shift) + 1;
			if (++tried == PROBE_SECTIONS)
				return false;
		}
	}
	return false;
}

static bool probe_flat(struct memmap *map)
{
	uint64_t page_size = core_page_size(map->core);
	const struct core_segment *seg;
	size_t nr;

	seg = core_segments(map->core, &nr);
	for (size_t i = 0; i < MIN(nr, (size_t)PROBE_SECTIONS); i++) {
		uint64_t pfn = MAX(seg[i].paddr / page_size, map->flat_start);
		uint64_t end = DIV_ROUND_UP(seg[i].paddr + seg[i].memsz, page_size);

		end = MIN(end, map->flat_end);
		if (pfn < end && probe_section(map, 0, pfn))
			return true;
	}
	return false;
}

/*
 * The array begins before node_start_pfn where that is no multiple of the allocator's largest
 * block; the pages there are none, and have never been set up.
 */
static int find_flat(struct memmap *map)
{
	const struct mm_facts *f = map->facts;
	uint64_t array, start, spanned;
	int err = read_long(map, f->node + f->node_mem_map, &array);

	map->layout = TABLE_NONE;
	if (!err)
		err = read_long(map, f->node + f->node_start_pfn, &start);
	if (!err)
		err = read_long(map, f->node + f->node_spanned, &spanned);
	if (err)
		return err;
	if (!array || start >> f->section_shift || spanned >> f->section_shift)
		return -ENODATA;
	map->flat_start = start;
	map->flat_end = start + spanned;
	map->table = wrap(map, array - start * f->page.size);
	return map->table && probe_flat(map) ? 0 : -ENODATA;
}

static int find_layout(struct memmap *map)
{
	if (map->facts->flatmem)
		return find_flat(map);
	for (unsigned i = 0; i < TABLE_NR_LAYOUTS; i++) {
		map->layout = i;
		map->table = map->facts->mem_section;
		if (i == TABLE_EXTREME_PTR && read_long(map, map->table, &map->table))
			continue;
		if (probe_layout(map))
			return 0;
	}
	return -ENODATA;
}

int memmap_create(struct core *core, const struct mm_facts *facts, struct memmap **map_ret)
{
	struct memmap *map = calloc(1, sizeof(*map));
	int err;

	if (!map)
		return -ENOMEM;
	map->core = core;
	map->facts = facts;
	map->per_root = facts->flatmem ? 0 : core_page_size(core) / facts->section_size;
	/* A power of two, so that no compound page's first two struct pages are parted. */
	map->run_pages = 1;
	while (map->run_pages * 2 * facts->page.size <= MEMMAP_RUN_BYTES)
		map->run_pages *= 2;
	map->buf = malloc((map->run_pages + 1) * facts->page.size);
	err = map->buf ? find_layout(map) : -ENOMEM;
	if (err) {
		memmap_destroy(map);
		return err;
	}
	*map_ret = map;
	return 0;
}

void memmap_destroy(struct memmap *map)
{
	if (!map)
		return;
	free(map->buf);
	free(map);
}
