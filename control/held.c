// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/image_names.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define MAX_IMAGE	(512u << 20)
#define MAX_MODULES_DEP (16u << 20)

/* struct held - A list that is being made. */
struct held {
	const struct system *sys;
	struct inputs *inputs;
	const char *modules_dep; /* its text; "" where there is none */
};

/* "virtio_blk" of "kernel/drivers/block/virtio-blk.ko.xz"; false where it is no module. */
static bool module_name(const char *path, size_t len, char name[64])
{
	const char *slash = memrchr(path, '/', len), *start = slash ? slash + 1 : path, *ko;
	size_t name_len;

	ko = memmem(start, (size_t)(path + len - start), ".ko", 3);
	if (!ko || (name_len = (size_t)(ko - start)) >= 64 || (ko + 3 < path + len && ko[3] != '.'))
		return false;
	for (size_t i = 0; i < name_len; i++)
		name[i] = start[i] == '-' ? '_' : start[i];
	name[name_len] = '\0';
	return true;
}

static int add_module(const struct held *h, const char *wanted)
{
	const char *line = h->modules_dep;
	char name[64];

	while (*line) {
		size_t len = strcspn(line, ":\n");
		_free_ char *path = NULL;

		if (module_name(line, len, name) && streq(name, wanted)) {
			if (asprintf(&path, "/lib/modules/%s/%.*s", h->sys->release, (int)len,
				     line) < 0) {
				path = NULL;
				return -ENOMEM;
			}
			return inputs_add_held(h->inputs, NULL, h->sys->in->root, path);
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return 0;
}

static bool is_program(const char *name)
{
	static const char *const folders[] = { "usr/", "bin/", "sbin/", "lib/", "lib64/" };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		if (after_prefix(name, folders[i]))
			return !strstr(name, "/../") && !strchr(name, '\n');
	}
	return false;
}

static int take_name(void *ctx, const char *name)
{
	const struct held *h = ctx;
	_free_ char *path = NULL, *full = NULL;
	char module[64];

	if (after_prefix(name, "lib/modules/") || after_prefix(name, "usr/lib/modules/"))
		return module_name(name, strlen(name), module) ? add_module(h, module) : 0;
	if (!is_program(name))
		return 0;
	if (asprintf(&path, "/%s", name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	full = ctl_path(h->sys->in, path);
	if (!full)
		return -ENOMEM;
	return access(full, R_OK) ? 0 : inputs_add_held(h->inputs, NULL, h->sys->in->root, path);
}

int held_collect(const struct system *sys, const char *image, struct inputs *inputs)
{
	_free_ char *data = NULL, *dep_path = NULL, *dep = NULL;
	struct held h = { .sys = sys, .inputs = inputs };
	size_t len;
	int err;

	if (asprintf(&dep_path, "%s/lib/modules/%s/modules.dep", sys->in->root, sys->release) < 0) {
		dep_path = NULL;
		return -ENOMEM;
	}
	err = io_read_file(dep_path, MAX_MODULES_DEP, &dep, NULL);
	if (err && err != -ENOENT) {
		log_error("%s: %s", dep_path, strerror(-err));
		return err;
	}
	h.modules_dep = dep ? dep : "";
	err = io_read_file(image, MAX_IMAGE, &data, &len);
	if (!err)
		err = len ? image_names(data, len, take_name, &h) : -EBADMSG;
	if (err)
		log_error("%s: %s", image,
			  err == -EBADMSG ? "no image that a kernel unpacks" : strerror(-err));
	return err;
}
