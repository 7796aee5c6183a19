/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small reads of kernel virtual memory that come in rows, such as the elements
 * of an array: served from one page-sized window, so that each page is
 * translated and read once, and a page that cannot be read fails once.
 */
#ifndef CAPTURE_REPORT_VREAD_H
#define CAPTURE_REPORT_VREAD_H

#include "capture/core/core.h"

#define VREAD_WINDOW 4096u

struct vread {
	struct core *core; /* borrowed */
	uint64_t base;	   /* of the window in @buf; valid where @filled */
	bool filled;
	int err; /* what reading the window gave */
	uint8_t buf[VREAD_WINDOW];
};

/** vread_init() - Start with an empty window. */
void vread_init(struct vread *v, struct core *core);

/** vread_bytes() - Read @len bytes at @vaddr. Return: as core_read_vaddr(). */
int vread_bytes(struct vread *v, uint64_t vaddr, void *buf, size_t len);

#endif
