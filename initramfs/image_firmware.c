// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Firmware: what modules ask for, as far as it is there, and what the manifest names. The kernel
 * reads it from /lib/firmware by itself (Documentation/driver-api/firmware/).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "initramfs/image_private.h"
#include "initramfs/path.h"
#include "initramfs/root.h"
#include "initramfs/sections.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define FIRMWARE_MAX 4096u

/* With @optional, "?" before it, as in the manifest. */
static int note(struct image *im, bool optional, const char *name)
{
	char *copy = NULL, **more;

	if (im->nr_firmware == FIRMWARE_MAX) {
		log_error("more than %u files of firmware", FIRMWARE_MAX);
		return -E2BIG;
	}
	if (asprintf(&copy, "%s%s", optional ? "?" : "", name) < 0)
		return -ENOMEM;
	more = reallocarray(im->firmware, im->nr_firmware + 1, sizeof(*more));
	if (!more) {
		free(copy);
		return -ENOMEM;
	}
	im->firmware = more;
	im->firmware[im->nr_firmware++] = copy;
	return 0;
}

int image_want_firmware(struct image *im, void *module, size_t len)
{
	const char *name = NULL;
	struct sections s;
	int err;

	if (!im->source->firmware)
		return 0;
	err = sections_read(module, len, &s);
	if (err) /* a module that cannot be looked into asks for nothing */
		return err == -ENOMEM ? err : 0;
	while (!err && (name = modinfo_next(&s, "firmware=", name)))
		if (path_is_clean(name))
			err = note(im, true, name);
	sections_deinit(&s);
	return err;
}

/* ---- into the image */

/* By name, and what is needed before what may be missing. */
static int compare(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	int order = strcmp(x + (*x == '?'), y + (*y == '?'));

	return order ? order : (*x == '?') - (*y == '?');
}

/* The folders of @name that the file before it, in order of names, was not in. */
static int add_folders(struct image *im, const struct manifest_entry *e, const char *name,
		       const char *before)
{
	int err = 0;

	for (const char *slash = strchr(name, '/'); slash && !err; slash = strchr(slash + 1, '/')) {
		size_t n = (size_t)(slash - name);
		_free_ char *path = NULL;
		struct cpio_entry dir = { .mode = S_IFDIR | 0755 };

		if (!strncmp(name, before, n + 1))
			continue;
		if (asprintf(&path, "%s/%.*s", e->path, (int)n, name) < 0)
			return -ENOMEM;
		dir.name = path;
		err = cpio_add(im->cpio, &dir);
	}
	return err;
}

/* -ENOENT where the folder has neither the file nor a packed one, which the kernel takes as well.
 */
static int read_firmware(const struct image *im, const char *name, const char **suffix_ret,
			 char **data_ret, size_t *len_ret)
{
	static const char *const suffixes[] = { "", ".xz", ".zst" };
	int err = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes) && err == -ENOENT; i++) {
		_free_ char *path = NULL, *found = NULL;

		if (asprintf(&path, "%s/%s%s", im->source->firmware, name, suffixes[i]) < 0)
			return -ENOMEM;
		err = root_path(im->source->firmware_root, path, &found);
		if (!err)
			err = io_read_file(found, IMAGE_FILE_MAX, data_ret, len_ret);
		*suffix_ret = suffixes[i];
	}
	return err;
}

static int fail_firmware(const struct image *im, const struct manifest_entry *e, const char *name,
			 int err)
{
	const struct hardware *hw = im->source->hardware;
	unsigned line = hardware_line(hw, name);

	log_error("%s:%u: firmware %s%s/%s: %s", line ? hw->name : e->name, line ? line : e->line,
		  im->source->firmware_root, im->source->firmware, name, strerror(-err));
	return err;
}

/* @before: the file before it; changed to this one where it is added. */
static int add_one(struct image *im, const struct manifest_entry *e, const char *word,
		   const char **before)
{
	const char *name = word + (*word == '?'), *suffix;
	struct cpio_entry entry = { .mode = S_IFREG | 0644 };
	_free_ char *data = NULL, *path = NULL;
	int err = read_firmware(im, name, &suffix, &data, &entry.size);

	if (err == -ENOENT && *word == '?')
		return 0;
	if (err)
		return fail_firmware(im, e, name, err);
	err = add_folders(im, e, name, *before);
	if (!err && asprintf(&path, "%s/%s%s", e->path, name, suffix) < 0)
		err = -ENOMEM;
	if (err)
		return err;
	entry.name = path;
	entry.data = data;
	*before = name;
	return cpio_add(im->cpio, &entry);
}

int image_add_firmware(struct image *im, const struct manifest_entry *e)
{
	_free_ char *names = strdup(e->value);
	const char *before = "", *last = "";
	char *save = NULL;
	int err = names ? 0 : -ENOMEM;

	if (!err && *names && !im->source->firmware)
		return image_fail(e, -EINVAL,
				  "firmware is wanted, but neither --firmware nor --root "
				  "was given");
	for (char *w = names ? strtok_r(names, " ", &save) : NULL; w && !err;
	     w = strtok_r(NULL, " ", &save))
		err = path_is_clean(w + (*w == '?')) ?
			      note(im, *w == '?', w + (*w == '?')) :
			      image_fail(e, -EINVAL, "\"%s\" is not a path below a folder", w);
	if (im->nr_firmware)
		qsort(im->firmware, im->nr_firmware, sizeof(*im->firmware), compare);
	for (size_t i = 0; i < im->nr_firmware && !err; i++) {
		const char *w = im->firmware[i];

		if (!streq(w + (*w == '?'), last))
			err = add_one(im, e, w, &before);
		last = w + (*w == '?');
	}
	return err;
}
