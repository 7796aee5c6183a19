// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/image.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#include "initramfs/modtree.h"
#include "initramfs/strip.h"
#include "initramfs/unpack.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/sha256.h"
#include "lib/util.h"

#define FILE_MAX_BYTES (256u << 20)

struct image {
	const struct image_source *source;
	struct cpio *cpio;
	struct modtree *tree;
	/* For each entry of the manifest, how long the load order is behind it. */
	size_t *loaded_after;
	char init_sha256[SHA256_HEX_BYTES];
};

static int __attribute__((format(printf, 4, 5)))
fail(const struct image *im, const struct manifest_entry *e, int err, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_error("%s:%u: %s", im->source->name, e->line, text);
	return err;
}

static const char *kernel_version(const struct image *im)
{
	const char *slash;

	if (!im->source->moddir)
		return "unknown";
	slash = strrchr(im->source->moddir, '/');
	return slash ? slash + 1 : im->source->moddir;
}

/* Name of a module's file in the image, however it was and is packed: "ext4.ko". */
static void module_file(const struct image *im, size_t i, char *buf, size_t size)
{
	const char *path = modtree_loaded(im->tree, i), *base = strrchr(path, '/'), *suffix;

	base = base ? base + 1 : path;
	suffix = strstr(base, ".ko");
	snprintf(buf, size, "%.*s.ko", (int)(suffix ? (size_t)(suffix - base) : strlen(base)),
		 base);
}

/* ---- which modules */

static int need_modules(struct image *im, const struct manifest_entry *e)
{
	_free_ char *names = strdup(e->value);
	char *save = NULL;
	int err;

	if (!names)
		return -ENOMEM;
	if (!im->tree)
		return fail(im, e, -EINVAL, "modules are wanted, but no --moddir was given");
	for (char *w = strtok_r(names, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		err = modtree_need(im->tree, *w == '?' ? w + 1 : w);
		if (err == -ENOENT && *w == '?')
			continue;
		if (err == -ENOENT)
			return fail(im, e, err, "kernel %s has no module %s", kernel_version(im),
				    w);
		if (err)
			return err;
	}
	return 0;
}

static int plan_modules(struct image *im)
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

/* ---- entries */

static int add(struct image *im, const struct manifest_entry *e, uint32_t type, const void *data,
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

static int add_file(struct image *im, const struct manifest_entry *e)
{
	_free_ char *data = NULL;
	size_t len;
	int err = io_read_file(e->value, FILE_MAX_BYTES, &data, &len);

	if (err)
		return fail(im, e, err, "%s: %s", e->value, strerror(-err));
	return add(im, e, S_IFREG, data, e->mode & 0111 ? strip_program(data, len) : len);
}

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

static int add_modules(struct image *im, size_t index)
{
	const struct manifest_entry *e = &im->source->manifest->entries[index];
	size_t end = im->loaded_after[index];
	int err = 0;

	for (size_t i = index ? im->loaded_after[index - 1] : 0; i < end && !err; i++) {
		_free_ char *from = NULL, *to = NULL;
		_free_ void *data = NULL;
		struct cpio_entry entry = { .mode = S_IFREG | 0644 };
		char name[256];

		module_file(im, i, name, sizeof(name));
		if (asprintf(&from, "%s/%s", im->source->moddir, modtree_loaded(im->tree, i)) < 0 ||
		    asprintf(&to, "%s/%s", e->path, name) < 0)
			return -ENOMEM;
		err = unpack_file(from, &data, &entry.size);
		if (!err)
			err = pack(&data, &entry.size);
		entry.name = to;
		entry.data = data;
		if (!err)
			err = cpio_add(im->cpio, &entry);
	}
	return err;
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
	return add(im, e, S_IFREG, text, len);
}

static void print_module_list(const struct image *im, FILE *out)
{
	const struct manifest *m = im->source->manifest;
	size_t i = 0;
	char name[256];

	for (size_t entry = 0; entry < m->nr; entry++)
		for (; i < im->loaded_after[entry]; i++) {
			module_file(im, i, name, sizeof(name));
			fprintf(out, "%s/%s\n", m->entries[entry].path, name);
		}
}

static void print_build_note(const struct image *im, FILE *out)
{
	size_t nr = im->tree ? modtree_nr_loaded(im->tree) : 0;
	char name[256];

	fprintf(out, "kernel: %s\n", kernel_version(im));
	fprintf(out, "program-sha256: %s\n", im->init_sha256);
	fprintf(out, "generator: vmcore-mkimage " VMCORE_SAVE_VERSION "\n");
	for (size_t i = 0; i < nr; i++) {
		module_file(im, i, name, sizeof(name));
		fprintf(out, "module: %s\n", name);
	}
}

static int add_entry(struct image *im, size_t index)
{
	const struct manifest_entry *e = &im->source->manifest->entries[index];

	switch (e->kind) {
	case MANIFEST_DIR:
		return add(im, e, S_IFDIR, NULL, 0);
	case MANIFEST_FILE:
		return add_file(im, e);
	case MANIFEST_SLINK:
		return add(im, e, S_IFLNK, e->value, strlen(e->value));
	case MANIFEST_NOD:
		return add(im, e, 0, NULL, 0);
	case MANIFEST_MODULES:
		return add_modules(im, index);
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
	err = io_read_file(m->entries[i].value, FILE_MAX_BYTES, &data, &len);
	if (err)
		return fail(im, &m->entries[i], err, "%s: %s", m->entries[i].value, strerror(-err));
	sha256_init(&sha);
	sha256_update(&sha, data, len);
	sha256_final(&sha, digest);
	sha256_hex(digest, im->init_sha256);
	return 0;
}

int image_write(const struct image_source *source, struct cpio *cpio)
{
	_free_ size_t *loaded_after = calloc(source->manifest->nr + 1, sizeof(*loaded_after));
	struct image im = { .source = source, .cpio = cpio, .loaded_after = loaded_after };
	int err;

	if (!loaded_after)
		return -ENOMEM;
	err = digest_init(&im);
	if (!err && source->moddir)
		err = modtree_open(source->moddir, &im.tree);
	if (!err)
		err = plan_modules(&im);
	for (size_t i = 0; i < source->manifest->nr && !err; i++)
		err = add_entry(&im, i);
	modtree_close(im.tree);
	return err ? err : cpio_finish(cpio);
}
