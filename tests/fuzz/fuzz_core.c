// SPDX-License-Identifier: GPL-2.0-or-later
/* ELF cores: the file as it is. */
#include <elf.h>

#include "tests/fuzz/core_target.h"
#include "tests/unit/core_builder.h"

/* A memory map of a few pages, all within one 2 MiB page at virtual address 0. */
static const char seed_vmcoreinfo[] = "SYMBOL(init_top_pgt)=ffffffff80001000\n"
				      "NUMBER(phys_base)=0\n"
				      "SYMBOL(mem_section)=8000\n"
				      "LENGTH(mem_section)=512\n"
				      "SIZE(mem_section)=16\n"
				      "OFFSET(mem_section.section_mem_map)=0\n"
				      "SIZE(page)=64\n"
				      "OFFSET(page.flags)=0\n"
				      "OFFSET(page.mapping)=24\n"
				      "OFFSET(page._mapcount)=48\n"
				      "OFFSET(page.private)=40\n"
				      "OFFSET(page.compound_head)=8\n"
				      "LENGTH(zone.free_area)=11\n"
				      "NUMBER(PG_lru)=5\n"
				      "NUMBER(PG_private)=14\n"
				      "NUMBER(PG_swapcache)=10\n"
				      "NUMBER(PG_swapbacked)=17\n"
				      "NUMBER(PG_hwpoison)=20\n"
				      "NUMBER(PG_head_mask)=64\n"
				      "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-184549376\n"
				      "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-268435456\n"
				      "NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)=-201326592\n"
				      "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-251658240\n";

/* A page of which the file holds the first word, or as many bytes as asked for. */
static void seed_page(struct core_builder *b, uint64_t paddr, uint64_t word, uint64_t bytes)
{
	uint64_t end = b->end + bytes;

	core_builder_ram(b, paddr, bytes);
	b->loads[b->nr_loads - 1].p_memsz = 4096;
	b->end = end;
	core_builder_put64(b, paddr, word);
}

static size_t make_seed(uint8_t *data, size_t max_size)
{
	struct core_builder b;
	ssize_t n;
	int fd;

	core_builder_init(&b);
	b.end = 2048;
	seed_page(&b, 0x1000, 0x2003, 8); /* page tables */
	seed_page(&b, 0x2000, 0x3003, 8);
	seed_page(&b, 0x3000, 0x83, 8);
	seed_page(&b, 0x8000, 0x9000, 8);			  /* mem_section[0] */
	seed_page(&b, 0x9000, 0xa003, 16);			  /* section 0 */
	seed_page(&b, 0xa000, 0, 12 * 64);			  /* struct pages */
	core_builder_put64(&b, 0xa000 + 64, 1 << 5 | 1 << 14);	  /* page 1: LRU, private */
	core_builder_put64(&b, 0xa000 + 2 * 64, 1 << 5 | 64);	  /* page 2: head of two ... */
	core_builder_put64(&b, 0xa000 + 2 * 64 + 24, 1);	  /* ... anonymous ... */
	core_builder_put64(&b, 0xa000 + 3 * 64, 1);		  /* ... order 1 */
	core_builder_put64(&b, 0xa000 + 3 * 64 + 8, 1);		  /* ... tail */
	core_builder_put32(&b, 0xa000 + 8 * 64 + 48, 0xf0000000); /* page 8: buddy, order 1 */
	core_builder_put64(&b, 0xa000 + 8 * 64 + 40, 1);
	core_builder_put64(&b, 0xa000 + 10 * 64, 1 << 20); /* page 10: hwpoison */
	core_builder_vmcoreinfo(&b, seed_vmcoreinfo);
	fd = core_builder_finish(&b);
	n = io_pread_full(fd, data, max_size, 0);
	close(fd);
	return n > 0 ? (size_t)n : 0;
}

/* No mutation of nothing would come up with an ELF core: start from a sound one. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	(void)seed;
	if (size < 64 || memcmp(data, ELFMAG, SELFMAG))
		return make_seed(data, max_size);
	return LLVMFuzzerMutate(data, size, max_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || io_write_full(fd, data, size))
		abort();
	feed_core(fd);
	return 0;
}
