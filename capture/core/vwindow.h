/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stretch of kernel virtual memory that is read once and looked at in place:
 * for tables of megabytes that are gone through from one end to the other.
 */
#ifndef CAPTURE_CORE_VWINDOW_H
#define CAPTURE_CORE_VWINDOW_H

#include "capture/core/core.h"

#define VWINDOW_STEP  4096u /* windows start at a multiple of this */
#define VWINDOW_LARGE (64u * 1024)
#define VWINDOW_SMALL (2 * VWINDOW_STEP)

struct vwindow {
	struct core *core; /* borrowed */
	uint64_t vaddr;	   /* of @data[0] */
	size_t len;	   /* bytes that could be read from there on; 0: nothing yet */
	size_t room;	   /* bytes of @data */
	uint8_t data[];
};

/** vwindow_create() - An empty window of @room bytes; free() it. Return: NULL where there is
 * no memory. */
struct vwindow *vwindow_create(struct core *core, size_t room);

/**
 * vwindow_get() - Look at memory.
 * @len: at most the window's room less VWINDOW_STEP
 *
 * Return: @len bytes at @vaddr, valid until the next call; NULL where one cannot be read.
 */
const uint8_t *vwindow_get(struct vwindow *w, uint64_t vaddr, size_t len);

#endif
