// SPDX-License-Identifier: GPL-2.0-or-later
/* check: the reservation, what is armed, the image and what it holds, hooks. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "control/check/check.h"
#include "control/image.h"
#include "control/reserve.h"
#include "lib/cleanup.h"
#include "lib/util.h"

#define TO_START   "\"" CTL_PROGRAM " start\""
#define TO_REBUILD "\"" CTL_PROGRAM " rebuild --force\""

static void check_reservation(struct check *c)
{
	const uint64_t mib = c->sys.reserved >> 20;
	struct reserve need;

	if (mib && !reserve_measure(&c->sys, &c->history, &need) && c->sys.reserved < need.smallest)
		check_tell(c, CHECK_WARN, "reservation", "see \"" CTL_PROGRAM " estimate\"",
			   "%" PRIu64 " MiB may be too little, about %" PRIu64 " are needed", mib,
			   need.smallest >> 20);
	else if (mib)
		check_tell(c, CHECK_OK, "reservation", "", "%" PRIu64 " MiB", mib);
	else
		check_tell(c, CHECK_FAIL, "reservation", "\"" CTL_PROGRAM " setup\", then reboot",
			   "no memory is reserved");
}

void check_armed(struct check *c)
{
	char digest[SHA256_HEX_BYTES];

	check_reservation(c);
	if (!c->sys.loaded)
		check_tell(c, CHECK_FAIL, "armed", TO_START, "nothing is armed");
	else if (!c->known)
		check_tell(c, CHECK_WARN, "armed", "\"" CTL_PROGRAM " start --reload\"",
			   "by another program than " CTL_PROGRAM);
	else if (access(c->armed.image, R_OK) || armed_digest(c->armed.image, digest) ||
		 !streq(digest, c->armed.sha256))
		check_tell(c, CHECK_WARN, "armed", TO_START, "%s is another image now",
			   c->armed.image);
	else
		check_tell(c, CHECK_OK, "armed", "", "%s with %s", c->armed.kernel, c->armed.image);
}

/* An image that cannot be looked into is not one that fails. */
static bool is_unread(struct check *c, int err)
{
	const char *packing = err == -EOPNOTSUPP ? content_packing(c->sys.image) : NULL;

	if (packing)
		check_tell(c, CHECK_WARN, "content",
			   "compress= in dracut.conf: zstd, xz, gzip and lz4 are looked into",
			   "not looked into, nor for drivers and modules: %s is packed by %s",
			   c->sys.image, packing);
	else if (err == -EFBIG || err == -E2BIG)
		check_tell(c, CHECK_WARN, "content", "",
			   "not looked into, nor for drivers and modules: %s holds more than %u "
			   "MiB, or "
			   "more than %u modules",
			   c->sys.image, CONTENT_MAX_IMAGE >> 20, CONTENT_MAX_MODULES);
	return packing || err == -EFBIG || err == -E2BIG;
}

static void check_content(struct check *c)
{
	int err = content_read(c->sys.image, &c->content);

	c->opened = !err;
	if (err == -ENOENT || is_unread(c, err))
		return; /* which is told already */
	if (err)
		check_tell(c, CHECK_FAIL, "content", TO_REBUILD, "%s: %s", c->sys.image,
			   err == -EBADMSG || err == -EOPNOTSUPP ? "damaged" : strerror(-err));
	else if (!c->content.config || !c->content.program)
		check_tell(c, CHECK_FAIL, "content", TO_REBUILD, "%s holds no %s", c->sys.image,
			   c->content.program ? "configuration" : "vmcore-save");
	else
		check_tell(c, CHECK_OK, "content", "", "%s image, %u modules",
			   c->content.listed ? "tiny" : "full", c->content.nr_modules);
}

void check_image(struct check *c)
{
	struct inputs now = { 0 };
	enum image_state state;

	if (image_look(&c->sys, &c->config, &now, &state, NULL, NULL))
		check_tell(c, CHECK_WARN, "image", "",
			   "whether it is fresh could not be found out");
	else if (state == IMAGE_ABSENT)
		check_tell(c, CHECK_FAIL, "image", TO_START, "there is none");
	else if (state == IMAGE_STALE)
		check_tell(c, CHECK_WARN, "image", TO_START,
			   "stale, \"" CTL_PROGRAM " status\" says why");
	else
		check_tell(c, CHECK_OK, "image", "", "fresh");
	inputs_deinit(&now);
	check_content(c);
}

void check_hooks(struct check *c)
{
	const char *const hooks[] = { c->config.kdump_pre, c->config.kdump_post,
				      c->config.kdump_emergency };

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		_free_ char *path = *hooks[i] ? ctl_path(c->sys.in, hooks[i]) : NULL;

		if (path && access(path, X_OK))
			check_tell(c, CHECK_FAIL, "hook", "make it there and executable", "%s: %s",
				   hooks[i], strerror(errno));
		else if (path)
			check_tell(c, CHECK_OK, "hook", "", "%s", hooks[i]);
	}
}
