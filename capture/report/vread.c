// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/report/vread.h"

#include <errno.h>
#include <string.h>

#include "lib/util.h"

void vread_init(struct vread *v, struct core *core)
{
	v->core = core;
	v->filled = false;
}

int vread_bytes(struct vread *v, uint64_t vaddr, void *buf, size_t len)
{
	uint8_t *out = buf;

	if (len > UINT64_MAX - vaddr)
		return -EBADMSG;
	while (len) {
		uint64_t base = vaddr & ~(uint64_t)(VREAD_WINDOW - 1);
		size_t at = vaddr - base, n = MIN(len, VREAD_WINDOW - at);

		if (!v->filled || v->base != base) {
			v->base = base;
			v->filled = true;
			v->err = core_read_vaddr(v->core, base, v->buf, VREAD_WINDOW);
		}
		if (v->err)
			return v->err;
		memcpy(out, v->buf + at, n);
		out += n;
		vaddr += n;
		len -= n;
	}
	return 0;
}
