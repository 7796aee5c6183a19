// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/core/vwindow.h"

#include <stdlib.h>

#include "lib/util.h"

struct vwindow *vwindow_create(struct core *core, size_t room)
{
	struct vwindow *w = malloc(sizeof(*w) + room);

	if (w)
		*w = (struct vwindow){ .core = core, .room = room };
	return w;
}

/* Read as much as there is: all at once, else step by step up to the first that fails. */
static void refill(struct vwindow *w, uint64_t vaddr)
{
	w->vaddr = vaddr;
	w->len = 0;
	if (vaddr <= UINT64_MAX - w->room && !core_read_vaddr(w->core, vaddr, w->data, w->room)) {
		w->len = w->room;
		return;
	}
	while (w->len < w->room && vaddr <= UINT64_MAX - w->len - VWINDOW_STEP &&
	       !core_read_vaddr(w->core, vaddr + w->len, w->data + w->len, VWINDOW_STEP))
		w->len += VWINDOW_STEP;
}

const uint8_t *vwindow_get(struct vwindow *w, uint64_t vaddr, size_t len)
{
	if (len > w->room - VWINDOW_STEP)
		return NULL;
	if (vaddr < w->vaddr || !range_within(vaddr - w->vaddr, len, w->len)) {
		refill(w, vaddr & ~(uint64_t)(VWINDOW_STEP - 1));
		if (!range_within(vaddr - w->vaddr, len, w->len))
			return NULL;
	}
	return w->data + (vaddr - w->vaddr);
}
