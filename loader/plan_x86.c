// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The segments of a load on x86: kernel, initrd, zero page with command line, purgatory, and
 * for a panic elfcorehdr and backup of the low memory.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/boot_params.h"
#include "arch/x86/purgatory.h"
#include "lib/sha256.h"
#include "lib/util.h"
#include "loader/kexec_load.h"
#include "loader/plan_x86.h"

#define FIRST_MIB 0x100000ULL /* nothing is placed below */

/* A UART's clock over 16: the divisor of 115200 baud is 1. */
#define UART_BAUD_MAX 115200

int plan_x86_fail(char *why, int err, const char *sentence)
{
	snprintf(why, WHY_SIZE, "%s", sentence);
	return err;
}

/* ---- which memory there is to use ---- */

static int free_ram(const struct machine *m, struct iomem *free_ret)
{
	int err = iomem_select(free_ret, &m->iomem, IOMEM_RAM);

	iomem_sort(free_ret);
	if (!err)
		err = iomem_exclude(free_ret, 0, FIRST_MIB);
	for (size_t i = 0; !err && i < m->iomem.nr; i++)
		if (m->iomem.ranges[i].type == IOMEM_CRASH)
			err = iomem_exclude(free_ret, m->iomem.ranges[i].start,
					    m->iomem.ranges[i].end);
	return err;
}

/*
 * What is tried one after the other. For a panic: each reservation, the highest first, since a
 * second one below 4 GiB is there for the capture kernel's DMA. For a reboot: below 4 GiB, then
 * anywhere.
 */
static int attempt_place(const struct x86_plan *p, unsigned attempt, struct place *place)
{
	const struct iomem *iomem = &p->m->iomem;
	struct iomem crash = { 0 };
	int err;

	*place = (struct place){ .min = p->req->mem_min, .max = p->req->mem_max ?: UINT64_MAX };
	if (!p->req->crash) {
		place->what = "the machine's memory";
		if (attempt > 1)
			return -ENOENT;
		if (attempt == 0)
			place->max = MIN(place->max, (uint64_t)FOUR_GIB);
		return free_ram(p->m, &place->free);
	}
	place->what = "the memory that crashkernel= reserved";
	err = iomem_select(&crash, iomem, IOMEM_CRASH);
	iomem_sort(&crash);
	if (!err && attempt >= crash.nr)
		err = -ENOENT;
	if (!err)
		err = iomem_add(&place->free, crash.ranges[crash.nr - 1 - attempt].start,
				crash.ranges[crash.nr - 1 - attempt].end, IOMEM_CRASH);
	iomem_free(&crash);
	return err;
}

/* ---- the memory that the new kernel is told of ---- */

static int crash_map(const struct x86_plan *p, struct iomem *map)
{
	static const enum iomem_type as_they_are[] = { IOMEM_ACPI_TABLES, IOMEM_ACPI_NVS,
						       IOMEM_RESERVED,	  IOMEM_UNUSABLE,
						       IOMEM_PMEM,	  IOMEM_PMEM_LEGACY };
	const struct iomem *iomem = &p->m->iomem;
	int err = iomem_select(map, iomem, IOMEM_RAM);

	iomem_sort(map);
	if (!err)
		err = iomem_exclude(map, LOW_MEMORY_END, UINT64_MAX);
	if (!err)
		err = iomem_select(map, iomem, IOMEM_CRASH);
	for (size_t i = 0; !err && i < map->nr; i++)
		map->ranges[i].type = IOMEM_RAM;
	if (!err)
		err = iomem_exclude(map, p->elfcorehdr, p->elfcorehdr + p->elfcorehdr_len);
	if (!err)
		err = iomem_exclude(map, p->backup_to,
				    p->backup_to + ROUND_UP(p->backup_len, PLACE_PAGE));
	for (size_t i = 0; !err && i < ARRAY_SIZE(as_they_are); i++)
		err = iomem_select(map, iomem, as_they_are[i]);
	iomem_sort(map);
	return err;
}

