// SPDX-License-Identifier: GPL-2.0-or-later
/* An archive behind the image, with the driver of a disk that QEMU has. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/archive.h"
#include "control/rehearsal/rehearsal.h"
#include "lib/cleanup.h"
#include "lib/cpio.h"
#include "lib/decompress.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define MODULE_MAX (64u << 20)
#define LIST_NAME  "etc/vmcore-save/modules"
#define FOLDER	   "rehearsal"
#define MAX_LENT   32u
#define ALIGNMENT  512u

/**
 * struct lend
 * @folder: the kernel's, /lib/modules/VERSION
 * @list: the image's list of modules, with ours at its begin
 * @added: their names, for what two of them need goes in once: a file is gone when it is loaded
 */
struct lend {
	const struct rehearsal *r;
	char folder[256];
	struct cpio cpio;
	int fd;
	char *old_list;
	FILE *list;
	char added[MAX_LENT][CONTENT_MODULE_BYTES];
	unsigned nr_added;
};

static int write_out(void *ctx, const void *data, size_t len)
{
	return io_write_full(((struct lend *)ctx)->fd, data, len);
}

static int take_list(void *ctx, const struct archive_entry *e)
{
	struct lend *l = ctx;

	if (!S_ISREG(e->mode) || !streq(e->name, LIST_NAME))
		return 0;
	free(l->old_list);
	l->old_list = strndup(e->data, e->size);
	return l->old_list ? 0 : -ENOMEM;
}

static int add_module(void *ctx, const char *path, size_t path_len)
{
	struct lend *l = ctx;
	_free_ char *file = NULL, *data = NULL;
	_free_ void *unpacked = NULL;
	char module[CONTENT_MODULE_BYTES], name[96];
	size_t len;
	int err;

	if (!content_module_name(path, path_len, module))
		return -EBADMSG;
	for (unsigned i = 0; i < l->nr_added; i++) {
		if (streq(l->added[i], module))
			return 0;
	}
	if (l->nr_added == MAX_LENT)
		return -E2BIG;
	strcpy(l->added[l->nr_added++], module);
	if (asprintf(&file, "%s/%.*s", l->folder, (int)path_len, path) < 0) {
		file = NULL;
		return -ENOMEM;
	}
	err = io_read_file(file, MODULE_MAX, &data, &len);
	if (!err && decompress_format(data, len))
		err = decompress(data, len, MODULE_MAX, &unpacked, &len);
	if (err) {
		log_error("%s: %s", file, strerror(-err));
		return err;
	}
	snprintf(name, sizeof(name), FOLDER "/%s.ko", module);
	fprintf(l->list, "/%s\n", name);
	return cpio_add(&l->cpio, &(struct cpio_entry){ .name = name,
							.mode = S_IFREG | 0600,
							.data = unpacked ? unpacked : data,
							.size = len });
}

static int add_with_needs(struct lend *l, const char *module)
{
	switch (kmod_state(&l->r->kmod, module)) {
	case KMOD_MODULE:
		return kmod_each_needed(&l->r->kmod, module, add_module, l);
	case KMOD_BUILT_IN:
		return 0;
	default:
		log_error("%s/modules.dep: no module %s, which this kernel would take to have a "
			  "disk in QEMU",
			  l->folder, module);
		return -ENOENT;
	}
}

static int add_all(struct lend *l)
{
	_free_ char *text = NULL;
	char words[128], *save, *word;
	size_t len;
	int err;

	l->list = open_memstream(&text, &len);
	if (!l->list)
		return -ENOMEM;
	err = cpio_add(&l->cpio, &(struct cpio_entry){ .name = FOLDER, .mode = S_IFDIR | 0700 });
	snprintf(words, sizeof(words), "%s", l->r->disk->modules);
	for (word = strtok_r(words, " ", &save); word && !err; word = strtok_r(NULL, " ", &save))
		err = add_with_needs(l, word);
	fputs(l->old_list, l->list);
	if (fclose(l->list))
		return -ENOMEM;
	if (!err)
		err = cpio_add(&l->cpio, &(struct cpio_entry){ .name = LIST_NAME,
							       .mode = S_IFREG | 0644,
							       .data = text,
							       .size = len });
	return err ? err : cpio_finish(&l->cpio);
}

static int write_image(struct lend *l, const char *image, size_t len)
{
	static const char zeros[ALIGNMENT];
	int err = io_write_full(l->fd, image, len);

	return err ? err : io_write_full(l->fd, zeros, ROUND_UP(len, (size_t)ALIGNMENT) - len);
}

static int lend(struct lend *l)
{
	_free_ char *image = NULL;
	size_t len;
	int err = io_read_file(l->r->armed.image, CONTENT_MAX_IMAGE, &image, &len);

	if (!err)
		err = archive_walk(image, len, 2ul * CONTENT_MAX_IMAGE, take_list, l);
	if (!err && !l->old_list) {
		log_error("%s: a full image, to which no driver can be lent; it has none of a disk "
			  "that QEMU has",
			  l->r->armed.image);
		return -EOPNOTSUPP;
	}
	if (!err)
		err = write_image(l, image, len);
	return err ? err : add_all(l);
}

int rehearsal_lend(const struct rehearsal *r)
{
	struct lend l = { .r = r };
	char path[160];
	int err;

	snprintf(l.folder, sizeof(l.folder), "%.150s/lib/modules/%s", r->in->root,
		 r->armed.release);
	rehearsal_path(r, "image", path);
	l.fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	cpio_init(&l.cpio, write_out, &l);
	err = l.fd < 0 ? -errno : lend(&l);
	if (err)
		log_error("a driver cannot be lent to the image: %s", strerror(-err));
	free(l.old_list);
	cleanup_close(&l.fd);
	return err;
}
