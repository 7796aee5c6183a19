/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that make an image share. */
#ifndef INITRAMFS_IMAGE_PRIVATE_H
#define INITRAMFS_IMAGE_PRIVATE_H

#include <stdbool.h>

#include "initramfs/image.h"
#include "initramfs/modtree.h"
#include "lib/sha256.h"

#define IMAGE_FILE_MAX (256u << 20)

struct image {
	const struct image_source *source;
	struct cpio *cpio;
	struct modtree *tree;
	/* For each entry of the manifest, how long the load order is behind it. */
	size_t *loaded_after;
	/* For each module of the load order: it is there by a name without "?". */
	bool *sure;
	/* Names of firmware, "?" before what modules ask for; owned. */
	char **firmware;
	size_t nr_firmware;
	unsigned machine; /* e_machine of /init; EM_NONE where it is no ELF file */
	char init_sha256[SHA256_HEX_BYTES];
};

/** image_fail() - Log a sentence with the entry's manifest and line. Return: @err. */
int __attribute__((format(printf, 3, 4)))
image_fail(const struct manifest_entry *e, int err, const char *fmt, ...);

/** image_add() - Append the entry with these contents. Return: as cpio_add(). */
int image_add(struct image *im, const struct manifest_entry *e, uint32_t type, const void *data,
	      size_t size);

/** image_read() - Read a file of this system, or of the root file system where it is below that.
 * @data_ret: owned by the caller
 * Return: 0 or -errno, not logged. */
int image_read(const struct image *im, const char *path, char **data_ret, size_t *len_ret);

/* image_modules.c; they return 0 or -errno, logged. */
int image_plan_modules(struct image *im);
int image_check_options(const struct image *im);
int image_add_modules(struct image *im, size_t index);
const char *image_kernel(const struct image *im);
/** image_module_file() - Name of a module's file in the image: "ext4.ko". */
void image_module_file(const struct image *im, size_t i, char *buf, size_t size);

/* image_firmware.c */
/** image_want_firmware() - Note all that a module may ask for.
 * Return: 0 or -ENOMEM. */
int image_want_firmware(struct image *im, void *module, size_t len);
/** image_add_firmware() - All that is noted, and what the entry names, into the entry's folder.
 * Return: 0 or -errno, logged. */
int image_add_firmware(struct image *im, const struct manifest_entry *e);

#endif
