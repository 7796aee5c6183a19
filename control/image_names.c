// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/image_names.h"

#include <errno.h>
#include <sys/stat.h>

#include "control/archive.h"

#define MAX_UNPACKED (1u << 30)

struct names {
	image_name_fn *fn;
	void *ctx;
};

static int take(void *ctx, const struct archive_entry *e)
{
	const struct names *n = ctx;

	return S_ISREG(e->mode) ? n->fn(n->ctx, e->name) : 0;
}

int image_names(const void *data, size_t len, image_name_fn *fn, void *ctx)
{
	struct names names = { fn, ctx };
	int err = archive_walk(data, len, MAX_UNPACKED, take, &names);

	return err == -EOPNOTSUPP ? -EBADMSG : err;
}
