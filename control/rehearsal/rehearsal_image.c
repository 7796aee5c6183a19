// SPDX-License-Identifier: GPL-2.0-or-later
/* What the image says that it will do. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "control/archive.h"
#include "control/devices.h"
#include "control/rehearsal/rehearsal.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

_Static_assert(sizeof(((struct rehearsal *)0)->devices) == DEVICES_TEXT_SIZE, "as it is told");

/* struct texts - @root: where the image's builder wrote down the root file system */
struct texts {
	struct config *config;
	struct config root;
	bool configured;
};

/* Of a name that is there twice the last one counts, as the kernel unpacks them. */
static int take_entry(void *ctx, const struct archive_entry *e)
{
	struct texts *t = ctx;
	bool root = streq(e->name, "etc/vmcore-save/rootfs");

	if (!S_ISREG(e->mode) || (!root && !streq(e->name, "etc/vmcore-save.conf")))
		return 0;
	config_init(root ? &t->root : t->config);
	config_parse(e->data, e->size, e->name, root ? &t->root : t->config, NULL, NULL);
	t->configured |= !root;
	return 0;
}

static int fail_image(const struct rehearsal *r, const char *what)
{
	log_error("%s: %s: \"" CTL_PROGRAM " rebuild --force\"", r->armed.image, what);
	return -EBADMSG;
}

/* As capture/init/worker_prepare.c does it. */
static int choose_target(struct rehearsal *r, const struct texts *t)
{
	config_override(r->armed.cmdline, &r->config, NULL, NULL);
	if (r->config.nr_targets) {
		r->target = r->config.targets[0];
		devices_of_target(r->in, &r->target, r->devices);
		return 0;
	}
	if (!t->root.nr_targets)
		return fail_image(r, "no target is configured in it");
	r->target = t->root.targets[0];
	strcpy(r->target.path, r->config.path);
	devices_of_path(r->in, r->config.path, r->devices);
	return 0;
}

int rehearsal_image_look(struct rehearsal *r)
{
	_free_ struct texts *t = calloc(1, sizeof(*t));
	_free_ char *data = NULL;
	size_t len;
	int err = t ? io_read_file(r->armed.image, CONTENT_MAX_IMAGE, &data, &len) : -ENOMEM;

	if (err) {
		log_error("%s: %s%s", r->armed.image, strerror(-err),
			  err == -EACCES ? "; try it as root" : "");
		return err;
	}
	t->config = &r->config;
	config_init(&r->config);
	err = archive_walk(data, len, 2ul * CONTENT_MAX_IMAGE, take_entry, t);
	if (!err)
		err = content_of(data, len, &r->content);
	if (err)
		return fail_image(r, err == -EBADMSG ? "damaged" : strerror(-err));
	if (!t->configured)
		return fail_image(r, "it holds no configuration");
	return choose_target(r, t);
}
