// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/defaults.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "initramfs/program.h"
#include "initramfs/root.h"
#include "lib/cleanup.h"
#include "lib/config.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define PROGRAM_MAX_BYTES (256u << 20)

int defaults_manifest(char **path_ret)
{
	/* Installed in PREFIX/sbin; in the source tree, build/. */
	static const char *const places[] = {
		"../share/vmcore-save/image.manifest",
		"../initramfs/image.manifest",
	};
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[MAX(n, 0)] = '\0';
	slash = strrchr(self, '/');
	for (size_t i = 0; slash && i < ARRAY_SIZE(places); i++) {
		_free_ char *path = NULL;

		if (asprintf(&path, "%.*s/%s", (int)(slash - self), self, places[i]) < 0)
			return -ENOMEM;
		if (!access(path, R_OK)) {
			*path_ret = take_ptr(path);
			return 0;
		}
	}
	log_error("no image.manifest is installed with this program: name one with -m");
	return -ENOENT;
}

int defaults_conf(const char *root, char **path_ret)
{
	int err = root_path(root, CONFIG_PATH, path_ret);

	if (err)
		log_error("%s" CONFIG_PATH ": %s; --conf names another file", root, strerror(-err));
	return err;
}

/* Whether a root file system has this program and it needs no other file. */
static int find_static(const char *root, const char *name, char **path_ret)
{
	char interpreter[PROGRAM_PATH_MAX];
	_free_ char *path = NULL, *data = NULL;
	size_t len;
	int err = root_path(root, name, &path);

	if (!err)
		err = io_read_file(path, PROGRAM_MAX_BYTES, &data, &len);
	if (err)
		return err;
	program_interpreter(data, len, interpreter);
	if (*interpreter)
		return -ENOEXEC;
	*path_ret = take_ptr(path);
	return 0;
}

static int set(struct manifest_vars *vars, const char *name, const char *value)
{
	int err = manifest_set_var(vars, name, value);

	if (err == -ENOSPC)
		log_error("more than %u variables", MANIFEST_MAX_VARS);
	return err;
}

static int set_busybox(const char *root, struct manifest_vars *vars)
{
	static const char *const places[] = {
		"/usr/lib/vmcore-save/busybox",
		"/bin/busybox",
		"/usr/bin/busybox",
	};
	char *path = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(places) && !path; i++)
		if (find_static(root, places[i], &path) == -ENOMEM)
			return -ENOMEM;
	if (!path)
		log_warn("%s has no static busybox: the image gets no rescue shell. "
			 "-D BUSYBOX=FILE names one, -D BUSYBOX= says that none is wanted",
			 root);
	return set(vars, "BUSYBOX", path ? path : "");
}

int defaults_programs(const char *root, struct manifest_vars *vars)
{
	char *path = NULL;
	int err = 0;

	if (!manifest_var_value(vars, "VMCORE_SAVE", strlen("VMCORE_SAVE"))) {
		err = root_path(root, "/usr/sbin/vmcore-save", &path);
		if (err)
			log_error("%s/usr/sbin/vmcore-save: %s; -D VMCORE_SAVE=FILE names another",
				  root, strerror(-err));
		else
			err = set(vars, "VMCORE_SAVE", path);
	}
	if (!err && !manifest_var_value(vars, "BUSYBOX", strlen("BUSYBOX")))
		err = set_busybox(root, vars);
	return err;
}
