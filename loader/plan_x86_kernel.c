// SPDX-License-Identifier: GPL-2.0-or-later
/* Where an x86 kernel goes, and how it is entered. */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/util.h"
#include "loader/plan_x86.h"

#define FOUR_GIB 0x100000000ULL

/* Where a kernel for a reboot goes by preference: CONFIG_PHYSICAL_START's default. */
#define REBOOT_MIN 0x1000000ULL

static int no_exec(char *why, const char *sentence)
{
	snprintf(why, WHY_SIZE, "%s", sentence);
	return -ENOEXEC;
}

/* ---- bzImage ---- */

/* A 64-bit kernel is entered in 64-bit mode where the running one is in it, unless it could not
 * bear the page tables that it would find. */
static bool wants_entry_32(const struct x86_plan *p)
{
	uint16_t flags = p->bzimage.xloadflags;

	return p->m->bits == 32 || !(flags & BZIMAGE_KERNEL_64) ||
	       (p->m->la57 && !(flags & BZIMAGE_5LEVEL)) || (p->req->flags & KEXEC_LOAD_ENTRY_32);
}

static int place_bzimage(struct x86_plan *p, char *why)
{
	struct place_want want = {
		.name = "the kernel (with the room to unpack itself)",
		.len = p->bzimage.init_size,
		.align = p->bzimage.align,
		.max = p->data_max,
		.min = p->req->crash ? 0 : REBOOT_MIN,
	};

	if (!p->bzimage.relocatable) {
		p->kernel = p->bzimage.pref_address;
		return place_take_at(&p->place, &want, p->kernel, why);
	}
	return place_take(&p->place, &want, &p->kernel, why);
}

static int plan_bzimage(struct x86_plan *p, char *why)
{
	struct kexec_plan_segment *seg;
	int err;

	p->image = &p->bzimage;
	p->entry_32 = wants_entry_32(p);
	if (p->entry_32 || !(p->bzimage.xloadflags & BZIMAGE_ABOVE_4G))
		p->data_max = MIN(p->bzimage.initrd_max + 1, (uint64_t)FOUR_GIB);
	err = place_bzimage(p, why);
	if (err)
		return err;
	p->entry = p->kernel + (p->entry_32 ? 0 : BZIMAGE_ENTRY_64);
	seg = kexec_plan_add(&p->plan, "kernel", p->bzimage.code, p->bzimage.code_len);
	seg->addr = p->kernel;
	seg->mem_len = ROUND_UP(p->bzimage.init_size, PLACE_PAGE);
	return 0;
}

int plan_x86_kernel(struct x86_plan *p, char *why)
{
	int err = bzimage_read(p->req->kernel, p->req->kernel_len, &p->bzimage);

	if (!err)
		return plan_bzimage(p, why);
	if (err == -EBADMSG) {
		snprintf(why, WHY_SIZE,
			 "the kernel image is damaged: its header and its length "
			 "do not agree");
		return err;
	}
	return no_exec(why, "the kernel is no bzImage that kexec_load(2) can be used with");
}
