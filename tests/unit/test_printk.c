// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>

#include "capture/report/printk.h"
#include "lib/util.h"
#include "tests/unit/prb_builder.h"
#include "tests/unit/test.h"

struct text {
	size_t len, max; /* -ENOSPC beyond @max */
	char buf[8192];
};

static int collect(void *ctx, const char *text, size_t len)
{
	struct text *t = ctx;

	if (len > t->max - t->len)
		return -ENOSPC;
	memcpy(t->buf + t->len, text, len);
	t->len += len;
	t->buf[t->len] = '\0';
	return 0;
}

static int dump(struct core_builder *b, struct text *t, struct printk_stats *stats)
{
	struct core *core;
	int err = core_open_fd(core_builder_finish(b), "test", &core);

	if (err)
		return err;
	*t = (struct text){ .max = t->max ? t->max : sizeof(t->buf) - 1 };
	err = printk_dump(core, collect, t, stats);
	core_close(core);
	return err;
}

/* Multi-line text, escapes, a record without text, one that is not committed, one that the
 * writer has reopened under another id, and a block at the ring's start that would wrap. */
TEST(printk, ring)
{
	static const struct prb_record records[] = {
		{ 20, 2, 0x1100, 0x1120, 0, "first" },
		{ 21, 1, 0x1020, 0x1040, 1234567890, "two\nlines\t\x01\xc3" },
		{ 22, 0, 0x1040, 0x1060, 5, "being written" },
		{ 23, 2, 1, 1, 5, "" },
		{ 24 + 16, 2, 0x1060, 0x1080, 5, "another id" },
		{ 25, 2, 0x13f0, 0x1420, 12345678901234, "wrapped" },
	};
	struct printk_stats stats;
	struct core_builder b;
	struct text t = { 0 };

	prb_builder_init(&b);
	prb_builder_span(&b, 20, 25);
	for (size_t i = 0; i < ARRAY_SIZE(records); i++)
		prb_builder_add(&b, &records[i]);
	CHECK_EQ(dump(&b, &t, &stats), 0);
	CHECK_STR(t.buf, "[    0.000000] first\n"
			 "[    1.234567] two\n"
			 "               lines\t\\x01\\xc3\n"
			 "[12345.678901] wrapped\n");
	CHECK_EQ(stats.records, 3);
	CHECK_EQ(stats.bad_records, 0);
}

TEST(printk, ids_wrap)
{
	const uint64_t last = UINT64_MAX >> 2;
	struct prb_record before = { last, 2, 0, 0x20, 0, "before" };
	struct prb_record after = { 0, 2, 0x20, 0x40, 0, "after" };
	struct printk_stats stats;
	struct core_builder b;
	struct text t = { 0 };

	prb_builder_init(&b);
	prb_builder_span(&b, last, 0);
	prb_builder_add(&b, &before);
	prb_builder_add(&b, &after);
	CHECK_EQ(dump(&b, &t, &stats), 0);
	CHECK_STR(t.buf, "[    0.000000] before\n[    0.000000] after\n");
}

TEST(printk, text_is_cut_to_its_block)
{
	struct prb_record r = { 3, 2, 0, 0x10, 0, "12345678 and what is not in the block" };
	struct printk_stats stats;
	struct core_builder b;
	struct text t = { 0 };

	prb_builder_init(&b);
	prb_builder_span(&b, 3, 3);
	prb_builder_add(&b, &r);
	CHECK_EQ(dump(&b, &t, &stats), 0);
	CHECK_STR(t.buf, "[    0.000000] 12345678\n");
}

