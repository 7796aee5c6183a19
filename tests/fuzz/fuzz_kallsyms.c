// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kernel's symbol table that was sound before the input: its first byte chooses a layout,
 * then each four bytes change one, by place (three bytes) and value. The same memory goes
 * through all that looks for what is vital.
 */
#include <stdint.h>
#include <stdlib.h>

#include "capture/core/kallsyms.h"
#include "capture/mm/vital.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tests/unit/core_builder.h"
#include "tests/unit/kallsyms_builder.h"

#define IMAGE	  KALLSYMS_BUILDER_IMAGE
#define RAM_BYTES (4u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct kallsyms_symbol symbols[] = {
	{ "T_stext", IMAGE },
	{ "Dinit_uts_ns", IMAGE + 0x1800 },
	{ "Dinit_task", IMAGE + 0x2000 },
	{ "Dmodules", IMAGE + 0x2100 },
	{ "D__per_cpu_offset", IMAGE + 0x2200 },
	{ "Dnr_cpu_ids", IMAGE + 0x2300 },
	{ "D__per_cpu_start", IMAGE + 0x3000 },
	{ "D__per_cpu_end", IMAGE + 0x4000 },
	{ "Drunqueues", IMAGE + 0x3100 },
	{ "Dnode_data", IMAGE + 0x2400 },
	{ "Dslab_caches", IMAGE + 0x2500 },
};

static const struct kallsyms_builder layouts[] = {
	{ ENTRIES_OFFSET, .offsets_first = true, .align = 8, .named = true },
	{ ENTRIES_PERCPU, .offsets_first = true, .align = 8 },
	{ ENTRIES_PERCPU, .align = 8, .named = true },
	{ ENTRIES_OFFSET, .align = 4 },
	{ ENTRIES_PLACE, .align = 4, .named = true },
	{ ENTRIES_ABSOLUTE, .offsets_first = true, .align = 8, .named = true },
};

static const uint8_t *input;
static size_t input_len;

static void change(const struct kallsyms_builder *k, struct core_builder *b)
{
	(void)k;
	for (size_t i = 0; i + 4 <= input_len; i += 4) {
		uint32_t at =
			input[i] | (uint32_t)input[i + 1] << 8 | (uint32_t)(input[i + 2] & 3) << 16;

		core_builder_put(b, kallsyms_builder_paddr(KALLSYMS_BUILDER_TABLES - 0x40000) + at,
				 input + i + 3, 1);
	}
}

static void look_for_vital(struct core *core)
{
	const struct vital_range *r;
	struct vital *v;
	uint64_t next = 0;
	size_t nr;

	if (vital_create(core, &v))
		return;
	r = vital_ranges(v, &nr);
	for (size_t i = 0; i < nr; i++) {
		if (!r[i].nr || r[i].pfn < next || r[i].tier >= VITAL_NR_TIERS)
			abort();
		next = r[i].pfn + r[i].nr;
	}
	if (nr > VITAL_MAX_RANGES || next > RAM_BYTES / 4096)
		abort();
	vital_destroy(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "init_task", "fill7919", "nonesuch" };
	struct kallsyms_builder how;
	struct kallsyms *k;
	struct core *core;
	uint64_t addrs[3];

	log_set_level(LOG_LVL_NONE);
	if (!size)
		return 0;
	how = layouts[data[0] % ARRAY_SIZE(layouts)];
	input = data + 1;
	input_len = size - 1;
	if (core_open_fd(kallsyms_builder_make(&how, symbols, ARRAY_SIZE(symbols), change), "fuzz",
			 &core))
		return 0;
	if (!kallsyms_open(core, &k)) {
		kallsyms_find(k, names, ARRAY_SIZE(names), addrs);
		kallsyms_close(k);
	}
	look_for_vital(core);
	core_close(core);
	return 0;
}
