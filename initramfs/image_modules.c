// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel modules of an image: which, in which order, with which parameters. */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#include "initramfs/image_private.h"
#include "initramfs/program.h"
#include "initramfs/strip.h"
#include "initramfs/unpack.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"

const char *image_kernel(const struct image *im)
{
	const char *slash;

	if (!im->source->moddir)
		return "unknown";
	slash = strrchr(im->source->moddir, '/');
	return slash ? slash + 1 : im->source->moddir;
}

/* However the file was and is packed. */
void image_module_file(const struct image *im, size_t i, char *buf, size_t size)
{
	const char *path = modtree_loaded(im->tree, i), *base = strrchr(path, '/'), *suffix;

	base = base ? base + 1 : path;
	suffix = strstr(base, ".ko");
	snprintf(buf, size, "%.*s.ko", (int)(suffix ? (size_t)(suffix - base) : strlen(base)),
		 base);
}

/* ---- which modules */

/* Whether @name, as a person writes it, is the module of the file "NAME.ko". */
static bool is_name_of(const char *name, const char *file)
{
	for (; *name; name++, file++)
		if (*name != *file &&
		    !((*name == '-' || *name == '_') && (*file == '-' || *file == '_')))
			return false;
	return streq(file, ".ko");
}

/* From @before on the load order has what came with a name; the module itself may be there already.
 */
static void mark_sure(struct image *im, const char *name, size_t before)
{
	char file[256];

	for (size_t i = 0; i < modtree_nr_loaded(im->tree); i++) {
		image_module_file(im, i, file, sizeof(file));
		if (i >= before || is_name_of(name, file))
			im->sure[i] = true;
	}
}

static int fail_missing(const struct image *im, const struct manifest_entry *e, const char *name)
{
	const struct hardware *hw = im->source->hardware;
	unsigned line = hardware_line(hw, name);

	log_error("%s:%u: kernel %s has no module %s, built in or in %s", line ? hw->name : e->name,
		  line ? line : e->line, image_kernel(im), name, im->source->moddir);
	if (line)
		log_error("write ?%s where the machine may do without it", name);
	return -ENOENT;
}

static int need_modules(struct image *im, const struct manifest_entry *e)
{
	_free_ char *names = strdup(e->value);
	char *save = NULL;
	int err;

	if (!names)
		return -ENOMEM;
	if (*names && !im->tree)
		return image_fail(e, -EINVAL,
				  "modules are wanted, but neither --moddir nor --root was given");
	for (char *w = strtok_r(names, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		size_t before = modtree_nr_loaded(im->tree);

		err = modtree_need(im->tree, *w == '?' ? w + 1 : w);
		if (err == -ENOENT && *w == '?')
			continue;
		if (err == -ENOENT)
			return fail_missing(im, e, w);
		if (err)
			return err;
		if (*w != '?')
			mark_sure(im, w, before);
	}
	return 0;
}

int image_plan_modules(struct image *im)
{
	const struct manifest *m = im->source->manifest;
	int err = 0;

	for (size_t i = 0; i < m->nr && !err; i++) {
		if (m->entries[i].kind == MANIFEST_MODULES)
			err = need_modules(im, &m->entries[i]);
		im->loaded_after[i] = im->tree ? modtree_nr_loaded(im->tree) : 0;
	}
	return err;
}

/* Whether a module of the load order is the one that "MODULE PARAMETERS" is about. */
static bool is_loaded(const struct image *im, const char *options)
{
	char name[256], file[256];
	bool found = false;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(options, " "), options);
	for (size_t i = 0; im->tree && i < modtree_nr_loaded(im->tree) && !found; i++) {
		image_module_file(im, i, file, sizeof(file));
		found = is_name_of(name, file);
	}
	return found;
}

int image_check_options(const struct image *im)
{
	const struct hardware *hw = im->source->hardware;
	int err = 0;

	for (size_t i = 0; hw && i < hw->options.nr; i++) {
		const struct hardware_word *w = &hw->options.word[i];

		if (is_loaded(im, w->text))
			continue;
		log_error("%s:%u: options %.*s: the image does not load it; what is built in takes "
			  "MODULE.PARAMETER=VALUE on the capture kernel's command line",
			  hw->name, w->line, (int)strcspn(w->text, " "), w->text);
		err = -EINVAL;
	}
	return err;
}

/* ---- their files */

static void free_cctx(ZSTD_CCtx **cctx)
{
	ZSTD_freeCCtx(*cctx);
}

/* The image is unpacked into memory where there is little of it; PID 1 unpacks one module
 * at a time. */
static int pack(void **data, size_t *len)
{
	__cleanup(free_cctx) ZSTD_CCtx *cctx = ZSTD_createCCtx();
	size_t room = ZSTD_compressBound(*len), n;
	_free_ void *out = malloc(room);

	if (!cctx || !out)
		return -ENOMEM;
	ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, 19);
	n = ZSTD_compress2(cctx, out, room, *data, *len);
	if (ZSTD_isError(n))
		return -EIO;
	if (n < *len) {
		free(*data);
		*data = take_ptr(out);
		*len = n;
	}
	return 0;
}

static int check_machine(const struct image *im, const char *path, const void *data, size_t len)
{
	unsigned kernel = program_machine(data, len);
	const char *want = program_machine_name(kernel), *have = program_machine_name(im->machine);

	if (im->machine == EM_NONE || program_runs_on(im->machine, kernel))
		return 0;
	log_error("%s is for %s (ELF machine %u), /init for %s (%u): give the vmcore-save of the "
		  "machine with -D VMCORE_SAVE=",
		  path, want ? want : "another machine", kernel, have ? have : "another",
		  im->machine);
	return -EINVAL;
}

static int add_module(struct image *im, const char *dir, size_t i)
{
	_free_ char *from = NULL, *to = NULL;
	_free_ void *data = NULL;
	struct cpio_entry entry = { .mode = S_IFREG | 0644 };
	char name[256];
	int err;

	image_module_file(im, i, name, sizeof(name));
	if (asprintf(&from, "%s/%s", im->source->moddir, modtree_loaded(im->tree, i)) < 0 ||
	    asprintf(&to, "%s/%s", dir, name) < 0)
		return -ENOMEM;
	err = unpack_file(from, &data, &entry.size);
	if (!err)
		err = check_machine(im, from, data, entry.size);
	if (!err && im->sure[i])
		err = image_want_firmware(im, data, entry.size);
	if (err)
		return err;
	entry.size = strip_module(data, entry.size);
	err = pack(&data, &entry.size);
	entry.name = to;
	entry.data = data;
	return err ? err : cpio_add(im->cpio, &entry);
}

int image_add_modules(struct image *im, size_t index)
{
	const struct manifest_entry *e = &im->source->manifest->entries[index];
	size_t end = im->loaded_after[index];
	int err = 0;

	for (size_t i = index ? im->loaded_after[index - 1] : 0; i < end && !err; i++)
		err = add_module(im, e->path, i);
	return err;
}
