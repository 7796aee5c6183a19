// SPDX-License-Identifier: GPL-2.0-or-later
/* The files that hold command lines, read and written below the system's root. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/boot/bootcfg_private.h"
#include "control/file.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

int bootcfg_copy(const char *text, size_t len, char **out_ret, size_t *len_ret)
{
	char *out = text ? malloc(len + 1) : NULL;

	if (text && !out)
		return -ENOMEM;
	if (text) {
		memcpy(out, text, len);
		out[len] = '\0';
	}
	*out_ret = out;
	*len_ret = len;
	return 0;
}

bool bootcfg_is_there(const struct invocation *in, const char *path)
{
	_free_ char *full = ctl_path(in, path);

	return full && access(full, F_OK) == 0;
}

/* What is remembered of a file is a line with its path. */
static bool name_fits(const char *name, const char *begin, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return *name != '.' && after_prefix(name, begin) && len >= strlen(begin) + n &&
	       streq(name + len - n, end) && !strchr(name, '\n');
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void bootcfg_scan(const struct invocation *in, const char *directory, const char *begin,
		  const char *end, struct bootcfg_paths *paths)
{
	_free_ char *full = ctl_path(in, directory);
	_closedir_ DIR *dir = full ? opendir(full) : NULL;
	size_t first = paths->nr;
	struct dirent *d;

	while (dir && (d = readdir(dir)) && paths->nr < BOOTCFG_MAX_FILES) {
		char *path;

		if (!name_fits(d->d_name, begin, end))
			continue;
		if (asprintf(&path, "%s/%s", directory, d->d_name) >= 0)
			paths->path[paths->nr++] = path;
	}
	qsort(paths->path + first, paths->nr - first, sizeof(*paths->path), compare);
}

void bootcfg_paths_deinit(struct bootcfg_paths *paths)
{
	while (paths->nr)
		free(paths->path[--paths->nr]);
}

/* Where a path leads: grubenv is a link to the EFI partition on some systems, and a rename would
 * put a file in the link's place. */
static int resolve(const struct invocation *in, const char *path, char **full_ret)
{
	_free_ char *full = ctl_path(in, path), *real = NULL, *root = NULL;
	const char *below;

	if (!full)
		return -ENOMEM;
	real = realpath(full, NULL);
	if (!real)
		return -errno;
	root = *in->root ? realpath(in->root, NULL) : strdup("");
	if (!root)
		return -errno;
	below = after_prefix(real, root);
	if (!below || *below != '/') {
		log_error("%s: leads out of %s, to %s", path, in->root, real);
		return -EXDEV;
	}
	*full_ret = take_ptr(real);
	return 0;
}

int bootcfg_load(const struct invocation *in, const char *path, char **text_ret, size_t *len_ret)
{
	_free_ char *full = NULL;
	int err = resolve(in, path, &full);

	if (!err)
		err = io_read_file(full, BOOTCFG_MAX_BYTES, text_ret, len_ret);
	if (err && err != -ENOENT && err != -EXDEV)
		log_error("%s: %s", path, strerror(-err));
	return err;
}

int bootcfg_store(const struct invocation *in, const char *path, const char *text, size_t len)
{
	_free_ char *full = NULL;
	int err = resolve(in, path, &full);

	if (err == -ENOENT) {
		full = ctl_path(in, path);
		err = full ? 0 : -ENOMEM;
	}
	if (!err && !text)
		err = unlink(full) && errno != ENOENT ? -errno : 0;
	else if (!err)
		return file_rewrite(full, text, len);
	if (err && err != -EXDEV)
		log_error("%s: %s", path, strerror(-err));
	return err;
}

struct bootcfg_file *bootcfg_add(struct bootcfg *cfg, const char *path,
				 const struct bootcfg_form *form, const char *const *names,
				 unsigned flags)
{
	struct bootcfg_file *list = NULL;
	char *copy = strdup(path);

	if (cfg->nr_files < BOOTCFG_MAX_FILES)
		list = realloc(cfg->files, (cfg->nr_files + 1) * sizeof(*list));
	if (list)
		cfg->files = list;
	if (!list || !copy) {
		log_error("%s: too many files, or no memory", path);
		free(copy);
		return NULL;
	}
	list += cfg->nr_files++;
	*list = (struct bootcfg_file){ .path = copy, .form = form, .names = names, .flags = flags };
	return list;
}

int bootcfg_add_seen(const struct invocation *in, struct bootcfg *cfg, const char *path,
		     const struct bootcfg_form *form, const char *const *names, unsigned flags)
{
	if (!bootcfg_is_there(in, path))
		return 0;
	return bootcfg_add(cfg, path, form, names, flags) ? 0 : -ENOMEM;
}

/* kernel-install(8): "/etc/kernel/cmdline", else "/usr/lib/kernel/cmdline", else what the running
 * kernel has, and that has our word after the next boot. */
int bootcfg_add_cmdline(const struct invocation *in, struct bootcfg *cfg)
{
	struct bootcfg_file *file;
	char *seed = NULL;
	int err = 0;

	if (!bootcfg_is_there(in, KI_CMDLINE)) {
		err = bootcfg_load(in, "/usr/lib/kernel/cmdline", &seed, NULL);
		if (err)
			return err == -ENOENT ? 0 : err;
	}
	file = bootcfg_add(cfg, KI_CMDLINE, &bootcfg_form_line, NULL, BOOTCFG_INSERT);
	if (!file) {
		free(seed);
		return -ENOMEM;
	}
	file->seed = seed;
	return 0;
}

static int explain(const struct bootcfg_file *file, const char *value, int err)
{
	const char *why = err == -ENODATA ? "no line of it holds a kernel's command line" :
			  err == -ENOSPC  ? "the block of 1024 bytes is full" :
			  err == -EBADMSG ? "it is not written as it is known here" :
					    strerror(-err);

	if (file->flags & BOOTCFG_OPTIONAL && err != -ENOMEM) {
		log_warn("%s: %s: kernels that come later have to get %s%s otherwise", file->path,
			 why, value ? BOOTCFG_WORD : "no " BOOTCFG_WORD, value ? value : "");
		return 0;
	}
	log_error("%s: %s: %s %s%s yourself", file->path, why, value ? "add" : "take out",
		  BOOTCFG_WORD, value ? value : "");
	return err;
}

int bootcfg_file_edit(const struct bootcfg_file *file, const char *text, size_t len,
		      const char *value, char **out_ret, size_t *len_ret)
{
	const char *from = text ? text : file->seed;
	bool none = !value || !*value;
	int err;

	if ((none && (file->flags & BOOTCFG_OURS || !text)) || file->flags & BOOTCFG_LOOK || !from)
		return bootcfg_copy(file->flags & BOOTCFG_OURS ? NULL : text, len, out_ret,
				    len_ret);
	if (file->flags & BOOTCFG_STRIP)
		value = NULL;
	err = bootcfg_text_edit(file->form, file->names, from, text ? len : strlen(from), value,
				file->flags & BOOTCFG_INSERT, out_ret, len_ret);
	if (err == -ENODATA && file->flags & BOOTCFG_OPTIONAL)
		return bootcfg_copy(text, len, out_ret, len_ret);
	if (!err)
		return 0;
	err = explain(file, none ? NULL : value, err);
	return err ? err : bootcfg_copy(text, len, out_ret, len_ret);
}

/* Adds what a file says to what the others say. */
static int look_at(const struct invocation *in, struct bootcfg *cfg,
		   const struct bootcfg_file *file, bool *first)
{
	_free_ char *text = NULL;
	char value[BOOTCFG_VALUE_SIZE] = "";
	size_t len = 0, spans = 0;
	bool mixed = false;
	int err = bootcfg_load(in, file->path, &text, &len);
	const char *from = err ? file->seed : text;

	if (err && err != -ENOENT)
		return err;
	if (from)
		err = bootcfg_text_get(file->form, file->names, from, text ? len : strlen(from),
				       value, &mixed, &spans);
	else
		err = 0;
	if (err == -ENOMEM)
		return err;
	if (file->flags & BOOTCFG_STRIP) {
		cfg->mixed |= *value != '\0';
		return 0;
	}
	if ((err || !spans) && file->flags & (BOOTCFG_OPTIONAL | BOOTCFG_LOOK))
		return 0;
	if (file->flags & BOOTCFG_LOOK) {
		cfg->mixed |= *cfg->ours && (mixed || !streq(cfg->ours, value));
		return 0;
	}
	cfg->mixed |= err || mixed || (!*first && !streq(cfg->ours, value));
	if (!*cfg->ours)
		memcpy(cfg->ours, value, sizeof(value));
	*first = false;
	return 0;
}

int bootcfg_look(const struct invocation *in, struct bootcfg *cfg)
{
	bool first = true;
	int err = 0;

	*cfg->ours = '\0';
	cfg->mixed = false;
	for (size_t i = 0; !err && i < cfg->nr_files; i++) {
		/* Below another root no program makes them. */
		if (!*in->root || !(cfg->files[i].flags & BOOTCFG_LOOK))
			err = look_at(in, cfg, &cfg->files[i], &first);
	}
	if (!err && !*in->root && cfg->ops->look)
		err = cfg->ops->look(in, cfg);
	return err;
}
