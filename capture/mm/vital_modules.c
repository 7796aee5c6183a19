// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Modules. A module's memory is one block and one for its initial part
 * (core_layout, init_layout; kernel 7523e4dc5057, v4.5), or one for each kind of
 * content (mem[]; ac3b43283923, v6.4). Its struct module lies within.
 */
#include <stdlib.h>

#include "capture/mm/vital_priv.h"
#include "lib/util.h"

#define MAX_MODULES 4096u
#define MAX_MEM	    16u /* mem[] has 7 */

static void add_memory(struct vital *v, uint64_t base, uint32_t size)
{
	if (base)
		vital_add(v, base, size, VITAL_MODULES);
}

static void add_layout(struct vital *v, uint64_t module, enum vital_field base,
		       enum vital_field size)
{
	if (v->fields[base].found && v->fields[size].found)
		add_memory(v, vital_member(v, module, base),
			   vital_u32(v, module + vital_offset(v, size)));
}

static void add_mem(struct vital *v, uint64_t module)
{
	const struct btf_query *mem = &v->fields[FIELD_MODULE_MEM];

	if (!VITAL_HAS(v, FIELD_MODULE_MEM, FIELD_MODULE_MEMORY, FIELD_MODULE_MEM_BASE,
		       FIELD_MODULE_MEM_SIZE))
		return;
	for (uint32_t i = 0; i < MIN(mem->nr, MAX_MEM); i++) {
		uint64_t at = module + mem->bit_offset / 8 + i * vital_size(v, FIELD_MODULE_MEMORY);

		add_memory(v, vital_member(v, at, FIELD_MODULE_MEM_BASE),
			   vital_u32(v, at + vital_offset(v, FIELD_MODULE_MEM_SIZE)));
	}
}

void vital_find_modules(struct vital *v)
{
	struct vital_list list;

	if (!v->symbols[SYM_modules] || !VITAL_HAS(v, FIELD_MODULE, FIELD_MODULE_LIST))
		return;
	vital_list_start(&list, v, v->symbols[SYM_modules], MAX_MODULES);
	while (vital_list_next(&list)) {
		uint64_t module = list.at - vital_offset(v, FIELD_MODULE_LIST);

		vital_add(v, module, MIN(vital_size(v, FIELD_MODULE), 65536ull), VITAL_MODULES);
		add_layout(v, module, FIELD_MODULE_CORE_BASE, FIELD_MODULE_CORE_SIZE);
		add_layout(v, module, FIELD_MODULE_INIT_BASE, FIELD_MODULE_INIT_SIZE);
		add_mem(v, module);
	}
}
