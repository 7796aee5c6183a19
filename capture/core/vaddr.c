// SPDX-License-Identifier: GPL-2.0-or-later
/* Kernel virtual addresses, through the architecture's page-table walk. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/core/core_priv.h"
#include "lib/log.h"
#include "lib/util.h"

/* arch_mem.read(): a walk reads a few entries of the same few tables again and again. */
static int read_table(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct core *core = ctx;
	struct core_table_cache *cache = core->tables;
	uint64_t page = paddr & ~(uint64_t)(CORE_TABLE_BYTES - 1);
	size_t slot = (page / CORE_TABLE_BYTES) % CORE_TABLE_SLOTS;

	if (!range_within(paddr - page, len, CORE_TABLE_BYTES))
		return core_read_paddr(core, paddr, buf, len);
	if (cache->paddr[slot] != page) {
		int err = core_read_paddr(core, page, cache->data[slot], CORE_TABLE_BYTES);

		cache->paddr[slot] = err ? UINT64_MAX : page;
		if (err)
			return err;
	}
	memcpy(buf, cache->data[slot] + (paddr - page), len);
	return 0;
}

static int fact_symbol(void *ctx, const char *name, uint64_t *addr_ret)
{
	return vmcoreinfo_symbol(ctx, name, addr_ret);
}

static int fact_number(void *ctx, const char *name, int64_t *number_ret)
{
	return vmcoreinfo_number(ctx, name, number_ret);
}

static int fact_hex(void *ctx, const char *key, uint64_t *value_ret)
{
	return vmcoreinfo_hex(ctx, key, value_ret);
}

static bool fact_config(void *ctx, const char *name)
{
	return vmcoreinfo_config(ctx, name);
}

static struct arch_facts facts_of(const struct core *core)
{
	return (struct arch_facts){ fact_symbol, fact_number, fact_hex, fact_config, core->vi };
}

unsigned core_section_size_bits(const struct core *core)
{
	const struct arch_facts facts = facts_of(core);

	return core->arch->section_size_bits(&facts);
}

int core_setup_vaddr(struct core *core)
{
	const struct arch_facts facts = facts_of(core);
	const struct arch_mem mem = { read_table, core };
	int err;

	if (core->vaddr_ready)
		return 0;
	if (!core->vi) {
		log_warn("%s: without vmcoreinfo virtual addresses cannot be translated",
			 core->name);
		return -ENODATA;
	}
	if (!core->tables)
		core->tables = malloc(sizeof(*core->tables));
	if (!core->tables) {
		log_error("%s: out of memory", core->name);
		return -ENOMEM;
	}
	memset(core->tables->paddr, 0xff, sizeof(core->tables->paddr));
	err = core->arch->mm_init(&core->mm, &facts, &mem);
	if (err) {
		log_warn("%s: vmcoreinfo %s", core->name,
			 err == -ENODATA ? "does not say where the kernel's page tables are" :
					   "says impossible things about the page tables");
		return err;
	}
	core->vaddr_ready = true;
	return 0;
}

int core_vaddr_to_range(struct core *core, uint64_t vaddr, uint64_t *paddr_ret, uint64_t *len_ret)
{
	const struct arch_mem mem = { read_table, core };

	*len_ret = 1;
	if (!core->vaddr_ready)
		return -ENODATA;
	return core->arch->vaddr_to_paddr(&core->mm, &mem, vaddr, paddr_ret, len_ret);
}

int core_vaddr_to_paddr(struct core *core, uint64_t vaddr, uint64_t *paddr_ret)
{
	uint64_t len;

	return core_vaddr_to_range(core, vaddr, paddr_ret, &len);
}

int core_read_vaddr(struct core *core, uint64_t vaddr, void *buf, size_t len)
{
	char *p = buf;

	while (len) {
		uint64_t paddr, mapped;
		size_t n;
		int err = core_vaddr_to_range(core, vaddr, &paddr, &mapped);

		if (err)
			return err;
		n = MIN(mapped, len);
		err = core_read_paddr(core, paddr, p, n);
		if (err)
			return err;
		p += n;
		vaddr += n;
		len -= n;
	}
	return 0;
}

/* arch_mem.read(): a visit reads each table once and whole; the cache is not for it. */
static int read_whole_table(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	return core_read_paddr(ctx, paddr, buf, len);
}

int core_visit_mappings(struct core *core, const struct arch_visitor *visitor)
{
	const struct arch_mem mem = { read_whole_table, core };

	if (!core->vaddr_ready)
		return -ENODATA;
	return core->arch->visit(&core->mm, &mem, visitor);
}
