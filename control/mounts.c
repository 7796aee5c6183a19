// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/mounts.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/udev_link.h"
#include "lib/util.h"

#define MOUNTINFO_MAX_BYTES (1u << 20)

/* The fields of a line that count; [0] is the mount's number. */
enum {
	FIELD_DEVICE = 2,
	FIELD_ROOT = 3,
	FIELD_POINT = 4,
	FIELD_MAX = 32
};

struct mount {
	dev_t device;
	char *root, *point, *source;
};

/* The kernel writes blanks and backslashes as "\040" (fs/seq_file.c, mangle_path()). */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* @line is cut into pieces. */
static bool parse_line(char *line, struct mount *ret)
{
	char *field[FIELD_MAX], *word;
	unsigned nr = 0, dash, major, minor;

	while ((word = strsep(&line, " ")) && nr < FIELD_MAX)
		field[nr++] = word;
	for (dash = FIELD_POINT + 1; dash < nr && !streq(field[dash], "-"); dash++)
		;
	if (dash + 2 >= nr || sscanf(field[FIELD_DEVICE], "%u:%u", &major, &minor) != 2)
		return false;
	*ret = (struct mount){ makedev(major, minor), field[FIELD_ROOT], field[FIELD_POINT],
			       field[dash + 2] };
	unescape(ret->root);
	unescape(ret->point);
	unescape(ret->source);
	return true;
}

/* btrfs has device numbers of its own; which disk it is on, its source tells. */
static bool is_on(const struct mount *m, const struct mount_wanted *wanted)
{
	struct stat sb;

	if (wanted->source)
		return streq(m->source, wanted->source);
	if (!wanted->device)
		return false;
	return m->device == wanted->device || (*m->source == '/' && stat(m->source, &sb) == 0 &&
					       S_ISBLK(sb.st_mode) && sb.st_rdev == wanted->device);
}

/* What is left of @path within the part of a file system that begins at @root; NULL where it is
 * not in it. */
static const char *within(const char *root, const char *path)
{
	const char *rest = streq(root, "/") ? path : after_prefix(path, root);

	return rest && (!*rest || *rest == '/') ? rest : NULL;
}

int mounts_search(const char *mountinfo, const struct mount_wanted *wanted, char **dir_ret)
{
	_free_ char *text = strdup(mountinfo), *dir = NULL;
	char *lines = text, *line;

	if (!text)
		return -ENOMEM;
	while ((line = strsep(&lines, "\n"))) {
		struct mount m;
		const char *rest;
		char *found;

		if (!parse_line(line, &m) || !is_on(&m, wanted) ||
		    !(rest = within(m.root, wanted->path)))
			continue;
		if (dir && !streq(m.root, "/"))
			continue;
		if (asprintf(&found, "%s%s", streq(m.point, "/") ? "" : m.point, rest) < 0)
			return -ENOMEM;
		free(dir);
		dir = found;
	}
	if (!dir)
		return -ENOENT;
	*dir_ret = take_ptr(dir);
	return 0;
}

/* The device behind a link of udev's whose name means the same as @where. */
static int device_by_link(const struct invocation *in, const char *where, dev_t *device_ret,
			  char **node_ret)
{
	static const char *const folders[] = { "uuid", "label", "partuuid", "partlabel" };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		char folder[64];
		_free_ char *path = NULL;
		_closedir_ DIR *dir = NULL;
		struct dirent *entry;

		snprintf(folder, sizeof(folder), "/dev/disk/by-%s/", folders[i]);
		path = ctl_path(in, folder);
		dir = path ? opendir(path) : NULL;
		while (dir && (entry = readdir(dir))) {
			char link[sizeof(folder) + sizeof(entry->d_name)], spec[UDEV_SPEC_SIZE];
			struct stat sb;

			snprintf(link, sizeof(link), "%s%s", folder, entry->d_name);
			if (udev_link_spec(link, spec) || !streq(spec, where) ||
			    fstatat(dirfd(dir), entry->d_name, &sb, 0) || !S_ISBLK(sb.st_mode))
				continue;
			*device_ret = sb.st_rdev;
			*node_ret = ctl_path(in, link);
			return *node_ret ? 0 : -ENOMEM;
		}
	}
	return -ENODEV;
}

int mounts_device(const struct invocation *in, const char *where, dev_t *device_ret,
		  char **node_ret)
{
	_free_ char *path = NULL;
	struct stat sb;

	if (*where != '/')
		return device_by_link(in, where, device_ret, node_ret);
	path = ctl_path(in, where);
	if (!path)
		return -ENOMEM;
	if (stat(path, &sb) || !S_ISBLK(sb.st_mode))
		return -ENODEV;
	*device_ret = sb.st_rdev;
	*node_ret = take_ptr(path);
	return 0;
}

int mounts_find(const struct invocation *in, const struct config_target *target, char **dir_ret)
{
	const bool has_source = streq(target->type, "nfs") || streq(target->type, "virtiofs") ||
				streq(target->type, "9p");
	struct mount_wanted wanted = { .source = has_source ? target->where : NULL,
				       .path = target->path };
	_free_ char *path = ctl_path(in, "/proc/self/mountinfo"), *text = NULL, *dir = NULL;
	_free_ char *node = NULL;
	int err = path ? 0 : -ENOMEM;

	if (!err && !has_source)
		err = mounts_device(in, target->where, &wanted.device, &node);
	if (!err)
		err = io_read_file(path, MOUNTINFO_MAX_BYTES, &text, NULL);
	if (!err)
		err = mounts_search(text, &wanted, &dir);
	if (err)
		return err;
	*dir_ret = ctl_path(in, dir);
	return *dir_ret ? 0 : -ENOMEM;
}
