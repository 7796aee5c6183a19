// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's own things: parts of its image, per-CPU areas, memory, slab caches. */
#include <stdlib.h>

#include "capture/mm/vital_priv.h"
#include "lib/bytes.h"
#include "lib/util.h"

#define MAX_CPUS   8192u /* CONFIG_MAXSMP */
#define MAX_UNIT   (16u << 20)
#define MAX_ROOTS  (1u << 20) /* of SPARSEMEM_EXTREME: 2^18 with 52 bits of address */
#define MAX_NODES  1024u
#define MAX_CACHES 4096u
#define MAX_NAME   64u
#define MAX_STACK  (256ull << 10)

static void add_symbols(struct vital *v, enum vital_symbol from, enum vital_symbol to,
			enum vital_tier tier)
{
	uint64_t start = v->symbols[from], end = v->symbols[to];

	if (start && end > start)
		vital_add(v, start, end - start, tier);
}

bool vital_knows_image(const struct vital *v)
{
	static const enum vital_symbol parts[] = {
		SYM__stext, SYM__etext,	      SYM___start_rodata, SYM___end_rodata, SYM__sdata,
		SYM__edata, SYM___init_begin, SYM___bss_start,	  SYM__end,
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (!v->symbols[parts[i]] || (i && v->symbols[parts[i]] < v->symbols[parts[i - 1]]))
			return false;
	return true;
}

/* Readers have the image's symbols and types from elsewhere: these can wait. */
static void add_rodata(struct vital *v)
{
	uint64_t start = v->symbols[SYM___start_rodata], end = v->symbols[SYM___end_rodata];
	uint64_t btf = v->symbols[SYM___start_BTF], btf_end = v->symbols[SYM___stop_BTF];

	if (btf <= start || btf_end < btf || end < btf_end) {
		add_symbols(v, SYM___start_rodata, SYM___end_rodata, VITAL_RODATA);
		return;
	}
	add_symbols(v, SYM___start_rodata, SYM___start_BTF, VITAL_RODATA);
	add_symbols(v, SYM___start_BTF, SYM___stop_BTF, VITAL_SYMBOLS);
	add_symbols(v, SYM___stop_BTF, SYM___end_rodata, VITAL_RODATA);
}

/*
 * x86's .bss..decrypted fills whole large pages, and what is not used of it is given back
 * (b3f0907c71e0, 5.0; mem_encrypt_free_decrypted_mem()).
 */
static void add_bss(struct vital *v)
{
	const uint64_t start = v->symbols[SYM___bss_start], end = v->symbols[SYM__end];
	const uint64_t unused = v->symbols[SYM___start_bss_decrypted_unused];
	const uint64_t unused_end = v->symbols[SYM___end_bss_decrypted];

	if (unused < start || unused_end < unused || unused_end > end) {
		vital_add(v, start, end - start, VITAL_DATA);
		return;
	}
	vital_add(v, start, unused - start, VITAL_DATA);
	vital_add(v, unused_end, end - unused_end, VITAL_DATA);
}

/* Between __init_begin and __bss_start is what was needed for booting and is given back. */
static void find_image(struct vital *v)
{
	if (!vital_knows_image(v))
		return;
	add_symbols(v, SYM__stext, SYM__etext, VITAL_TEXT);
	add_rodata(v);
	add_symbols(v, SYM__sdata, SYM__edata, VITAL_DATA);
	add_symbols(v, SYM___start_ro_after_init, SYM___end_ro_after_init, VITAL_DATA);
	add_symbols(v, SYM__edata, SYM___init_begin, VITAL_RODATA);
	add_bss(v);
}

static uint64_t ring_member(const struct vital *v, uint64_t prb, const char *ring,
			    const char *member)
{
	const struct vmcoreinfo *vi = core_vmcoreinfo(v->core);
	uint64_t at, in;

	if (vmcoreinfo_offset(vi, ring, &at) || vmcoreinfo_offset(vi, member, &in))
		return 0;
	return vital_word(v, prb + at + in);
}

/* The log: in the image, or allocated at boot (log_buf_len=, or many CPUs). */
static void find_log(struct vital *v)
{
	static const char desc_ring[] = "printk_ringbuffer.desc_ring";
	static const char text_ring[] = "printk_ringbuffer.text_data_ring";
	const struct vmcoreinfo *vi = core_vmcoreinfo(v->core);
	uint64_t prb, desc_size, info_size, count_bits, size_bits;

	if (vmcoreinfo_symbol(vi, "prb", &prb) || vmcoreinfo_size(vi, "prb_desc", &desc_size) ||
	    vmcoreinfo_size(vi, "printk_info", &info_size))
		return;
	prb = vital_word(v, prb);
	if (!prb)
		return;
	count_bits = (uint32_t)ring_member(v, prb, desc_ring, "prb_desc_ring.count_bits");
	size_bits = (uint32_t)ring_member(v, prb, text_ring, "prb_data_ring.size_bits");
	if (count_bits > 32 || size_bits > 32 || desc_size > 4096 || info_size > 4096)
		return;
	vital_add(v, ring_member(v, prb, desc_ring, "prb_desc_ring.descs"), desc_size << count_bits,
		  VITAL_DATA);
	vital_add(v, ring_member(v, prb, desc_ring, "prb_desc_ring.infos"), info_size << count_bits,
		  VITAL_DATA);
	vital_add(v, ring_member(v, prb, text_ring, "prb_data_ring.data"), 1ull << size_bits,
		  VITAL_DATA);
}

/*
 * Bytes of one CPU's area: what is linked in and, behind it, what is given out by
 * alloc_percpu() from the first chunk (mm/percpu.c). What is left of a unit is given back.
 */
static uint64_t percpu_bytes(const struct vital *v, uint64_t linked)
{
	uint64_t chunk = v->symbols[SYM_pcpu_first_chunk], base = v->symbols[SYM_pcpu_base_addr];
	uint64_t start, pages, len;

	if (!chunk || !base || !VITAL_HAS(v, FIELD_PCPU_CHUNK_BASE, FIELD_PCPU_CHUNK_PAGES))
		return linked;
	chunk = vital_word(v, chunk);
	base = vital_word(v, base);
	if (!chunk || !base)
		return linked;
	start = vital_member(v, chunk, FIELD_PCPU_CHUNK_BASE);
	pages = vital_u32(v, chunk + vital_offset(v, FIELD_PCPU_CHUNK_PAGES));
	len = start - base + pages * core_page_size(v->core);
	return start >= base && len >= linked && len <= MAX_UNIT ? len : linked;
}

/* What ran on the CPU whose area is at @offset, and the stacks it had left for interrupts. */
static void add_running(struct vital *v, uint64_t offset)
{
	uint64_t rq = v->symbols[SYM_runqueues];
	static const struct {
		enum vital_symbol symbol;
		enum vital_field type;
	} stacks[] = {
		{ SYM_exception_stacks, FIELD_EXCEPTION_STACKS },
		{ SYM_irq_stack_backing_store, FIELD_IRQ_STACK },
	};

	for (size_t i = 0; i < ARRAY_SIZE(stacks); i++)
		if (v->symbols[stacks[i].symbol])
			vital_add_stack(v, v->symbols[stacks[i].symbol] + offset,
					MIN(vital_size(v, stacks[i].type), MAX_STACK), VITAL_CPUS);
	if (!rq)
		return;
	vital_add_task(v, vital_member(v, rq + offset, FIELD_RQ_CURR), VITAL_CPUS, VITAL_CPUS);
	vital_add_task(v, vital_member(v, rq + offset, FIELD_RQ_IDLE), VITAL_CPUS, VITAL_CPUS);
}

static void find_cpus(struct vital *v)
{
	uint64_t start = v->symbols[SYM___per_cpu_start], end = v->symbols[SYM___per_cpu_end];
	uint64_t offsets = v->symbols[SYM___per_cpu_offset], len;
	uint32_t nr = v->symbols[SYM_nr_cpu_ids] ? vital_u32(v, v->symbols[SYM_nr_cpu_ids]) : 0;

	if (!offsets || end <= start || end - start > MAX_UNIT)
		return;
	len = percpu_bytes(v, end - start);
	for (uint32_t cpu = 0; cpu < MIN(nr, MAX_CPUS); cpu++) {
		uint64_t offset = vital_word(v, offsets + (uint64_t)vital_word_size(v) * cpu);

		if (!offset)
			continue;
		vital_add(v, start + offset, len, VITAL_CPUS);
		add_running(v, offset);
	}
}

/*
 * The tables that lead to struct pages. With SPARSEMEM_EXTREME, mem_section is an array of
 * pointers to pages of struct mem_section; else it is the structures, within the image.
 */
static void find_sections(struct vital *v)
{
	const struct vmcoreinfo *vi = core_vmcoreinfo(v->core);
	uint64_t roots, nr, page = core_page_size(v->core);
	const unsigned word = vital_word_size(v);
	uint8_t raw[4096];

	if (vmcoreinfo_symbol(vi, "mem_section", &roots) ||
	    vmcoreinfo_length(vi, "mem_section", &nr) || nr > MAX_ROOTS)
		return;
	vital_add(v, roots, word * nr, VITAL_MEMORY);
	for (uint64_t i = 0; i < nr; i++) {
		uint64_t at = i % (sizeof(raw) / word) * word, root;

		if (!at && core_read_vaddr(v->core, roots + word * i, raw,
					   MIN(sizeof(raw), word * (nr - i))))
			return;
		root = vital_get_word(v, raw + at);
		if (root)
			vital_add(v, root, page, VITAL_MEMORY);
	}
}

/* FLATMEM's only node, and its struct pages, which the linear map has. */
static void find_flatmem(struct vital *v)
{
	const struct vmcoreinfo *vi = core_vmcoreinfo(v->core);
	uint64_t node, size, map, spanned, page_struct, len;

	if (vmcoreinfo_symbol(vi, "contig_page_data", &node) ||
	    vmcoreinfo_size(vi, "pglist_data", &size) ||
	    vmcoreinfo_size(vi, "page", &page_struct) ||
	    vmcoreinfo_offset(vi, "pglist_data.node_mem_map", &map) ||
	    vmcoreinfo_offset(vi, "pglist_data.node_spanned_pages", &spanned))
		return;
	vital_add(v, node, size, VITAL_MEMORY);
	if (!__builtin_mul_overflow(vital_word(v, node + spanned), page_struct, &len))
		vital_add(v, vital_word(v, node + map), len, VITAL_MEMMAP);
}

static void find_nodes(struct vital *v)
{
	const struct vmcoreinfo *vi = core_vmcoreinfo(v->core);
	uint64_t nodes = v->symbols[SYM_node_data], nr = 1, size;

	if (!nodes || vmcoreinfo_size(vi, "pglist_data", &size))
		return;
	if (vmcoreinfo_length(vi, "node_data", &nr))
		nr = MAX_NODES;
	for (uint64_t i = 0; i < MIN(nr, (uint64_t)MAX_NODES); i++) {
		uint64_t node = vital_word(v, nodes + vital_word_size(v) * i);

		if (node)
			vital_add(v, node, size, VITAL_MEMORY);
	}
}

static void add_cache(struct vital *v, uint64_t cache)
{
	const struct btf_query *nodes = &v->fields[FIELD_KMEM_CACHE_NODE];
	uint64_t name = vital_member(v, cache, FIELD_KMEM_CACHE_NAME);

	vital_add(v, cache, vital_size(v, FIELD_KMEM_CACHE), VITAL_MEMORY);
	vital_add(v, name, MAX_NAME, VITAL_MEMORY);
	for (uint32_t i = 0; nodes->found && i < MIN(nodes->nr, MAX_NODES); i++) {
		uint64_t node = vital_word(v, cache + nodes->bit_offset / 8 +
						      (uint64_t)vital_word_size(v) * i);

		if (!node)
			return;
		vital_add(v, node, vital_size(v, FIELD_KMEM_CACHE_NODE_SIZE), VITAL_MEMORY);
	}
}

static void find_caches(struct vital *v)
{
	struct vital_list list;

	if (!v->symbols[SYM_slab_caches] || !VITAL_HAS(v, FIELD_KMEM_CACHE, FIELD_KMEM_CACHE_LIST))
		return;
	vital_list_start(&list, v, v->symbols[SYM_slab_caches], MAX_CACHES);
	while (vital_list_next(&list))
		add_cache(v, list.at - vital_offset(v, FIELD_KMEM_CACHE_LIST));
}

/* A table of strings, and the strings. */
static void add_strings(struct vital *v, uint64_t table, uint64_t len)
{
	uint64_t start = v->symbols[SYM___start_rodata], end = v->symbols[SYM___end_rodata];

	vital_add(v, table, table ? len : 0, VITAL_MEMORY);
	for (uint64_t at = 0; table && at < len; at += vital_word_size(v)) {
		uint64_t word = vital_word(v, table + at);

		if (word >= start && word < end)
			vital_add(v, word, MAX_NAME, VITAL_MEMORY);
	}
}

/*
 * What a reader wants to see before it begins: crash compares linux_banner with vmlinux's,
 * gives up where it cannot disassemble schedule(), and has no `sys` for a tainted kernel whose
 * letters for the taints are missing.
 */
static void find_checks(struct vital *v)
{
	static const struct {
		enum vital_symbol symbol;
		uint32_t len;
	} checks[] = {
		{ SYM_linux_banner, 512 }, { SYM_schedule, 16384 },   { SYM_mt_slots, 16 },
		{ SYM_mt_pivots, 16 },	   { SYM___schedule, 16384 }, { SYM_taint_flags, 1024 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		vital_add(v, v->symbols[checks[i].symbol], checks[i].len, VITAL_MEMORY);
	add_strings(v, v->symbols[SYM_pageflag_names], 1024);
	add_strings(v, v->symbols[SYM_task_state_array], 256);
	if (v->symbols[SYM_saved_command_line])
		vital_add(v, vital_word(v, v->symbols[SYM_saved_command_line]), 2048, VITAL_MEMORY);
}

void vital_find_kernel(struct vital *v)
{
	find_image(v);
	find_log(v);
	find_cpus(v);
	find_sections(v);
	find_flatmem(v);
	find_nodes(v);
	find_caches(v);
	find_checks(v);
}