/* The firmware's map; where the kernel does not tell it, what the kernel made of it. */
static int reboot_map(const struct x86_plan *p, struct iomem *map)
{
	const struct iomem *from = p->m->firmware.nr ? &p->m->firmware : &p->m->iomem;
	int err = 0;

	for (size_t i = 0; !err && i < from->nr; i++)
		if (from == &p->m->firmware || (from->ranges[i].type >= IOMEM_RAM &&
						from->ranges[i].type != IOMEM_RAM_DRIVER &&
						from->ranges[i].type < IOMEM_CRASH))
			err = iomem_add(map, from->ranges[i].start, from->ranges[i].end,
					from->ranges[i].type);
	iomem_sort(map);
	return err;
}

/* ---- initrd, zero page, purgatory ---- */

static int plan_initrd(struct x86_plan *p, char *why)
{
	struct place_want want = {
		.name = "the initrd", .len = p->req->initrd_len, .max = p->data_max, .top = true
	};
	struct kexec_plan_segment *seg;
	int err;

	if (!p->req->initrd_len)
		return 0;
	err = place_take(&p->place, &want, &p->initrd, why);
	if (err)
		return err;
	seg = kexec_plan_add(&p->plan, "initrd", p->req->initrd, p->req->initrd_len);
	seg->addr = p->initrd;
	return 0;
}

/* In front, as the kernel does it itself: behind a "--" it would not be seen. */
static int compose(const struct x86_plan *p, char *out, size_t size)
{
	int n = 0;

	*out = '\0';
	if (p->req->crash)
		n = snprintf(out, size, "elfcorehdr=0x%" PRIx64 " ", p->elfcorehdr);
	/* In the zero page since protocol 2.14 (5.0, ae7e1238e68f). */
	if (p->m->rsdp && p->image && p->image->protocol < 0x020e)
		n += snprintf(out + n, size - n, "acpi_rsdp=0x%" PRIx64 " ", p->m->rsdp);
	if (strlen(p->req->cmdline) >= size - n)
		return -E2BIG;
	memcpy(out + n, p->req->cmdline, strlen(p->req->cmdline) + 1);
	return 0;
}

static int plan_boot_params(struct x86_plan *p, const struct iomem *map, char *why)
{
	struct place_want want = { .name = "the command line", .max = p->data_max, .top = true };
	size_t room = strlen(p->req->cmdline) + 128;
	char *cmdline = kexec_plan_own(&p->plan, malloc(room));
	bool efi = !(p->req->flags & KEXEC_LOAD_NO_EFI) && p->m->bits == 64 && !p->entry_32;
	struct boot_params bp = {
		.image = p->image,
		.running = p->m->has_boot_params ? p->m->boot_params : NULL,
		.map = map,
		.efi = efi ? &p->m->efi : NULL,
		.cmdline = cmdline,
		.seed = p->m->has_seed ? p->m->seed : NULL,
		.kernel = p->kernel,
		.initrd = p->initrd,
		.initrd_len = p->req->initrd_len,
		.rsdp = p->m->rsdp,
	};
	struct kexec_plan_segment *seg;
	uint8_t *data;
	int err;

	if (!cmdline || compose(p, cmdline, room))
		return plan_x86_fail(why, -ENOMEM, "no memory for the command line");
	if (p->image && p->image->cmdline_size && strlen(cmdline) > p->image->cmdline_size) {
		snprintf(why, WHY_SIZE,
			 "the command line is too long: with what is added it has "
			 "%zu bytes, and this kernel takes %" PRIu32,
			 strlen(cmdline), p->image->cmdline_size);
		return -E2BIG;
	}
	want.len = boot_params_size(&bp);
	err = place_take(&p->place, &want, &p->boot_params, why);
	if (err)
		return err;
	bp.self = p->boot_params;
	data = kexec_plan_own(&p->plan, malloc(want.len));
	if (!data)
		return plan_x86_fail(why, -ENOMEM, "no memory for the command line");
	boot_params_write(&bp, data);
	p->plan.cmdline = cmdline;
	seg = kexec_plan_add(&p->plan, "boot_params", data, want.len);
	seg->addr = p->boot_params;
	return 0;
}

