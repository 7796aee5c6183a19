// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/image.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "initramfs/image_private.h"
#include "initramfs/program.h"
#include "initramfs/root.h"
#include "initramfs/strip.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

int image_fail(const struct manifest_entry *e, int err, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_error("%s:%u: %s", e->name, e->line, text);
	return err;
}

/* ---- entries */

int image_add(struct image *im, const struct manifest_entry *e, uint32_t type, const void *data,
	      size_t size)
{
	struct cpio_entry entry = {
		.name = e->path,
		.mode = e->mode | type,
		.uid = e->uid,
		.gid = e->gid,
		.major = e->major,
		.minor = e->minor,
		.data = data,
		.size = size,
	};

	return cpio_add(im->cpio, &entry);
}

int image_read(const struct image *im, const char *path, char **data_ret, size_t *len_ret)
{
	const char *root = im->source->root, *below = root ? after_prefix(path, root) : NULL;
	_free_ char *found = NULL;
	int err = 0;

	if (below && *below == '/')
		err = root_path(root, below, &found);
	return err ? err : io_read_file(found ? found : path, IMAGE_FILE_MAX, data_ret, len_ret);
}

/* Whether a path may be there: a link on the way may lead to where it is. */
static bool may_have_file(const struct manifest *m, const char *path)
{
	char dir[PROGRAM_PATH_MAX];

	if (manifest_has_file(m, path))
		return true;
	strcpy(dir, path);
	for (char *slash; (slash = strrchr(dir, '/')) && slash != dir;) {
		*slash = '\0';
		if (manifest_has_file(m, dir))
			return true;
	}
	return false;
}

static int check_program(const struct image *im, const struct manifest_entry *e, const void *data,
			 size_t len)
{
	char interpreter[PROGRAM_PATH_MAX];

	program_interpreter(data, len, interpreter);
	if (!*interpreter || may_have_file(im->source->manifest, interpreter))
		return 0;
	return image_fail(e, -EINVAL,
			  "%s needs %s, for which the image has no line: build it static, or add "
			  "\"file %s SOURCE 0755\" and what libraries it needs",
			  e->value, interpreter, interpreter);
}

static int add_file(struct image *im, const struct manifest_entry *e)
{
	_free_ char *data = NULL;
	size_t len;
	int err = image_read(im, e->value, &data, &len);

	if (err)
		return image_fail(e, err, "%s: %s", e->value, strerror(-err));
	if (!(e->mode & 0111))
		return image_add(im, e, S_IFREG, data, len);
	err = check_program(im, e, data, len);
	return err ? err : image_add(im, e, S_IFREG, data, strip_program(data, len));
}

/* The texts are short: a line for each module. */
static int add_text(struct image *im, const struct manifest_entry *e,
		    void (*print)(const struct image *im, FILE *out))
{
	_free_ char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return -ENOMEM;
	print(im, out);
	if (fclose(out))
		return -ENOMEM;
	return image_add(im, e, S_IFREG, text, len);
}

/* @file: "ext4.ko" */
static void print_options(const struct image *im, const char *file, FILE *out)
{
	char name[256];
	const char *options;

	snprintf(name, sizeof(name), "%.*s", (int)(strlen(file) - strlen(".ko")), file);
	for (size_t i = 0; (options = hardware_options(im->source->hardware, name, i)); i++)
		fprintf(out, " %s", options);
	fputc('\n', out);
}

static void print_module_list(const struct image *im, FILE *out)
{
	const struct manifest *m = im->source->manifest;
	size_t i = 0;
	char name[256];

	for (size_t entry = 0; entry < m->nr; entry++)
		for (; i < im->loaded_after[entry]; i++) {
			image_module_file(im, i, name, sizeof(name));
			fprintf(out, "%s/%s", m->entries[entry].path, name);
			print_options(im, name, out);
		}
}

static void print_build_note(const struct image *im, FILE *out)
{
	size_t nr = im->tree ? modtree_nr_loaded(im->tree) : 0;
	char name[256];

	fprintf(out, "kernel: %s\n", image_kernel(im));
	fprintf(out, "program-sha256: %s\n", im->init_sha256);
	fprintf(out, "generator: vmcore-mkimage " VMCORE_SAVE_VERSION "\n");
	for (size_t i = 0; i < nr; i++) {
		image_module_file(im, i, name, sizeof(name));
		fprintf(out, "module: %s\n", name);
	}
}

static int add_entry(struct image *im, size_t index)
{
	const struct manifest_entry *e = &im->source->manifest->entries[index];

	switch (e->kind) {
	case MANIFEST_DIR:
		return image_add(im, e, S_IFDIR, NULL, 0);
	case MANIFEST_FILE:
		return add_file(im, e);
	case MANIFEST_SLINK:
		return image_add(im, e, S_IFLNK, e->value, strlen(e->value));
	case MANIFEST_NOD:
		return image_add(im, e, 0, NULL, 0);
	case MANIFEST_MODULES:
		return image_add_modules(im, index);
	case MANIFEST_FIRMWARE: /* behind all modules, which ask for it */
		return 0;
	case MANIFEST_MODULE_LIST:
		return add_text(im, e, print_module_list);
	case MANIFEST_BUILD_NOTE:
		return add_text(im, e, print_build_note);
	}
	return -EINVAL;
}

/* The digest of /init, which the build note carries. */
static int digest_init(struct image *im)
{
	const struct manifest *m = im->source->manifest;
	uint8_t digest[SHA256_DIGEST_BYTES];
	_free_ char *data = NULL;
	struct sha256 sha;
	size_t len, i = 0;
	int err;

	while (i < m->nr &&
	       !(m->entries[i].kind == MANIFEST_FILE && streq(m->entries[i].path, "/init")))
		i++;
	if (i == m->nr) {
		log_error("%s: there is no file /init, which the kernel starts", im->source->name);
		return -EINVAL;
	}
	err = image_read(im, m->entries[i].value, &data, &len);
	if (err)
		return image_fail(&m->entries[i], err, "%s: %s", m->entries[i].value,
				  strerror(-err));
	sha256_init(&sha);
	sha256_update(&sha, data, len);
	sha256_final(&sha, digest);
	sha256_hex(digest, im->init_sha256);
	im->machine = program_machine(data, len);
	return 0;
}

static int add_entries(struct image *im)
{
	const struct manifest *m = im->source->manifest;
	int err = 0;

	for (size_t i = 0; i < m->nr && !err; i++)
		err = add_entry(im, i);
	for (size_t i = 0; i < m->nr && !err; i++)
		if (m->entries[i].kind == MANIFEST_FIRMWARE)
			err = image_add_firmware(im, &m->entries[i]);
	return err;
}

int image_write(const struct image_source *source, struct cpio *cpio)
{
	_free_ size_t *loaded_after = calloc(source->manifest->nr + 1, sizeof(*loaded_after));
	_free_ bool *sure = calloc(MODTREE_MAX_MODULES, sizeof(*sure));
	struct image im = {
		.source = source, .cpio = cpio, .loaded_after = loaded_after, .sure = sure
	};
	int err;

	if (!loaded_after || !sure)
		return -ENOMEM;
	err = digest_init(&im);
	if (!err && source->moddir)
		err = modtree_open(source->moddir, &im.tree);
	if (!err)
		err = image_plan_modules(&im);
	if (!err)
		err = image_check_options(&im);
	if (!err)
		err = add_entries(&im);
	modtree_close(im.tree);
	while (im.nr_firmware)
		free(im.firmware[--im.nr_firmware]);
	free(im.firmware);
	return err ? err : cpio_finish(cpio);
}
