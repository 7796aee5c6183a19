// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/prb_builder.h"

#include <string.h>

/* As kernel 6.1 on x86_64 says it. */
static const char vmcoreinfo[] = "OSRELEASE=6.1.0-test\n"
				 "PAGESIZE=4096\n"
				 "SYMBOL(swapper_pg_dir)=ffffffff80008000\n"
				 "SYMBOL(init_top_pgt)=ffffffff80008000\n"
				 "NUMBER(phys_base)=0\n"
				 "NUMBER(pgtable_l5_enabled)=0\n"
				 "SYMBOL(prb)=ffffffff80010000\n"
				 "SIZE(printk_ringbuffer)=88\n"
				 "OFFSET(printk_ringbuffer.desc_ring)=0\n"
				 "OFFSET(printk_ringbuffer.text_data_ring)=48\n"
				 "SIZE(prb_desc_ring)=48\n"
				 "OFFSET(prb_desc_ring.count_bits)=0\n"
				 "OFFSET(prb_desc_ring.descs)=8\n"
				 "OFFSET(prb_desc_ring.infos)=16\n"
				 "OFFSET(prb_desc_ring.head_id)=24\n"
				 "OFFSET(prb_desc_ring.tail_id)=32\n"
				 "SIZE(prb_desc)=24\n"
				 "OFFSET(prb_desc.state_var)=0\n"
				 "OFFSET(prb_desc.text_blk_lpos)=8\n"
				 "SIZE(prb_data_blk_lpos)=16\n"
				 "OFFSET(prb_data_blk_lpos.begin)=0\n"
				 "OFFSET(prb_data_blk_lpos.next)=8\n"
				 "SIZE(printk_info)=88\n"
				 "OFFSET(printk_info.seq)=0\n"
				 "OFFSET(printk_info.ts_nsec)=8\n"
				 "OFFSET(printk_info.text_len)=16\n"
				 "OFFSET(printk_info.caller_id)=20\n"
				 "SIZE(prb_data_ring)=32\n"
				 "OFFSET(prb_data_ring.size_bits)=0\n"
				 "OFFSET(prb_data_ring.data)=8\n"
				 "SIZE(atomic_long_t)=8\n"
				 "OFFSET(atomic_long_t.counter)=0\n";

void prb_builder_map(struct core_builder *b)
{
	const uint64_t vaddr_paddr[2] = { PRB_IMAGE, 0 };
	uint64_t next_table = PRB_ROOT + 0x1000;

	core_builder_map(b, PRB_ROOT, &next_table, 2, vaddr_paddr);
}

void prb_builder_init(struct core_builder *b)
{
	core_builder_init(b);
	core_builder_ram(b, 0, PRB_RAM_END);
	core_builder_vmcoreinfo(b, vmcoreinfo);
	prb_builder_map(b);
	core_builder_put64(b, PRB_POINTER, PRB_VADDR(PRB_RING));
	core_builder_put32(b, PRB_RING, PRB_DESC_BITS);
	core_builder_put64(b, PRB_RING + 8, PRB_VADDR(PRB_DESCS));
	core_builder_put64(b, PRB_RING + 16, PRB_VADDR(PRB_INFOS));
	core_builder_put32(b, PRB_RING + 48, PRB_TEXT_BITS);
	core_builder_put64(b, PRB_RING + 56, PRB_VADDR(PRB_TEXT));
}

void prb_builder_span(struct core_builder *b, uint64_t tail_id, uint64_t head_id)
{
	core_builder_put64(b, PRB_RING + 24, head_id);
	core_builder_put64(b, PRB_RING + 32, tail_id);
}

void prb_builder_add(struct core_builder *b, const struct prb_record *r)
{
	const uint64_t i = r->id % (1u << PRB_DESC_BITS), text_size = 1u << PRB_TEXT_BITS;
	const size_t len = strlen(r->text);
	uint64_t at = r->lpos % text_size;

	core_builder_put64(b, PRB_DESCS + i * 24, r->id | (uint64_t)r->state << 62);
	core_builder_put64(b, PRB_DESCS + i * 24 + 8, r->lpos);
	core_builder_put64(b, PRB_DESCS + i * 24 + 16, r->next);
	core_builder_put64(b, PRB_INFOS + i * 88 + 8, r->ts_nsec);
	core_builder_put32(b, PRB_INFOS + i * 88 + 16, len);
	if (r->lpos == r->next)
		return;
	if (r->lpos / text_size != (r->next - 1) / text_size)
		at = 0; /* a block that would wrap stands at the start */
	core_builder_put64(b, PRB_TEXT + at, r->id);
	core_builder_put(b, PRB_TEXT + at + 8, r->text, len);
}
