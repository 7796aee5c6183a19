// SPDX-License-Identifier: GPL-2.0-or-later
/* A crashed kernel's type information: the input as it is, where __start_BTF says. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/core/btf.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tests/unit/btf_builder.h"
#include "tests/unit/core_builder.h"

#define IMAGE	  0xffffffff81000000ull
#define BTF_BYTES (512u * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static size_t make_seed(uint8_t *data, size_t max_size)
{
	static struct btf_builder b;
	static uint8_t out[2 * BTF_BUILDER_BYTES + 24];
	size_t len;

	btf_builder_init(&b);
	btf_builder_type(&b, "int", 1u << 24, 4);
	btf_builder_words(&b, 1, (uint32_t[1]){ 32 });
	btf_builder_type(&b, NULL, 3u << 24, 0);
	btf_builder_words(&b, 3, (uint32_t[3]){ 1, 1, 4 });
	btf_builder_type(&b, NULL, 4u << 24 | 2, 20);
	btf_builder_member(&b, "b", 1, 0);
	btf_builder_member(&b, "c", 2, 32);
	btf_builder_type(&b, "t", 8u << 24, 3);
	btf_builder_type(&b, "a", 4u << 24 | 2, 24);
	btf_builder_member(&b, NULL, 3, 0);
	btf_builder_member(&b, "d", 4, 160);
	btf_builder_type(&b, "e", 6u << 24 | 1, 4);
	btf_builder_value(&b, "f", 1);
	len = btf_builder_finish(&b, out);
	if (len > max_size)
		return 0;
	memcpy(data, out, len);
	return len;
}

/* No mutation of nothing would come up with a header: start from a sound one. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	(void)seed;
	if (size < 24 || data[0] != 0x9f || data[1] != 0xeb)
		return make_seed(data, max_size);
	return LLVMFuzzerMutate(data, size, max_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct btf_query q[] = { { .path = "a.b" }, { .path = "a.c" },	{ .path = "a.d.c" },
				 { .path = "e.f" }, { .path = "a.no" }, { .path = "a" } };
	struct core_builder b;
	struct core *core;
	uint64_t table = 0x2000;

	log_set_level(LOG_LVL_NONE);
	if (size > BTF_BYTES)
		return 0;
	core_builder_init(&b);
	core_builder_ram(&b, 0, 4 << 20);
	core_builder_map(&b, 0x1000, &table, 2, (uint64_t[2]){ IMAGE, 2 << 20 });
	core_builder_put(&b, 2 << 20, data, size);
	core_builder_vmcoreinfo(&b, "SYMBOL(init_top_pgt)=ffffffff80001000\n"
				    "NUMBER(phys_base)=0\n");
	if (core_open_fd(core_builder_finish(&b), "fuzz", &core))
		return 0;
	if (!core_setup_vaddr(core))
		btf_ask(core, IMAGE, IMAGE + size, q, ARRAY_SIZE(q));
	core_close(core);
	return 0;
}
