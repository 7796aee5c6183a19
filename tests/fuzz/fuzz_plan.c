// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A load is planned of whatever the kernel image holds. What comes out is what the kernel wants
 * of segments, lies where it may, and was made without reading beyond the image.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"
#include "loader/kexec_load.h"
#include "tests/unit/x86_builder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct kexec_plan *plan, const struct iomem *iomem)
{
	for (unsigned i = 0; i < plan->nr_segments; i++) {
		const struct kexec_plan_segment *s = &plan->segments[i];
		bool within = false;

		if (s->addr % PLACE_PAGE || s->mem_len % PLACE_PAGE || s->len > s->mem_len)
			abort();
		for (size_t j = 0; j < iomem->nr; j++) {
			const struct iomem_range *r = &iomem->ranges[j];

			within |= r->type == IOMEM_CRASH && s->addr >= r->start &&
				  s->addr + s->mem_len <= r->end;
		}
		if (!within)
			abort();
		for (unsigned j = 0; j < i; j++)
			if (s->addr < plan->segments[j].addr + plan->segments[j].mem_len &&
			    plan->segments[j].addr < s->addr + s->mem_len)
				abort();
	}
}

/* The first byte chooses what is asked for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t initrd[5000];
	struct kexec_request req = {
		.crash = true,
		.initrd = initrd,
		.initrd_len = sizeof(initrd),
		.cmdline = "panic=5",
	};
	struct kexec_plan plan;
	char why[WHY_SIZE] = "";
	struct machine m;
	int err;

	if (!size || x86_machine(&m, data[0] & 1 ? x86_iomem_high : x86_iomem_bios))
		return 0;
	m.bits = data[0] & 2 ? 64 : 32;
	m.la57 = data[0] & 4;
	req.flags = data[0] & 8 ? KEXEC_LOAD_ENTRY_32 : 0;
	req.kernel = data + 1;
	req.kernel_len = size - 1;
	err = kexec_plan_x86(&req, &m, &plan, why);
	if (err) {
		if (strlen(why) < 10)
			abort();
	} else {
		check(&plan, &m.iomem);
		kexec_plan_free(&plan);
	}
	machine_free(&m);
	return 0;
}
