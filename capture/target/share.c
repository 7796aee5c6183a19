// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Directories that the host of a virtual machine shares: virtiofs and 9p. Both are mounted
 * by a tag, and need no network; the kernel's Documentation/filesystems/virtiofs.rst and
 * 9p.rst have the options.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "capture/target/target.h"
#include "lib/clock.h"
#include "lib/util.h"

#define POLL_MS 150

/*
 * 9p: the default msize of old kernels, 8 KiB, makes a round trip of every two pages
 * (128 KiB since v5.15, kernel 9c4d94dc9a64). Without a cache each write is an answer of
 * the host, so that an error shows where it happens.
 */
#define DATA_9P "trans=virtio,version=9p2000.L,msize=524288,cache=none,access=client"

static const char *const share_types[] = { "virtiofs", "9p", NULL };

static int mount_share(const struct target *target)
{
	const char *type = target->where->type;

	return target_mount(target, target->where->where, type, streq(type, "9p") ? DATA_9P : "");
}

/* Whether the host is not there yet: its device may take a moment to be found. An unknown
 * tag is ENOENT of 9p (net/9p/trans_virtio.c) and EINVAL of virtiofs (fs/fuse/virtio_fs.c). */
static bool may_come(int err)
{
	return err == -ENOENT || err == -EINVAL || err == -ENODEV;
}

static const char *share_problem(int err, const char *options)
{
	switch (err) {
	case -ENOENT:
		return "the host shares nothing by this tag";
	case -EINVAL:
		return *options ?
			       "the host shares nothing by this tag, or the kernel does not know "
			       "the mount_options" :
			       "the host shares nothing by this tag";
	default:
		return target_mount_problem(err, options);
	}
}

/* There is no telling whether the tag is there but by mounting it. */
static int share_wait(struct target *target)
{
	const uint64_t start = clock_ms();
	int err;

	for (;;) {
		target->alive(target->alive_ctx);
		err = mount_share(target);
		if (!err || !may_come(err))
			break;
		if (clock_ms() - start >= target->wait_s * UINT64_C(1000))
			break;
		clock_sleep_ms(POLL_MS);
	}
	if (err)
		return target_fail(target, err, "cannot mount the %s share %.60s: %s",
				   target->where->type, target->where->where,
				   share_problem(err, target->where->options));
	snprintf(target->fstype, sizeof(target->fstype), "%s", target->where->type);
	snprintf(target->description, sizeof(target->description), "the share %.100s (%s)",
		 target->where->where, target->where->type);
	return 0;
}

const struct target_ops target_share_ops = {
	.name = "share of the host",
	.types = share_types,
	.wait = share_wait,
	.open = tree_open,
	.make_dir = tree_make_dir,
	.reopen = tree_reopen,
	.space = tree_space,
	.create = tree_create,
	.commit = tree_commit,
	.abandon = tree_abandon,
	.replace = tree_replace,
	.bytes = tree_bytes,
	.sync = tree_sync,
	.close = tree_close,
};
