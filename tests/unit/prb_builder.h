/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts a lockless log buffer into a core that a test or a fuzzer builds. */
#ifndef TESTS_UNIT_PRB_BUILDER_H
#define TESTS_UNIT_PRB_BUILDER_H

#include <stdint.h>

#include "tests/unit/core_builder.h"

/* Where its parts lie, physical; the kernel's addresses are PRB_VADDR() of them. */
#define PRB_IMAGE     0xffffffff80000000ull
#define PRB_VADDR(pa) (PRB_IMAGE + (pa))
#define PRB_ROOT      0x8000u /* SYMBOL(init_top_pgt) */
#define PRB_POINTER   0x10000u
#define PRB_RING      0x10100u
#define PRB_DESCS     0x11000u
#define PRB_INFOS     0x12000u
#define PRB_TEXT      0x14000u
#define PRB_RAM_END   0x18000u
#define PRB_DESC_BITS 4u
#define PRB_TEXT_BITS 10u

/** prb_builder_map() - Page tables that map the image's first 2 MiB to physical 0. */
void prb_builder_map(struct core_builder *b);

/** prb_builder_init() - RAM, vmcoreinfo and a ring without records. */
void prb_builder_init(struct core_builder *b);

/** prb_builder_span() - Say which ids the ring holds. */
void prb_builder_span(struct core_builder *b, uint64_t tail_id, uint64_t head_id);

/** struct prb_record - One record; @lpos and @next as the kernel's logical positions. */
struct prb_record {
	uint64_t id;
	unsigned state; /* 0 reserved, 1 committed, 2 finalized, 3 reusable */
	uint64_t lpos, next;
	uint64_t ts_nsec;
	const char *text;
};

/** prb_builder_add() - Write descriptor, info and text of a record. */
void prb_builder_add(struct core_builder *b, const struct prb_record *r);

#endif
