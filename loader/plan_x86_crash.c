// SPDX-License-Identifier: GPL-2.0-or-later
/* What a load for a panic has besides: the elfcorehdr, and the backup of the low memory. */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/util.h"
#include "loader/plan_x86.h"

/* All memory but the reservations, sorted. */
static int saved_ram(const struct machine *m, struct iomem *ram)
{
	int err = iomem_select(ram, &m->iomem, IOMEM_RAM);

	if (!err)
		err = iomem_select(ram, &m->iomem, IOMEM_RAM_DRIVER);
	for (size_t i = 0; i < ram->nr; i++)
		ram->ranges[i].type = IOMEM_RAM;
	iomem_sort(ram);
	for (size_t i = 0; !err && i < m->iomem.nr; i++)
		if (m->iomem.ranges[i].type == IOMEM_CRASH)
			err = iomem_exclude(ram, m->iomem.ranges[i].start, m->iomem.ranges[i].end);
	return err;
}

/* The memory below 640 KiB, in whole pages: what it holds is moved. */
static void find_backup(struct x86_plan *p, const struct iomem *ram)
{
	uint64_t from = UINT64_MAX, to = 0;

	/* Sorted: the first gives the start, the last one the end. */
	for (size_t i = 0; i < ram->nr && ram->ranges[i].start < LOW_MEMORY_END; i++) {
		from = MIN(from, ram->ranges[i].start & ~(PLACE_PAGE - 1));
		to = MIN(ram->ranges[i].end, (uint64_t)LOW_MEMORY_END);
	}
	p->backup_from = to ? from : 0;
	p->backup_len = to ? to - from : 0;
}

static bool beyond_4g(const struct iomem *ram)
{
	return ram->nr && ram->ranges[ram->nr - 1].end > FOUR_GIB;
}

static int place_backup(struct x86_plan *p, char *why)
{
	static const uint8_t nothing[1];
	struct place_want want = { .name = "the backup of the low memory",
				   .len = p->backup_len,
				   .top = true };
	struct kexec_plan_segment *seg;
	int err;

	if (!p->backup_len)
		return 0;
	err = place_take(&p->place, &want, &p->backup_to, why);
	if (err)
		return err;
	seg = kexec_plan_add(&p->plan, "backup", nothing, 0);
	seg->addr = p->backup_to;
	seg->mem_len = ROUND_UP(p->backup_len, PLACE_PAGE);
	seg->checked = false;
	return 0;
}

static int write_elfcorehdr(struct x86_plan *p, const struct iomem *ram, char *why)
{
	const struct machine *m = p->m;
	struct elfcorehdr h = {
		.class = m->bits == 64 || beyond_4g(ram) ? ELFCLASS64 : ELFCLASS32,
		.machine = m->bits == 64 ? EM_X86_64 : EM_386,
		.notes = m->notes,
		.nr_notes = m->nr_notes,
		.ram = ram,
		.backup_from = p->backup_from,
		.backup_len = p->backup_len,
		.backup_to = p->backup_to,
		.text_vaddr = m->text_vaddr,
		.text_paddr = m->text_paddr,
		.text_len = m->text_len,
		.page_offset = m->page_offset,
		.lowmem_end = m->lowmem_end,
	};
	/* A kernel that does not update the elfcorehdr leaves it as it was verified. */
	bool hotplug = kexec_updates_elfcorehdr(p->req, m);
	struct place_want want = { .name = "the elfcorehdr", .top = true };
	struct kexec_plan_segment *seg;
	size_t len;
	uint8_t *data;
	int err;

	want.len = MAX(elfcorehdr_size(&h), hotplug ? m->elfcorehdr_size : 0);
	want.len = ROUND_UP(want.len, PLACE_PAGE);
	err = place_take(&p->place, &want, &p->elfcorehdr, why);
	if (err)
		return err;
	p->elfcorehdr_len = want.len;
	data = kexec_plan_own(&p->plan, malloc(want.len));
	if (!data)
		return plan_x86_fail(why, -ENOMEM, "no memory for the elfcorehdr");
	err = elfcorehdr_write(&h, data, want.len, &len);
	if (err)
		return plan_x86_fail(why, err,
				     "this machine's memory cannot be told in an elfcorehdr");
	seg = kexec_plan_add(&p->plan, "elfcorehdr", data, want.len);
	seg->addr = p->elfcorehdr;
	seg->checked = !hotplug;
	return 0;
}

int plan_x86_crash(struct x86_plan *p, char *why)
{
	struct iomem ram = { 0 };
	int err = saved_ram(p->m, &ram);

	if (err) {
		iomem_free(&ram);
		return plan_x86_fail(why, err, "no memory to plan with");
	}
	find_backup(p, &ram);
	err = place_backup(p, why);
	if (!err)
		err = write_elfcorehdr(p, &ram, why);
	iomem_free(&ram);
	return err;
}
