// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/report/printk.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>

#include "capture/report/report_private.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"

int log_source_facts(const struct log_source *src, const struct log_fact *facts, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct log_fact *f = &facts[i];
		const char *kind = f->kind == FACT_SIZE ? "SIZE" : "OFFSET";
		int err = f->kind == FACT_SIZE ? vmcoreinfo_size(src->vi, f->name, f->value) :
						 vmcoreinfo_offset(src->vi, f->name, f->value);

		if (err) {
			log_error("vmcoreinfo has no usable %s(%s), which the log needs", kind,
				  f->name);
			return err;
		}
		if (*f->value > f->max) {
			log_error("vmcoreinfo's %s(%s) is %" PRIu64 ", which cannot be", kind,
				  f->name, *f->value);
			return -EBADMSG;
		}
	}
	return 0;
}

uint64_t log_source_long(const struct log_source *src, const void *p)
{
	return src->long_size == 8 ? get_le64(p) : get_le32(p);
}

int log_source_symbol_value(const struct log_source *src, const char *symbol, size_t len,
			    uint64_t *value_ret)
{
	uint8_t buf[8] = { 0 };
	uint64_t addr;
	int err = vmcoreinfo_symbol(src->vi, symbol, &addr);

	if (err) {
		log_error("vmcoreinfo has no usable SYMBOL(%s), which the log needs", symbol);
		return err;
	}
	err = core_read_vaddr(src->core, addr, buf, len);
	if (err) {
		log_error("the crashed kernel's variable %s cannot be read", symbol);
		return err;
	}
	*value_ret = get_le64(buf);
	return 0;
}

/* Newest first: which of the forms a kernel has shows in its symbols. */
static const struct {
	const char *symbol;
	int (*dump)(const struct log_source *src);
} log_forms[] = {
	{ "prb", log_ring_dump },
	{ "log_first_idx", log_records_dump },
	{ "log_end", log_chars_dump },
};

int printk_dump(struct core *core, int (*emit)(void *ctx, const char *text, size_t len), void *ctx,
		struct printk_stats *stats_ret)
{
	_free_ struct log_text *text = calloc(1, sizeof(*text));
	struct log_source src = {
		.core = core,
		.vi = core_vmcoreinfo(core),
		.text = text,
		.long_size = core_arch(core)->elf_class == ELFCLASS64 ? 8 : 4,
	};
	uint64_t addr;
	int err, flush_err;

	*stats_ret = (struct printk_stats){ 0 };
	if (!text)
		return -ENOMEM;
	*text = (struct log_text){ .emit = emit, .ctx = ctx, .stats = stats_ret };
	if (!src.vi) {
		log_error("the core has no vmcoreinfo, so the log cannot be found");
		return -ENODATA;
	}
	err = core_setup_vaddr(core);
	if (err)
		return err;
	for (size_t i = 0; i < ARRAY_SIZE(log_forms); i++) {
		if (vmcoreinfo_symbol(src.vi, log_forms[i].symbol, &addr) == -ENODATA)
			continue;
		err = log_forms[i].dump(&src);
		flush_err = log_text_flush(text);
		return err ? err : flush_err;
	}
	log_error("vmcoreinfo does not say where the log is");
	return -ENODATA;
}
