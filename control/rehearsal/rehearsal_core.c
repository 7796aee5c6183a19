// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/rehearsal/rehearsal_core.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/elf_core.h"
#include "lib/util.h"

#define RELEASE "6.12.0-rehearsal"

/* Virtual: the kernel's image, whose first byte is the first of this memory, and the memory map;
 * Documentation/arch/x86/x86_64/mm.rst. */
#define IMAGE	   UINT64_C(0xffffffff80000000)
#define DIRECT_MAP UINT64_C(0xffff888000000000)
#define VMEMMAP	   UINT64_C(0xffffea0000000000)

/* What is where, from the first byte on. */
enum {
	AT_ELF = 0,
	AT_CPU_NOTE = 0x1000,
	AT_INFO_NOTE = 0x2000,
	AT_MEMORY = 0x4000, /* from here on it is the crashed kernel's */
	AT_PGD = 0x4000,
	AT_PUD_IMAGE = 0x5000,
	AT_PMD_IMAGE = 0x6000,
	AT_PUD_MAP = 0x7000,
	AT_PMD_MAP = 0x8000,
	AT_VARIABLES = 0x9000,
	AT_SECTIONS = 0xa000,
	AT_LOG = 0xb000,
	AT_ROOTS = 0x10000,	    /* 2048 pointers */
	AT_STRUCT_PAGES = 2u << 20, /* the memory map of the 128 MiB around it */
};

enum {
	VAR_LOG_BUF = AT_VARIABLES,
	VAR_LOG_LEN = AT_VARIABLES + 8,
	VAR_LOG_FIRST = AT_VARIABLES + 12,
	VAR_LOG_NEXT = AT_VARIABLES + 16,
	VAR_UTSNAME = AT_VARIABLES + 64,
};

#define PAGE		  4096u
#define LARGE_PAGE	  (2u << 20)
#define NR_PAGES	  (REHEARSAL_CORE_BYTES / PAGE)
#define SECTION_BITS	  27u
#define SECTION_BYTES	  16u
#define STRUCT_PAGE_BYTES 64u
#define LOG_HEADER_BYTES  16u
#define LOG_BYTES	  4096u
#define FREE_ORDER	  9u
#define NOTE_CPU_BYTES	  336u /* struct elf_prstatus */

/* In a page-table entry: present and writable, and a large page. */
#define TABLE_ENTRY 0x3u
#define LARGE_ENTRY 0x83u

/* As kernel/vmcore_info.c has it; what depends on where it lies is added behind it. The log is in
 * the form of kernels up to 5.9, which takes the fewest structures. */
static const char info[] = "OSRELEASE=" RELEASE "\n"
			   "PAGESIZE=4096\n"
			   "OFFSET(uts_namespace.name)=0\n"
			   "NUMBER(pgtable_l5_enabled)=0\n"
			   "KERNELOFFSET=0\n"
			   "NUMBER(KERNEL_IMAGE_SIZE)=1073741824\n"
			   "LENGTH(mem_section)=2048\n"
			   "SIZE(mem_section)=16\n"
			   "OFFSET(mem_section.section_mem_map)=0\n"
			   "NUMBER(SECTION_SIZE_BITS)=27\n"
			   "NUMBER(MAX_PHYSMEM_BITS)=46\n"
			   "SIZE(page)=64\n"
			   "SIZE(list_head)=16\n"
			   "OFFSET(list_head.next)=0\n"
			   "OFFSET(list_head.prev)=8\n"
			   "OFFSET(page.flags)=0\n"
			   "OFFSET(page._refcount)=52\n"
			   "OFFSET(page.mapping)=24\n"
			   "OFFSET(page.lru)=8\n"
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
			   "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-251658240\n"
			   "SIZE(printk_log)=16\n"
			   "OFFSET(printk_log.ts_nsec)=0\n"
			   "OFFSET(printk_log.len)=8\n"
			   "OFFSET(printk_log.text_len)=10\n"
			   "OFFSET(printk_log.dict_len)=12\n";