static void digest(const struct kexec_plan *plan, struct purgatory_params *params)
{
	struct sha256 sha;

	sha256_init(&sha);
	for (unsigned i = 0; i < plan->nr_segments; i++) {
		const struct kexec_plan_segment *seg = &plan->segments[i];

		if (!seg->checked || !seg->len)
			continue;
		sha256_update(&sha, seg->data, seg->len);
		params->regions[params->nr_regions++] =
			(struct purgatory_region){ seg->addr, seg->len };
	}
	sha256_final(&sha, params->digest);
}

static int plan_purgatory(struct x86_plan *p, char *why)
{
	struct purgatory_blob blob = purgatory_find(p->m->bits);
	struct purgatory_params params = {
		.flags = (p->req->flags & KEXEC_LOAD_NO_CHECK ? PURGATORY_NO_CHECK : 0) |
			 (p->entry_32 ? PURGATORY_ENTRY_32 : 0),
		.kernel = p->entry,
		.boot_params = p->boot_params,
		.backup_from = p->backup_from,
		.backup_to = p->backup_to,
		.backup_len = p->backup_len,
		.serial_port = p->req->serial_port,
	};
	struct place_want want = { .name = "the purgatory", .top = true };
	struct kexec_plan_segment *seg;
	uint32_t entry = 0;
	uint8_t *data;
	size_t size;
	uint64_t addr;
	int err = purgatory_memory_size(blob, &size, &entry);

	if (err)
		return plan_x86_fail(why, err,
				     "this build has no purgatory for the running kernel, which "
				     "kexec_load(2) needs");
	want.len = size;
	if (p->entry_32 || p->m->bits == 32)
		want.max = FOUR_GIB;
	err = place_take(&p->place, &want, &addr, why);
	if (err)
		return err;
	if (p->req->serial_baud)
		params.serial_divisor = MAX(UART_BAUD_MAX / p->req->serial_baud, 1u);
	digest(&p->plan, &params);
	data = kexec_plan_own(&p->plan, malloc(blob.len));
	if (!data)
		return plan_x86_fail(why, -ENOMEM, "no memory for the purgatory");
	memcpy(data, blob.data, blob.len);
	purgatory_fill(data, &params);
	seg = kexec_plan_add(&p->plan, "purgatory", data, blob.len);
	seg->addr = addr;
	seg->mem_len = ROUND_UP(size, PLACE_PAGE);
	seg->checked = false;
	p->plan.entry = addr + entry;
	return 0;
}

/* ---- the whole ---- */

static int plan_segments(struct x86_plan *p, char *why)
{
	struct iomem map = { 0 };
	int err = plan_x86_kernel(p, why);

	if (!err && p->req->crash)
		err = plan_x86_crash(p, why);
	if (!err)
		err = plan_initrd(p, why);
	if (err)
		return err;
	err = p->req->crash ? crash_map(p, &map) : reboot_map(p, &map);
	if (err)
		plan_x86_fail(why, err, "no memory to plan with");
	else
		err = plan_boot_params(p, &map, why);
	iomem_free(&map);
	return err ? err : plan_purgatory(p, why);
}

int kexec_plan_x86(const struct kexec_request *req, const struct machine *m,
		   struct kexec_plan *plan_ret, char *why)
{
	char first[WHY_SIZE] = "", again[WHY_SIZE];
	int first_err = 0;

	for (unsigned attempt = 0;; attempt++) {
		struct x86_plan p = { .req = req, .m = m };
		int err = attempt_place(&p, attempt, &p.place);

		if (err == -ENOENT && !attempt) {
			iomem_free(&p.place.free);
			return plan_x86_fail(
				why, -EADDRNOTAVAIL,
				"no memory is reserved for a capture kernel: add "
				"crashkernel=256M to the kernel command line and reboot");
		}
		if (err == -ENOENT) {
			iomem_free(&p.place.free);
			return plan_x86_fail(why, first_err, first);
		}
		*again = '\0';
		if (!err)
			err = plan_segments(&p, again);
		iomem_free(&p.place.free);
		if (!err) {
			*plan_ret = p.plan;
			return 0;
		}
		kexec_plan_free(&p.plan);
		if (err != -EADDRNOTAVAIL)
			return plan_x86_fail(why, err, *again ? again : "no memory to plan with");
		if (!first_err) {
			first_err = err;
			memcpy(first, again, sizeof(first));
		}
	}
}
