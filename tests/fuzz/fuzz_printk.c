// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The log of a crashed kernel whose memory is the input: the first byte chooses the kind
 * of log, the second shortens vmcoreinfo, the rest lies where the log's structures are.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/report/printk.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tests/unit/core_builder.h"

#define IMAGE	  0xffffffff80000000ull
#define RAM_BYTES 0x20000u
#define ROOT	  0x8000u
#define LOG_START 0x10000u

/* What is more than this need not be looked at, only bounded. */
#define MAX_OUTPUT (1u << 24)

#define COMMON_FACTS "PAGESIZE=4096\nSYMBOL(init_top_pgt)=ffffffff80008000\nNUMBER(phys_base)=0\n"

static const char *const facts[] = {
	COMMON_FACTS "SYMBOL(prb)=ffffffff80010000\n"
		     "SIZE(printk_ringbuffer)=88\n"
		     "OFFSET(printk_ringbuffer.desc_ring)=0\n"
		     "OFFSET(printk_ringbuffer.text_data_ring)=48\n"
		     "OFFSET(prb_desc_ring.count_bits)=0\n"
		     "OFFSET(prb_desc_ring.descs)=8\n"
		     "OFFSET(prb_desc_ring.infos)=16\n"
		     "OFFSET(prb_desc_ring.head_id)=24\n"
		     "OFFSET(prb_desc_ring.tail_id)=32\n"
		     "SIZE(prb_desc)=24\n"
		     "OFFSET(prb_desc.state_var)=0\n"
		     "OFFSET(prb_desc.text_blk_lpos)=8\n"
		     "OFFSET(prb_data_blk_lpos.begin)=0\n"
		     "OFFSET(prb_data_blk_lpos.next)=8\n"
		     "SIZE(printk_info)=88\n"
		     "OFFSET(printk_info.ts_nsec)=8\n"
		     "OFFSET(printk_info.text_len)=16\n"
		     "OFFSET(prb_data_ring.size_bits)=0\n"
		     "OFFSET(prb_data_ring.data)=8\n"
		     "OFFSET(atomic_long_t.counter)=0\n",
	COMMON_FACTS "SYMBOL(log_buf)=ffffffff80010000\nSYMBOL(log_buf_len)=ffffffff80010008\n"
		     "SYMBOL(log_first_idx)=ffffffff80010010\n"
		     "SYMBOL(log_next_idx)=ffffffff80010014\n"
		     "SIZE(printk_log)=20\nOFFSET(printk_log.ts_nsec)=0\n"
		     "OFFSET(printk_log.len)=8\nOFFSET(printk_log.text_len)=10\n"
		     "OFFSET(printk_log.caller_id)=16\n",
	COMMON_FACTS "SYMBOL(log_buf)=ffffffff80010000\nSYMBOL(log_buf_len)=ffffffff80010008\n"
		     "SYMBOL(log_end)=ffffffff80010010\n",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int count(void *ctx, const char *text, size_t len)
{
	size_t *left = ctx;

	if (len && memchr(text, '\x80', len)) /* reads all of it; such a byte comes as \x80 */
		return -EBADMSG;
	if (len > *left)
		return -ENOSPC;
	*left -= len;
	return 0;
}

/* The structures' pointers are set right first, so that the input need not guess them. */
static void build(struct core_builder *b, const uint8_t *data, size_t size)
{
	const char *text = facts[data[0] % ARRAY_SIZE(facts)];
	const uint64_t vaddr_paddr[2] = { IMAGE, 0 };
	uint64_t next_table = ROOT + 0x1000;
	char cut[2048];
	size_t len = strlen(text);

	/* Most inputs keep the facts whole, one in 16 loses some of their tail. */
	len = data[1] < 0xf0 ? len : len * (0xff - data[1]) / 16;
	memcpy(cut, text, len);
	cut[len] = '\0';
	core_builder_init(b);
	core_builder_ram(b, 0, RAM_BYTES);
	core_builder_vmcoreinfo(b, cut);
	core_builder_map(b, ROOT, &next_table, 2, vaddr_paddr);
	core_builder_put64(b, LOG_START, IMAGE + LOG_START + 0x100);
	core_builder_put32(b, LOG_START + 0x100, 4);
	core_builder_put64(b, LOG_START + 0x108, IMAGE + LOG_START + 0x200);
	core_builder_put64(b, LOG_START + 0x110, IMAGE + LOG_START + 0x400);
	core_builder_put32(b, LOG_START + 0x130, 10);
	core_builder_put64(b, LOG_START + 0x138, IMAGE + LOG_START + 0xa00);
	/* data[2..3] say where the bytes go. */
	core_builder_put(b, LOG_START + (data[2] | (data[3] & 7) << 8), data + 4,
			 MIN(size - 4, (size_t)(RAM_BYTES - LOG_START - 0x800)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t left = MAX_OUTPUT;
	struct printk_stats stats;
	struct core_builder b;
	struct core *core;

	if (size < 4)
		return 0;
	log_set_level(LOG_LVL_NONE);
	build(&b, data, size);
	if (core_open_fd(core_builder_finish(&b), "fuzz", &core))
		return 0;
	printk_dump(core, count, &left, &stats);
	if (strlen(stats.panic_line) >= sizeof(stats.panic_line))
		abort();
	core_close(core);
	return 0;
}
