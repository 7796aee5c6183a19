// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/root.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"

#define LINKS_MAX 40 /* as the kernel: MAXSYMLINKS */

/* @done: what has been walked, from the root's own name on; @base: how long that name is. */
struct walk {
	char done[PATH_MAX], rest[PATH_MAX];
	size_t base;
	unsigned nr_links;
};

static void go_up(struct walk *w)
{
	char *slash = strrchr(w->done + w->base, '/');

	if (slash)
		*slash = '\0';
}

/* Puts a link's target before what is left. */
static int follow(struct walk *w, const char *target)
{
	char rest[PATH_MAX];

	if (++w->nr_links > LINKS_MAX)
		return -ELOOP;
	if (snprintf(rest, sizeof(rest), "%s/%s", target, w->rest) >= (int)sizeof(rest))
		return -ENAMETOOLONG;
	if (*target == '/')
		w->done[w->base] = '\0';
	else
		go_up(w);
	strcpy(w->rest, rest);
	return 0;
}

static int enter(struct walk *w, const char *name)
{
	size_t len = strlen(w->done);
	char target[PATH_MAX];
	ssize_t n;

	if (streq(name, "."))
		return 0;
	if (streq(name, "..")) {
		go_up(w);
		return 0;
	}
	if (snprintf(w->done + len, sizeof(w->done) - len, "/%s", name) >=
	    (int)(sizeof(w->done) - len))
		return -ENAMETOOLONG;
	n = readlink(w->done, target, sizeof(target) - 1);
	if (n < 0)
		return errno == EINVAL ? 0 : -errno; /* EINVAL: no link */
	target[n] = '\0';
	return follow(w, target);
}

int root_path(const char *root, const char *path, char **path_ret)
{
	char name[NAME_MAX + 1];
	struct walk w = { 0 };
	int err = 0;

	if (strlen(root) >= sizeof(w.done) || strlen(path) >= sizeof(w.rest))
		return -ENAMETOOLONG;
	strcpy(w.done, root);
	strcpy(w.rest, path);
	w.base = strlen(root);
	while (!err && w.rest[strspn(w.rest, "/")]) {
		size_t at = strspn(w.rest, "/"), n = strcspn(w.rest + at, "/");

		if (n >= sizeof(name))
			return -ENAMETOOLONG;
		memcpy(name, w.rest + at, n);
		name[n] = '\0';
		memmove(w.rest, w.rest + at + n, strlen(w.rest + at + n) + 1);
		err = enter(&w, name);
	}
	if (err)
		return err;
	*path_ret = strdup(w.done);
	return *path_ret ? 0 : -ENOMEM;
}

/* ---- kernels */

static bool is_folder(const char *dir, const char *name)
{
	_free_ char *path = NULL;
	struct stat st;

	return asprintf(&path, "%s/%s", dir, name) >= 0 && !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* The folder of all kernels; a package of a merged system has no /lib. */
static int kernels_folder(const char *root, char **dir_ret)
{
	int err = root_path(root, "/lib/modules", dir_ret);

	if (err == -ENOENT)
		err = root_path(root, "/usr/lib/modules", dir_ret);
	if (err)
		log_error("%s/lib/modules: %s", root, strerror(-err));
	return err;
}

static int only_kernel(const char *root, const char *dir, char name[static NAME_MAX + 1])
{
	_closedir_ DIR *d = opendir(dir);
	unsigned nr = 0;

	if (!d) {
		log_error("%s: %s", dir, strerror(errno));
		return -errno;
	}
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.' || !is_folder(dir, e->d_name))
			continue;
		/* The first by name, whatever their order in the folder. */
		if (!nr++ || strcmp(e->d_name, name) < 0)
			snprintf(name, NAME_MAX + 1, "%s", e->d_name);
	}
	if (nr == 1)
		return 0;
	if (!nr)
		log_error("%s: no kernel has modules there", dir);
	else
		log_error("%s has modules of %u kernels: name one, such as --kernel %s", root, nr,
			  name);
	return nr ? -EINVAL : -ENOENT;
}

int root_modules(const char *root, const char *version, char **dir_ret)
{
	_free_ char *dir = NULL;
	char name[NAME_MAX + 1] = "";
	int err = kernels_folder(root, &dir);

	if (err)
		return err;
	if (version && (strlen(version) > NAME_MAX || !is_folder(dir, version))) {
		log_error("%s: no modules of a kernel %s there", dir, version);
		return -ENOENT;
	}
	if (version)
		strcpy(name, version);
	else
		err = only_kernel(root, dir, name);
	if (!err && asprintf(dir_ret, "%s/%s", dir, name) < 0)
		err = -ENOMEM;
	return err;
}
