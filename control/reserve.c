// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "control/archive.h"
#include "control/content.h"
#include "control/dumps/history.h"
#include "control/system.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"

#define HEADER_MAGIC   0x202u
#define HEADER_VERSION 0x206u
#define INIT_SIZE      0x260u
#define HEAD_BYTES     1024u

void reserve_compute(struct reserve *r, const struct history *h)
{
	r->computed = r->kernel + r->packed + r->unpacked + RESERVE_BASE;
	r->captures = h->captures;
	if (r->captures) {
		r->peak = h->peak_kib << 10;
		r->map = (h->total_kib << 10) / 64;
		r->measured = r->kernel + r->peak + r->map;
	}
	r->smallest = MAX(r->computed, r->measured);
	r->recommended = ROUND_UP(r->smallest + r->smallest / 4, (uint64_t)RESERVE_STEP);
}

uint64_t reserve_kernel_bytes(const void *head, size_t len)
{
	const uint8_t *p = head;

	if (len < INIT_SIZE + 4 || memcmp(p + HEADER_MAGIC, "HdrS", 4) ||
	    get_le16(p + HEADER_VERSION) < 0x20a)
		return 0;
	return get_le32(p + INIT_SIZE);
}

/* The kernel gives each file whole pages. */
static int add_file(void *ctx, const struct archive_entry *entry)
{
	*(uint64_t *)ctx += ROUND_UP((uint64_t)entry->size, 4096u);
	return 0;
}

int reserve_measure(const struct system *sys, const struct history *history,
		    struct reserve *reserve_ret)
{
	_free_ char *image = NULL;
	struct reserve r = { 0 };
	char head[HEAD_BYTES];
	ssize_t n = -ENOENT;
	size_t len;
	int err;

	if (sys->vmlinuz) {
		_close_ int fd = open(sys->vmlinuz, O_RDONLY | O_CLOEXEC);

		n = fd < 0 ? -errno : io_read_full(fd, head, sizeof(head));
	}
	if (n < 0)
		return (int)n;
	r.kernel = reserve_kernel_bytes(head, (size_t)n);
	if (!r.kernel)
		return -ENOEXEC;
	err = io_read_file(sys->image, CONTENT_MAX_IMAGE, &image, &len);
	if (err)
		return err;
	r.packed = len;
	err = archive_walk(image, len, 2 * (size_t)CONTENT_MAX_IMAGE, add_file, &r.unpacked);
	if (err)
		return err;
	reserve_compute(&r, history);
	*reserve_ret = r;
	return 0;
}

int reserve_of(const struct system *sys, struct reserve *reserve_ret)
{
	struct history history;

	history_read(sys->in, sys->release, &history); /* without one, the terms stand alone */
	return reserve_measure(sys, &history, reserve_ret);
}