static const struct {
	const char *name;
	unsigned at;
} symbols[] = {
	{ "_stext", AT_MEMORY },	  { "swapper_pg_dir", AT_PGD },
	{ "init_top_pgt", AT_PGD },	  { "mem_section", AT_ROOTS },
	{ "init_uts_ns", VAR_UTSNAME },	  { "log_buf", VAR_LOG_BUF },
	{ "log_buf_len", VAR_LOG_LEN },	  { "log_first_idx", VAR_LOG_FIRST },
	{ "log_next_idx", VAR_LOG_NEXT },
};

static const char *const log_lines[] = {
	("Linux version " RELEASE),
	"Command line: vmcorectl test --vm",
	"Nothing has crashed: this log was made up.",
	REHEARSAL_CORE_PANIC,
};

/* gABI, "Note Section". Return: its length. */
static size_t put_note(uint8_t *to, const char *name, uint32_t type, const void *desc, size_t len)
{
	const Elf64_Nhdr head = { (uint32_t)strlen(name) + 1, (uint32_t)len, type };
	size_t at = sizeof(head) + ROUND_UP(head.n_namesz, 4u);

	memcpy(to, &head, sizeof(head));
	memcpy(to + sizeof(head), name, head.n_namesz);
	memcpy(to + at, desc, len);
	return ROUND_UP(at + len, 4u);
}

static size_t put_info(uint8_t *to, uint64_t paddr, int64_t when)
{
	char text[AT_MEMORY - AT_INFO_NOTE - 64];
	size_t len = sizeof(info) - 1;

	memcpy(text, info, len);
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "SYMBOL(%s)=%" PRIx64 "\n",
					symbols[i].name, IMAGE + symbols[i].at);
	len += (size_t)snprintf(text + len, sizeof(text) - len,
				"NUMBER(phys_base)=%" PRIu64 "\nCRASHTIME=%" PRId64 "\n", paddr,
				when);
	return put_note(to, "VMCOREINFO", 0, text, len);
}

static Elf64_Phdr segment(uint32_t type, uint64_t paddr, uint64_t vaddr, size_t len)
{
	return (Elf64_Phdr){
		.p_type = type,
		.p_flags = type == PT_LOAD ? PF_R | PF_W | PF_X : 0,
		.p_offset = paddr, /* in an elfcorehdr it is an address */
		.p_vaddr = vaddr,
		.p_paddr = paddr,
		.p_filesz = len,
		.p_memsz = len,
	};
}

/* The kernel that reads them is little-endian, and so is any that runs this program. */
static void put_headers(uint8_t *m, uint64_t paddr, int64_t when)
{
	static const uint8_t prstatus[NOTE_CPU_BYTES];
	static const struct elf_core elf = { .class = ELFCLASS64, .machine = EM_X86_64 };
	size_t cpu = put_note(m + AT_CPU_NOTE, "CORE", NT_PRSTATUS, prstatus, sizeof(prstatus));
	size_t vmcoreinfo = put_info(m + AT_INFO_NOTE, paddr, when);
	const Elf64_Phdr phdrs[] = {
		segment(PT_NOTE, paddr + AT_CPU_NOTE, 0, cpu),
		segment(PT_NOTE, paddr + AT_INFO_NOTE, 0, vmcoreinfo),
		segment(PT_LOAD, paddr + AT_MEMORY, DIRECT_MAP + paddr + AT_MEMORY,
			REHEARSAL_CORE_BYTES - AT_MEMORY),
	};
	uint8_t *to = m + AT_ELF + elf_core_ehdr_bytes(&elf);

	elf_core_put_ehdr(&elf, ARRAY_SIZE(phdrs), 0, m + AT_ELF);
	for (size_t i = 0; i < ARRAY_SIZE(phdrs); i++, to += elf_core_phdr_bytes(&elf))
		elf_core_put_phdr(&elf, &phdrs[i], to);
}

/* @level: 4 for the PGD, which has the highest bits */
static void put_entry(uint8_t *m, unsigned table, unsigned level, uint64_t vaddr, uint64_t value)
{
	put_le64(m + table + (vaddr >> (12 + 9 * (level - 1)) & 511) * 8, value);
}

static uint64_t map_of(uint64_t paddr)
{
	return VMEMMAP + paddr / PAGE * STRUCT_PAGE_BYTES;
}