/* What cannot be is refused or bounded; where records are left, they come out. */
TEST(printk, damaged_ring)
{
	static const struct {
		uint32_t at;
		uint64_t value;
		int err;
	} cases[] = {
		{ PRB_POINTER, 0xffffffff90000000, -ENODATA },
		{ PRB_RING, 60, -EBADMSG },
		{ PRB_RING, 0, -EBADMSG },
		{ PRB_RING + 48, 63, -EBADMSG },
		{ PRB_RING + 48, 2, -EBADMSG },
		{ PRB_RING + 8, 0xffffffff90000000, 0 },
		{ PRB_RING + 16, UINT64_MAX - 8, 0 },
		{ PRB_RING + 56, 0, 0 },
		{ PRB_RING + 32, 12345, 0 },
		{ PRB_DESCS + 3 * 24 + 8, 0x3ff, 0 },
		{ PRB_RING, 26, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct prb_record r = { 3, 2, 0, 0x20, 0, "text" };
		struct printk_stats stats;
		struct core_builder b;
		struct text t = { 0 };

		prb_builder_init(&b);
		prb_builder_span(&b, 3, 3);
		prb_builder_add(&b, &r);
		core_builder_put64(&b, cases[i].at, cases[i].value);
		CHECK_EQ(dump(&b, &t, &stats), cases[i].err);
	}
}

TEST(printk, emit_error_ends_it)
{
	struct prb_record r = { 3, 2, 0, 0x20, 0, "text" };
	struct printk_stats stats;
	struct core_builder b;
	struct text t = { .max = 4 };

	prb_builder_init(&b);
	prb_builder_span(&b, 3, 3);
	prb_builder_add(&b, &r);
	CHECK_EQ(dump(&b, &t, &stats), -ENOSPC);
}

TEST(printk, panic_line)
{
	static const struct {
		const char *lines[3];
		const char *want;
	} cases[] = {
		{ { "sysrq: Trigger a crash", "Kernel panic - not syncing: sysrq triggered crash",
		    "---[ end Kernel panic - not syncing: sysrq triggered crash ]---" },
		  "Kernel panic - not syncing: sysrq triggered crash" },
		{ { "BUG: kernel NULL pointer dereference, address: 0",
		    "Oops: 0002 [#1] PREEMPT SMP", "Kernel panic - not syncing: Fatal exception" },
		  "Kernel panic - not syncing: Fatal exception" },
		{ { "booting", "BUG: soft lockup", "Oops: 0002" }, "BUG: soft lockup" },
		{ { "Unable to handle kernel paging request at 8", "x", "y" },
		  "Unable to handle kernel paging request at 8" },
		{ { "general protection fault, maybe", "x", "y" },
		  "general protection fault, maybe" },
		{ { "fine", "still fine", "bug: no" }, "" },
		{ { "Oops: \x1b[31mred\x80", "x", "y" }, "Oops: ?[31mred?" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct printk_stats stats;
		struct core_builder b;
		struct text t = { 0 };

		prb_builder_init(&b);
		prb_builder_span(&b, 0, 2);
		for (unsigned k = 0; k < 3; k++) {
			struct prb_record r = {
				k, 2, k * 0x80, (k + 1) * 0x80, 0, cases[i].lines[k]
			};

			prb_builder_add(&b, &r);
		}
		CHECK_EQ(dump(&b, &t, &stats), 0);
		CHECK_STR(stats.panic_line, cases[i].want);
	}
}

/* ---- kernels before 5.10 ---- */

#define OLD_FACTS                                                                                  \
	"PAGESIZE=4096\nSYMBOL(init_top_pgt)=ffffffff80008000\nNUMBER(phys_base)=0\n"              \
	"SYMBOL(log_buf)=ffffffff80010000\nSYMBOL(log_buf_len)=ffffffff80010008\n"
#define RECORD_FACTS                                                                               \
	OLD_FACTS "SYMBOL(log_first_idx)=ffffffff80010010\nSYMBOL(log_next_idx)="                  \
		  "ffffffff80010014\n"
#define LOG_BYTES 0x100u

static void old_log(struct core_builder *b, const char *facts, uint32_t first, uint32_t next)
{
	core_builder_init(b);
	core_builder_ram(b, 0, PRB_RAM_END);
	core_builder_vmcoreinfo(b, facts);
	prb_builder_map(b);
	core_builder_put64(b, 0x10000, PRB_VADDR(PRB_TEXT));
	core_builder_put32(b, 0x10008, LOG_BYTES);
	core_builder_put32(b, 0x10010, first);
	core_builder_put32(b, 0x10014, next);
}

/* ts_nsec at 0, len at 8, text_len at 10, caller_id at 16 where there is one. */
static void old_record(struct core_builder *b, uint32_t idx, uint32_t len, const char *text)
{
	core_builder_put64(b, PRB_TEXT + idx, 2000001000);
	core_builder_put32(b, PRB_TEXT + idx + 8, len | (uint32_t)strlen(text) << 16);
	core_builder_put32(b, PRB_TEXT + idx + 16, 0x80000003);
	core_builder_put(b, PRB_TEXT + idx + 24, text, strlen(text));
}

TEST(printk, records)
{
	static const struct {
		const char *facts;
		const char *want;
	} cases[] = {
		{ RECORD_FACTS "SIZE(printk_log)=24\nOFFSET(printk_log.ts_nsec)=0\n"
			       "OFFSET(printk_log.len)=8\nOFFSET(printk_log.text_len)=10\n",
		  "[    2.000001] end of buffer\n[    2.000001] at its start\n" },
		{ RECORD_FACTS
		  "SIZE(printk_log)=24\nOFFSET(printk_log.ts_nsec)=0\nOFFSET(printk_log.len)=8\n"
		  "OFFSET(printk_log.text_len)=10\nOFFSET(printk_log.caller_id)=16\n",
		  "[    2.000001] [      C3] end of buffer\n[    2.000001] [      C3] at its "
		  "start\n" },
		{ RECORD_FACTS "SIZE(log)=24\nOFFSET(log.ts_nsec)=0\n"
			       "OFFSET(log.len)=8\nOFFSET(log.text_len)=10\n",
		  "[    2.000001] end of buffer\n[    2.000001] at its start\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct printk_stats stats;
		struct core_builder b;
		struct text t = { 0 };

		old_log(&b, cases[i].facts, 0x80, 0x40);
		old_record(&b, 0x80, 0x40, "end of buffer");
		old_record(&b, 0, 0x40, "at its start"); /* sent here by length 0 at 0xc0 */
		CHECK_EQ(dump(&b, &t, &stats), 0);
		CHECK_STR(t.buf, cases[i].want);
	}
}

/* A record that leads back to itself, and one longer than the buffer. */
TEST(printk, damaged_records)
{
	static const struct {
		uint32_t first, next, len;
		int err;
	} cases[] = { { 0, 0x41, 0x40, -EBADMSG },
		      { 0, 0x40, 0x10, -EBADMSG },
		      { 0, 0x40, 0x8000, -EBADMSG },
		      { 0xfffffff0, 0, 0x40, -EBADMSG } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct printk_stats stats;
		struct core_builder b;
		struct text t = { 0 };

		old_log(&b,
			RECORD_FACTS "SIZE(printk_log)=24\nOFFSET(printk_log.ts_nsec)=0\n"
				     "OFFSET(printk_log.len)=8\nOFFSET(printk_log.text_len)=10\n",
			cases[i].first, cases[i].next);
		old_record(&b, 0, cases[i].len, "text");
		CHECK_EQ(dump(&b, &t, &stats), cases[i].err);
		CHECK_EQ(stats.bad_records, 1);
	}
}

TEST(printk, characters)
{
	struct printk_stats stats;
	struct core_builder b;
	struct text t = { 0 };

	old_log(&b, OLD_FACTS "SYMBOL(log_end)=ffffffff80010010\n", LOG_BYTES + 6, 0);
	for (uint32_t i = 0; i < LOG_BYTES; i += 8)
		core_builder_put(&b, PRB_TEXT + i, "<4>[ 1] ", 8);
	core_builder_put(&b, PRB_TEXT, "newest", 6);
	core_builder_put(&b, PRB_TEXT + 6, "\n<1>[ 2.5] Oops: 1\n", 19);
	CHECK_EQ(dump(&b, &t, &stats), 0);
	CHECK_EQ(t.len, LOG_BYTES);
	CHECK(memcmp(t.buf, "\n<1>[ 2.5] Oops: 1\n", 19) == 0);
	CHECK(memcmp(t.buf + LOG_BYTES - 6, "newest", 6) == 0);
	CHECK_STR(stats.panic_line, "Oops: 1");
}

TEST(printk, no_facts)
{
	static const char *const facts[] = {
		"PAGESIZE=4096\n",
		"PAGESIZE=4096\nSYMBOL(init_top_pgt)=ffffffff80008000\nNUMBER(phys_base)=0\n",
		"PAGESIZE=4096\nSYMBOL(init_top_pgt)=ffffffff80008000\nNUMBER(phys_base)=0\n"
		"SYMBOL(prb)=ffffffff80010000\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		struct printk_stats stats;
		struct core_builder b;
		struct text t = { 0 };

		core_builder_init(&b);
		core_builder_ram(&b, 0, PRB_RAM_END);
		core_builder_vmcoreinfo(&b, facts[i]);
		prb_builder_map(&b);
		CHECK_EQ(dump(&b, &t, &stats), -ENODATA);
	}
}
