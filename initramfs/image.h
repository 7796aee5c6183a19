/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns a manifest into an archive. */
#ifndef INITRAMFS_IMAGE_H
#define INITRAMFS_IMAGE_H

#include "initramfs/manifest.h"
#include "lib/cpio.h"

/**
 * struct image_source - What an image is made from. All borrowed.
 * @name: of the manifest, for messages
 * @moddir: the kernel's module folder, /lib/modules/VERSION; NULL where there is none
 */
struct image_source {
	const struct manifest *manifest;
	const char *name;
	const char *moddir;
};

/**
 * image_write() - Write the whole archive, trailer included.
 * Return: 0 or -errno; logged, with the manifest's line where one is at fault.
 */
int image_write(const struct image_source *source, struct cpio *cpio);

#endif