static void put_tables(uint8_t *m, uint64_t paddr)
{
	put_entry(m, AT_PGD, 4, IMAGE, (paddr + AT_PUD_IMAGE) | TABLE_ENTRY);
	put_entry(m, AT_PUD_IMAGE, 3, IMAGE, (paddr + AT_PMD_IMAGE) | TABLE_ENTRY);
	for (unsigned at = 0; at < REHEARSAL_CORE_BYTES; at += LARGE_PAGE)
		put_entry(m, AT_PMD_IMAGE, 2, IMAGE + at, (paddr + at) | LARGE_ENTRY);
	put_entry(m, AT_PGD, 4, VMEMMAP, (paddr + AT_PUD_MAP) | TABLE_ENTRY);
	put_entry(m, AT_PUD_MAP, 3, map_of(paddr), (paddr + AT_PMD_MAP) | TABLE_ENTRY);
	put_entry(m, AT_PMD_MAP, 2, map_of(paddr), (paddr + AT_STRUCT_PAGES) | LARGE_ENTRY);
}

/* struct page of 6.12: flags, private, _mapcount. */
static void put_struct_page(uint8_t *p, uint64_t flags, uint64_t private, uint32_t mapcount)
{
	put_le64(p, flags);
	put_le64(p + 40, private);
	put_le32(p + 48, mapcount);
}

/* Sparsemem with vmemmap: include/linux/mmzone.h, mm/sparse.c. */
static void put_memory_map(uint8_t *m, uint64_t paddr)
{
	uint8_t *pages = m + AT_STRUCT_PAGES + map_of(paddr) % LARGE_PAGE;

	put_le64(m + AT_ROOTS, IMAGE + AT_SECTIONS);
	put_le64(m + AT_SECTIONS + (paddr >> SECTION_BITS) * SECTION_BYTES, VMEMMAP | 3);
	for (unsigned i = 0; i < NR_PAGES; i++) {
		uint8_t *page = pages + i * STRUCT_PAGE_BYTES;
		bool cache =
			i >= REHEARSAL_CORE_KEPT && i < REHEARSAL_CORE_KEPT + REHEARSAL_CORE_CACHE;
		bool block = i == REHEARSAL_CORE_KEPT + REHEARSAL_CORE_CACHE;

		put_struct_page(page, cache ? 1u << 5 : 0, block ? FREE_ORDER : 0,
				block ? 0xf0000000u : 0xffffffffu);
	}
}

/* struct printk_log of kernel/printk/printk.c before v5.10, and struct new_utsname. */
static void put_variables(uint8_t *m)
{
	static const char *const names[] = { "Linux", "rehearsal", RELEASE, "#1", "x86_64" };
	unsigned at = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		memcpy(m + VAR_UTSNAME + 65 * i, names[i], strlen(names[i]));
	for (size_t i = 0; i < ARRAY_SIZE(log_lines); i++) {
		uint8_t *record = m + AT_LOG + at;
		size_t len = strlen(log_lines[i]);
		size_t whole = ROUND_UP(LOG_HEADER_BYTES + len, (size_t)8);

		put_le64(record, (i + 1) * 1000000000ull);
		put_le16(record + 8, (uint16_t)whole);
		put_le16(record + 10, (uint16_t)len);
		memcpy(record + LOG_HEADER_BYTES, log_lines[i], len);
		at += (unsigned)whole;
	}
	put_le64(m + VAR_LOG_BUF, IMAGE + AT_LOG);
	put_le32(m + VAR_LOG_LEN, LOG_BYTES);
	put_le32(m + VAR_LOG_NEXT, at);
}

/* Pages that are not all alike: a run of numbers, which packs as memory does. */
static void put_pages(uint8_t *m)
{
	uint32_t x = 1;

	for (unsigned at = 2 * LARGE_PAGE; at < REHEARSAL_CORE_BYTES; at += 8) {
		x = x * 1664525u + 1013904223u;
		put_le32(m + at, x >> 20);
		put_le32(m + at + 4, at);
	}
}

void *rehearsal_core_make(uint64_t paddr, int64_t when)
{
	uint8_t *m = calloc(1, REHEARSAL_CORE_BYTES);

	if (!m)
		return NULL;
	put_headers(m, paddr, when);
	put_tables(m, paddr);
	put_memory_map(m, paddr);
	put_variables(m);
	put_pages(m);
	return m;
}
