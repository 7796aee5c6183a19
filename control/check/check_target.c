// SPDX-License-Identifier: GPL-2.0-or-later
/* check: the targets, whether they are there, and the directories for dumps in them. */
#include <errno.h>
#include <string.h>

#include "control/check/check.h"
#include "control/check/look.h"
#include "control/mounts.h"
#include "control/text.h"
#include "lib/cleanup.h"
#include "lib/util.h"

static void tell_seen(struct check *c, struct check_target *s, const struct look *look,
		      const char *path, const char *how)
{
	s->has_room = true;
	s->free_bytes = look->free_bytes;
	if (look->read_only)
		check_tell(c, CHECK_WARN, "mount", "see dmesg for an error that made it so",
			   "%s: it is mounted read-only now", path);
	else
		check_tell(c, CHECK_OK, "mount", "", "%s: %s, %s", path, how,
			   look->there ? "the directory is there" :
					 "the directory is made at the first dump");
}

static void tell_problem(struct check *c, const struct check_target *s, const struct look *look,
			 const char *path, int err)
{
	_free_ char *why = text_clean(look->why);

	switch (err) {
	case -ENOTDIR:
		check_tell(c, s->bad, "mount", "correct path in " CONFIG_PATH,
			   "%s: there is something else than a directory", path);
		break;
	case -ETIMEDOUT:
		check_tell(c, s->bad, "mount", "see dmesg", "%s: no answer in time", path);
		break;
	case -EPERM:
	case -ENOENT:
	case -EBUSY:
		check_tell(c, CHECK_WARN, "mount", "", "%s: not looked at, since %s", path,
			   why && *why ? why : strerror(-err));
		break;
	default:
		check_tell(c, s->bad, "mount", "mount it by hand, and see dmesg",
			   "%s: it cannot be mounted: %s", path,
			   why && *why ? why : strerror(-err));
	}
}

void check_look(struct check *c, struct check_target *s, const char *what, const char *type)
{
	const struct config_target *t = s->target;
	const struct look_source source = { what, type, t->options, t->path };
	struct look look = { 0 };
	_free_ char *dir = NULL;
	bool mounted = !mounts_find(c->sys.in, t, &dir);
	int err = mounted ? look_at(dir, &look) : look_into(&source, &look);

	if (err)
		tell_problem(c, s, &look, t->path, err);
	else
		tell_seen(c, s, &look, t->path, mounted ? "mounted" : "it can be mounted");
}

static void check_device(struct check *c, struct check_target *s)
{
	const struct config_target *t = s->target;
	_free_ char *node = NULL;
	dev_t device;

	devices_of_target(c->sys.in, t, s->devices);
	if (mounts_device(c->sys.in, t->where, &device, &node)) {
		check_tell(c, s->bad, "target", "correct it in " CONFIG_PATH ", or connect it",
			   "%s %s is not there", t->type, t->where);
		*s->devices = '\0';
	} else if (streq(t->type, "raw")) {
		check_raw(c, s, node);
	} else {
		check_fs(c, s, node);
	}
}

static void check_share(struct check *c, struct check_target *s)
{
	const struct config_target *t = s->target;

	check_tell(c, CHECK_OK, "target", "", "%s %s", t->type, t->where);
	snprintf(s->fs, sizeof(s->fs), "%s", t->type);
	check_look(c, s, t->where, t->type);
}

/* statfs(2) */
static const char *fs_of_magic(long magic)
{
	static const struct {
		long magic;
		const char *fs;
	} rows[] = {
		{ 0xef53, "ext4" },
		{ 0x58465342, "xfs" },
		{ 0x9123683e, "btrfs" },
		{ 0x4d44, "vfat" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if ((magic & 0xffffffff) == rows[i].magic)
			return rows[i].fs;
	return "";
}

/* Where no target is configured, it is where the path is. */
static void check_root(struct check *c)
{
	struct check_target s = { .where = c->config.path, .bad = CHECK_FAIL };
	_free_ char *path = ctl_path(c->sys.in, c->config.path);
	struct look look = { 0 };
	int err = path ? look_at(path, &look) : -ENOMEM;

	devices_of_path(c->sys.in, c->config.path, s.devices);
	check_tell(c, CHECK_OK, "target", "", "the file system that holds %s", c->config.path);
	if (err)
		tell_problem(c, &s, &look, c->config.path, err);
	else
		tell_seen(c, &s, &look, c->config.path, "mounted");
	snprintf(s.fs, sizeof(s.fs), "%s", fs_of_magic(look.magic));
	check_modules(c, &s);
	check_room(c, &s);
}

void check_targets(struct check *c)
{
	for (unsigned i = 0; i < c->config.nr_targets; i++) {
		const struct config_target *t = &c->config.targets[i];
		/* The ones behind the first are there for when it fails. */
		struct check_target s = { .target = t,
					  .where = t->where,
					  .bad = i ? CHECK_WARN : CHECK_FAIL };

		if (streq(t->type, "nfs") || streq(t->type, "ssh"))
			check_server(c, &s);
		else if (streq(t->type, "virtiofs") || streq(t->type, "9p"))
			check_share(c, &s);
		else
			check_device(c, &s);
		check_modules(c, &s);
		check_room(c, &s);
	}
	if (!c->config.nr_targets)
		check_root(c);
}
